"""The C of every kind of bundle compiles strictly, passes its self-test and agrees with Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware import bundle as bundle_module
from distill.firmware.bundle import Bundle, BundleSpec, Policy, evaluate_bundle, write_bundle
from distill.firmware.fixed.formats import hold
from distill.firmware.graph import dtype
from distill.firmware.guard import Guard
from distill.firmware.holding import held
from distill.firmware.names import check_function_name
from distill.firmware.table_storing import even_table
from distill.formula import Formula

SWITCH = {"default": [], "table": ["TABLE_ONLY"], "formula": ["FORMULA_ONLY"]}


def switches(spec: BundleSpec, mode: str) -> list[str]:
    return [f"-D{spec.name.upper()}_{word}" for word in SWITCH[mode]]


REALS = {"float32": "float", "double": "double", "int32": "int32_t"}


def many_points(spec: BundleSpec) -> Array:
    """Points inside, on the bounds and, where that is allowed, outside and not numbers.

    They are the C function's own numbers: integers where it takes integers.
    """
    domain = spec.domain
    rng = np.random.default_rng(0)
    inside = np.vstack([domain.sample(20_000, seed=3), domain.corners()])
    if spec.interface == "integer":
        anything = rng.integers(-(2**31), 2**31, (5_000, len(domain)))
        special = rng.choice([0, 1, -1, 2**31 - 1, -(2**31)], (200, len(domain)))
        return np.vstack([hold(inside, domain), anything, special]).astype(float)
    if not spec.policy.checked:
        return inside
    size = domain.high - domain.low
    outside = domain.low + size * rng.uniform(-1, 2, (5_000, len(domain)))
    special = rng.choice(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-40, 0.5, 0.49999997, -0.5, 2.5],
        (2_000, len(domain)),
    )
    return np.vstack([inside, outside, special])


def assert_agrees(spec: BundleSpec, mode: str, x: Array, got: np.ndarray) -> None:
    """To the bit, but for what a C library's rounding can do to a formula."""
    wanted = evaluate_bundle(spec, x, mode)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    finite = ~np.isnan(wanted)
    if spec.exact(mode):
        np.testing.assert_array_equal(got[finite].astype(float), wanted[finite])
        return
    assert spec.implementation is not None
    seen = held(x, spec.domain, spec.arithmetic)
    seen = np.where(np.isnan(seen), spec.domain.low, seen)
    bound = spec.implementation.rounding(seen)
    bound += np.finfo(dtype(spec.arithmetic)).eps * np.abs(spec.implementation.answers(seen))
    from_table = np.zeros(len(x), dtype=bool)
    if spec.guarded:
        assert spec.guard is not None
        from_table = spec.guard(seen)
    assert (np.abs(got - wanted)[finite & from_table] == 0).all()
    assert (np.abs(got - wanted) <= bound)[finite & ~from_table].all()


@pytest.fixture
def bundle(tmp_path: Path, spec: BundleSpec) -> Bundle:
    return write_bundle(spec, tmp_path / "bundle")


def sources(bundle: Bundle) -> list[Path]:
    return [bundle.source, bundle.directory / f"{bundle.spec.name}_selftest.c",
            bundle.directory / "main.c"]  # fmt: skip


def test_the_self_test_passes_in_every_mode(bundle: Bundle, compiler, compile_c, run) -> None:
    for mode in bundle.spec.modes:
        flags = switches(bundle.spec, mode)
        output = run([compile_c(compiler, sources(bundle), *flags)]).stdout.decode()
        assert re.fullmatch(rf"{bundle.spec.name}: all \d\d+ vectors pass\n", output)


def test_the_answers_are_those_of_the_model(bundle: Bundle, compiler, c_answers) -> None:
    x = many_points(bundle.spec)
    real = REALS[bundle.spec.number]
    for mode in bundle.spec.modes:
        flags = switches(bundle.spec, mode)
        got = c_answers(compiler, bundle.source, x, *flags, real=real)
        assert_agrees(bundle.spec, mode, x, got)


def test_sanitizers_find_nothing(bundle: Bundle, c_answers) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine; its sanitizers are what is tried here")
    x = many_points(bundle.spec)
    real = REALS[bundle.spec.number]
    flags = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    for mode in bundle.spec.modes:
        extra = switches(bundle.spec, mode)
        got = c_answers(["gcc"], bundle.source, x, *flags, *extra, real=real)
        assert len(got) == len(x)


def test_the_header_is_read_by_cpp(bundle: Bundle, compiler, compile_c, run, tmp_path) -> None:
    name, d = bundle.spec.name, len(bundle.spec.domain)
    user, library, program = tmp_path / "user.cpp", tmp_path / "library.o", tmp_path / "program"
    arguments = ", ".join(["0"] * d)
    user.write_text(
        f'#include "{bundle.header}"\n#include "{bundle.directory}/{name}_selftest.h"\n'
        f"int main() {{ volatile double y = {name}({arguments}); (void)y; return 0; }}\n"
    )
    strict = ["-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    run([*compiler, *strict, "-c", user, "-o", tmp_path / "user.o"])
    run([*compiler, "-c", bundle.source, "-o", library])
    # Only names without C++ mangling find each other here.
    run([*compiler, tmp_path / "user.o", library, "-lm", "-o", program])
    run([program])


def test_a_broken_table_fails_the_self_test(specs, tmp_path, compiler, compile_c) -> None:
    bundle = write_bundle(specs["table_only"], tmp_path / "bundle")
    text = bundle.source.read_text()
    bundle.source.write_text(text.replace("895u, 1774u", "995u, 1774u"))
    program = compile_c(compiler, sources(bundle))
    done = subprocess.run([program], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"vectors FAIL" in done.stdout


def test_a_missing_part_is_a_compile_error(specs, tmp_path, compiler) -> None:
    for name, switch, message in [
        ("wet_bulb", "TABLE_ONLY", "exported without a table"),
        ("table_only", "FORMULA_ONLY", "exported without a formula"),
    ]:
        bundle = write_bundle(specs[name], tmp_path / name)
        command = [*compiler, "-c", str(bundle.source), f"-D{name.upper()}_{switch}", "-o", "x.o"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd=tmp_path)
        assert done.returncode != 0
        assert message in done.stderr.decode()


def test_fast_math_is_refused(specs, tmp_path, compiler) -> None:
    bundle = write_bundle(specs["wet_bulb"], tmp_path / "bundle")
    command = [*compiler, "-ffast-math", "-c", str(bundle.source), "-o", str(tmp_path / "x.o")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert b"without -ffast-math" in done.stderr


def test_flash_is_read_through_the_avr_macros(specs, tmp_path, compile_c, run) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine")
    (tmp_path / "avr").mkdir()
    (tmp_path / "avr" / "pgmspace.h").write_text(
        "#define PROGMEM\n"
        "#define pgm_read_byte(a) (*(const unsigned char *)(a))\n"
        "#define pgm_read_word(a) (*(const unsigned short *)(a))\n"
        "#define pgm_read_dword(a) (*(const unsigned int *)(a))\n"
        "#define pgm_read_float(a) (*(const float *)(a))\n"
    )
    for name in ("guarded", "gearbox", "dew_fixed"):
        bundle = write_bundle(specs[name], tmp_path / name)
        run([compile_c(["gcc"], sources(bundle), "-D__AVR__", f"-I{tmp_path}")])


POLICIES = [
    Policy("clamp", "propagate"), Policy("clamp", "low"), Policy("nan", "propagate"),
    Policy("nan", "low"), Policy("unchecked"),
]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: f"{p.out_of_domain}-{p.nan_input}")
@pytest.mark.parametrize("arithmetic", ["float32", "double"])
def test_every_policy_does_what_it_says(policy, arithmetic, tmp_path, c_answers) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine; the other tests compile with zig")
    domain = Domain(
        (
            Variable("level", -0.1, 0.3),
            Variable("gear", -3, 4, kind="integer"),
            Variable("cold", 0, 1, kind="boolean"),
            Variable("spare", 2, 3),
        )
    )
    formula = Formula.parse("level*gear + cold", domain)
    flags = np.zeros((3, 4, 2, 1), dtype=bool)
    flags[1, :, 0] = True
    flags[2, 3, 1] = True
    for quantised in (True, False):
        spec = BundleSpec(
            "f", domain, formula, even_table(formula, domain, (5, 8, 2, 1), arithmetic,
                                             quantised=quantised),
            Guard(domain, flags, arithmetic), "y", 0.1, 0.05, policy=policy, arithmetic=arithmetic,
        )  # fmt: skip
        bundle = write_bundle(spec, tmp_path / str(quantised))
        x = many_points(spec)
        real = REALS[spec.number]
        for mode in spec.modes if quantised else ("default", "table"):
            flags_c = ["-fsanitize=undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
            extra = switches(spec, mode)
            got = c_answers(["gcc"], bundle.source, x, *flags_c, *extra, real=real)
            assert_agrees(spec, mode, x, got)


@pytest.mark.parametrize("name", ["label_fixed", "label_float", "own_functions"])
def test_the_label_says_whether_the_answer_is_above(name, specs, tmp_path, compile_c, run) -> None:
    spec = specs[name]
    bundle = write_bundle(spec, tmp_path / "bundle")
    real, d = REALS[spec.number], len(spec.domain)
    x = many_points(spec)
    arguments = ", ".join(f"x[{i}]" for i in range(d))
    driver = tmp_path / "driver.c"
    driver.write_text(
        f'#include <stdint.h>\n#include <stdio.h>\n#include "{bundle.header}"\n'
        f"int main(void)\n{{\n    {real} x[{d}];\n"
        "    while (fread(x, sizeof x, 1, stdin) == 1) {\n"
        f'        printf("%d\\n", {name}_label({arguments}));\n    }}\n    return 0;\n}}\n'
    )
    dtype_c = np.int32 if real == "int32_t" else np.float32
    with np.errstate(over="ignore"):
        done = run([compile_c(["gcc"], [driver, bundle.source])], input=x.astype(dtype_c).tobytes())
    labels = np.array(done.stdout.split(), dtype=int)
    answers = evaluate_bundle(spec, x)
    answers = spec.numbers.outputs(answers)
    wanted = np.where(np.isnan(answers), -1, answers > spec.label_above)
    clear = ~(np.abs(answers - spec.label_above) < 1e-4)
    assert set(wanted[clear]) >= {0, 1}
    np.testing.assert_array_equal(labels[clear], wanted[clear])
    if spec.exact():
        np.testing.assert_array_equal(labels, wanted)


WORDS = sorted(
    {
        word.rstrip("_")
        for file in (Path(bundle_module.__file__).parent / "templates").glob("*.c.j2")
        for word in re.findall(r"\b[a-z]+_?\b", re.sub(r"\{[{%].*?[%}]\}", "", file.read_text()))
    }
)


@pytest.mark.parametrize("spec", ["label_fixed", "own_functions"], indirect=True)
def test_no_name_of_a_function_hits_one_of_its_own_files(spec, tmp_path, run) -> None:
    """Whatever a function may be called: each word of the templates was tried once as its name."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine")
    tried = 0
    for word in WORDS:
        try:
            check_function_name(word)
        except ExportError:
            continue
        made = write_bundle(replace(spec, name=word), tmp_path / word)
        run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *sources(made)])
        tried += 1
    assert tried > 10
    with pytest.raises(ExportError, match="belong to its self-test"):
        check_function_name("answer_")


def test_variables_may_be_called_as_locals_of_the_label_are(tmp_path, run) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine")
    domain = Domain((Variable("value", 0, 1), Variable("value_", 0, 1)))
    formula = Formula.parse("value + 2*value_", domain)
    spec = BundleSpec("f", domain, formula, None, None, "margin", 0.1, 0.01, label_above=1.25)
    made = write_bundle(spec, tmp_path / "f")
    assert "f_label(float value, float value_)" in made.source.read_text()
    for file in sources(made):
        run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", file])
