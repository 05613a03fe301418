"""No input makes the generated C read or write outside of its tables and arrays.

The argument: an index is made from an input that was held in the table's bounds before, and the
last cell is counted from its own start; NaN is held like a number below the lowest. The proof that
a sanitizer can give: every golden bundle, called with every combination of the values at which
comparisons, conversions and shifts go wrong.
"""

import itertools
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "firmware/golden"
SOURCES = {
    path.stem: path
    for folder in ("", "vector/air", "vector/iris")
    for path in (GOLDEN / folder).glob("*.c")
    if path.stem != "main" and not path.stem.endswith("_selftest")
}
"""Formula, table, guard, label, own functions, closed form; floats and integers."""

FLAGS = [
    "-std=c99", "-g", "-O1", "-ffp-contract=off", "-fno-sanitize-recover=all",
    "-fsanitize=address,undefined,float-cast-overflow",
]  # fmt: skip
_REAL = [
    "NAN", "INFINITY", "-INFINITY", "0", "-0.0", "1e-45", "-1e-40", "3.4028235e38",
    "-3.4028235e38", "2147483648.0", "-2147483649.0", "4294967296.0", "9.3e18", "1", "-1", "4.9",
    "10", "50", "99", "1e6",
]  # fmt: skip
_WHOLE = [
    "INT32_MIN", "INT32_MIN + 1", "-65536", "-1", "0", "1", "2", "32767", "65536",
    "INT32_MAX - 1", "INT32_MAX",
]  # fmt: skip
EDGES = {
    "float": [f"(float){x}" for x in _REAL],
    "double": [*_REAL, "4.9e-324", "1.7976931348623157e308"],
    "int32_t": _WHOLE,
}
"""Where comparisons, conversions and shifts go wrong, in C."""

_PROTOTYPE = re.compile(r"^(?:float|double|int32_t|int|void) (\w+)\(([^)]*)\);", re.M)
_ARRAY = re.compile(r"(const )?(\w+) \w+\[(\d+)\]")


def calls(header):
    """C that calls every function of a header with every combination of edges."""
    for name, arguments in _PROTOTYPE.findall(header):
        given = [argument.strip() for argument in arguments.split(",")]
        arrays = [_ARRAY.fullmatch(argument) for argument in given]
        if all(arrays):
            kind, count = arrays[0][2], int(arrays[0][3])
            filled = "; ".join(f"in[{n}] = {kind}_edges[i{n}]" for n in range(count))
            outs = "".join(f"{a[2]} out[{a[3]}]; " for a in arrays if not a[1])
            words = ", ".join("in" if a[1] else "out" for a in arrays)
            # On the heap, with nothing behind: a read past the end is seen.
            body = (
                f"{outs}{kind} *in = malloc({count} * sizeof *in); {filled}; "
                f"{name}({words}); free(in); called++;"
            )
        else:
            kind, count = given[0].split()[0], len(given)
            words = ", ".join(f"{kind}_edges[i{n}]" for n in range(count))
            body = f"(void){name}({words}); called++;"
        loops = "".join(f"for (i{n} = 0; i{n} < {len(EDGES[kind])}; i{n}++) " for n in range(count))
        yield f"    {loops}{{ {body} }}"


def program():
    """A program over all golden bundles; it prints how many calls it made."""
    headers = [path.with_suffix(".h") for path in SOURCES.values()]
    lines = ["#include <math.h>", "#include <stdint.h>", "#include <stdio.h>"]
    lines += ["#include <stdlib.h>", *(f'#include "{header}"' for header in headers)]
    for kind, edges in EDGES.items():
        lines.append(f"static const {kind} {kind}_edges[] = {{{', '.join(edges)}}};")
    lines += ["int main(void)", "{", "    unsigned i0, i1, i2, i3; long called = 0;"]
    lines.append("    (void)i3;")
    lines += itertools.chain.from_iterable(calls(header.read_text()) for header in headers)
    return "\n".join([*lines, '    printf("%ld\\n", called);', "    return 0;", "}", ""])


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Compiles C with gcc's sanitizers and runs it."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("c")

    def run(name, text, *sources):
        (folder / f"{name}.c").write_text(text)
        command = [gcc, *FLAGS, f"{name}.c", *map(str, sources), "-o", name, "-lm"]
        subprocess.run(command, cwd=folder, check=True, timeout=300)
        return subprocess.run(
            [folder / name],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
        )

    return run


def test_every_kind_of_bundle_at_every_edge(build):
    assert len(SOURCES) >= 14
    done = build("all", program(), *SOURCES.values())
    assert done.returncode == 0, done.stderr[:2000]
    assert int(done.stdout) > 10_000


@pytest.mark.parametrize(
    "wrong",
    [
        "static const float t[4] = {1, 2, 3, 4}; volatile int i = 4; return t[i] > 0;",
        "volatile float x = NAN; return (int)x;",
        "volatile int i = 31; return 1 << i << 1;",
        "volatile int32_t i = INT32_MAX; return i + 1;",
    ],
)
def test_what_is_looked_for_would_be_found(build, wrong):
    head = "#include <math.h>\n#include <stdint.h>\nint main(void)\n{\n    "
    done = build("wrong", f"{head}{wrong}\n}}\n")
    assert done.returncode != 0
    assert "runtime error" in done.stderr or "AddressSanitizer" in done.stderr
