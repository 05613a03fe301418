"""Text of others in a bundle says nothing to a compiler, a build system or a Markdown reader.

The C with hostile names in it is, without its comments, the C with harmless ones.
"""

import dataclasses
import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import DomainError, FormulaError
from distill.firmware.bundle import render_bundle
from distill.firmware.comments import comment
from distill.firmware.vector.bundle import render_vector
from distill.formula import Formula
from distill.teachers.base import Output
from tests.firmware.bundle.conftest import AIR, STULL
from tests.firmware.bundle.conftest import make_specs as scalar_specs
from tests.firmware.vector.conftest import make_specs as vector_specs

HARMLESS = "x"
HOSTILE = [
    "*/ int y; /*",
    '*/\n#include "/etc/passwd"\n/*',
    "??/\n#error trigraph",
    "\\\n#error continued",
    "*??/\n/ int z;",
    "*\\\n/ int z;",
    "// %n%s%s%s",
    '"; system("x"); //',
    "{{ 7*7 }} {% include 'x' %} {# x #}",
    "${PATH} $(touch x) `touch x` \\${X}",
    ") add_custom_target(x ALL COMMAND touch x)",
    "\nmenuconfig X\n default y",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) ![x](http://x/y) <http://x>",
    "| a | b |\n\n# heading\n\n---",
    "a\u202eb\u2066c\x1b[2Jd\x00e\u2028f\x85g",
    "x" * 5000,
]


def scalar(name, text):
    """A bundle of one number with this text wherever text may come from outside."""
    spec = scalar_specs()[name]
    return render_bundle(
        dataclasses.replace(
            spec, output_name=text, output_unit=text, provenance={text: text}, target=text,
            figures=(text,), remarks=(text,),
        )
    )  # fmt: skip


def vector(name, text):
    """A bundle of arrays with it."""
    spec = vector_specs()[name]
    unit = text if text.isprintable() else HARMLESS  # the others are no units
    outputs = tuple(Output(f"y{n}", unit) for n in range(len(spec.outputs)))
    return render_vector(
        dataclasses.replace(
            spec, outputs=outputs, classes=(text,) * len(spec.classes), provenance={text: text},
            target=text, figures=(text,), remarks=(text,),
        )
    )  # fmt: skip


KINDS = {
    "formula": lambda text: scalar("wet_bulb", text),
    "guarded": lambda text: scalar("guarded", text),
    "integers": lambda text: scalar("dew_fixed", text),
    "label": lambda text: scalar("own_functions", text),
    "closed form": lambda text: vector("iris", text),
}


@pytest.fixture(scope="module")
def stripped(tmp_path_factory):
    """C without comments, as gcc with trigraphs reads it."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("c")

    def strip(*bundles):
        sources = [item for files in bundles for item in sorted(files.items()) if is_c(item[0])]
        text = "".join(f"#pragma file {name}\n{content}\n" for name, content in sources)
        (folder / "all.c").write_text(text)
        command = [gcc, "-std=c99", "-trigraphs", "-fpreprocessed", "-dD", "-E", "-P", "all.c"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout

    return strip


def is_c(name):
    return name.endswith((".c", ".h"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_c_is_the_same_but_for_its_comments(kind, stripped):
    harmless, hostile = KINDS[kind](HARMLESS), [KINDS[kind](text) for text in HOSTILE]
    assert all(files.keys() == harmless.keys() for files in hostile)
    code = stripped(*[harmless] * len(hostile))
    assert len(code) > 10_000
    assert stripped(*hostile) == code


TEXT_FILES = (
    "README.md",
    "bundle.json",
    "library.json",
    "library.properties",
    "certificate.json",
    "made_from.json",
)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_is_touched_but_as_text(kind):
    harmless = KINDS[kind](HARMLESS)
    for text in HOSTILE:
        files = KINDS[kind](text)
        for name, content in files.items():
            if not is_c(name) and name not in TEXT_FILES:
                assert content == harmless[name], name
            if name.endswith(".json"):
                assert json.loads(content).keys() == json.loads(harmless[name]).keys()
        keys = (keys_of(files["library.properties"]), keys_of(harmless["library.properties"]))
        assert keys[0] == keys[1]
        page = files["README.md"]
        assert all(c == "\n" or c.isprintable() for c in page)
        assert not re.search(r"(?<!\\)<(script|img|http)|(?<!\\)\]\((javascript|http)", page)
        assert headings(page) == headings(harmless["README.md"])


def keys_of(properties):
    """The keys of a file of Arduino's."""
    return [line.partition("=")[0] for line in properties.splitlines()]


def headings(page):
    """The headings of a page of Markdown."""
    return [line for line in page.splitlines() if line.startswith("#")]


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.sampled_from(list("*/\\?\n\r%\"'{}#$`<>ab \u2028")), max_size=40))
def test_a_comment_stays_one(text):
    line = comment(text)
    assert not any(mark in line for mark in ("*/", "/*", "??", "\\", "\n", "\r", "\u2028"))


def test_units_with_controls_are_no_units():
    for text in HOSTILE:
        if text.isprintable():
            Domain.box(a=(0, 1, text))
        else:
            with pytest.raises(DomainError, match="control"):
                Domain.box(a=(0, 1, text))


def test_units_are_comments(stripped):
    spec = scalar_specs()["wet_bulb"]

    def files(unit):
        box = Domain.box(temperature=(10, 50, unit), humidity=(5, 99, unit))
        formula = Formula.parse(STULL.text, box)
        return render_bundle(dataclasses.replace(spec, domain=box, formula=formula))

    hostile = [files(text) for text in HOSTILE if text.isprintable()]
    assert stripped(*hostile) == stripped(*[files(HARMLESS)] * len(hostile))


@pytest.mark.parametrize(
    "text",
    [
        "temperature; system(1)",
        "temperature */ humidity",
        "__import__('os').system('x')",
        "temperature.__class__",
        "temperature + 1e999",
        "9" * 100_000,
        "t" * 100_000,
        "t" * 100_000 + "(humidity)",
        "(" * 100_000 + "temperature" + ")" * 100_000,
        "-" * 100_000 + "temperature",
        "temperature" + "^2" * 100_000,
        "temperature + 0x1p3",
        "temperature + nan",
        "temperature + 1_000",
        "temperature + ١",
        "temperature\x00 + humidity",
        "lambda: 1",
        "",
    ],
    ids=lambda text: text[:20] or "nothing",
)
def test_formula_text_is_a_closed_grammar(text):
    with pytest.raises(FormulaError) as caught:
        Formula.parse(text, AIR)
    assert len(str(caught.value)) < 2000
