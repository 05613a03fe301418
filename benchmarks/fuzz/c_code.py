"""Generated C under clang's libFuzzer with its sanitizers: any bits at all as arguments."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "firmware" / "golden"

CHECKS = (
    "-fsanitize=fuzzer,address,undefined,float-cast-overflow,float-divide-by-zero"
    ",integer-divide-by-zero,bounds,shift,signed-integer-overflow,local-bounds",
    "-fno-sanitize-recover=all",
    # A quotient by zero is what IEEE 754 says, and not undefined, where floats are used.
    "-fno-sanitize=float-divide-by-zero",
)

_FUNCTION = re.compile(
    r"^(?P<answer>float|double|int32_t|int|void) (?P<name>\w+)\((?P<args>[^)]*)\);", re.M
)
_ARGUMENT = re.compile(
    r"(?P<const>const )?(?P<type>float|double|int32_t) \w+(?:\[(?P<count>\w+)\])?$"
)


@dataclass(frozen=True)
class Source:
    """A generated C file beside its header."""

    path: Path

    @property
    def name(self) -> str:
        """Of its function."""
        return self.path.stem


def golden() -> list[Source]:
    """Every golden bundle: floats, doubles, fixed point, tables, guards, labels, arrays, chains."""
    files = [*GOLDEN.glob("*.c"), *(GOLDEN / "vector").glob("*/*.c")]
    kept = [p for p in files if not p.stem.endswith("_selftest") and p.with_suffix(".h").exists()]
    return [Source(path) for path in sorted(kept)]


def bundles(folder: Path) -> list[Source]:
    """The golden bundles, and the functions of arrays of the tests, written into the folder."""
    from distill.firmware.vector.bundle import write_vector_bundle
    from tests.firmware.vector.conftest import make_specs

    found = {source.name: source for source in golden()}
    for name, spec in make_specs().items():
        if name not in found:
            found[name] = Source(write_vector_bundle(spec, folder / name).source)
    return [found[name] for name in sorted(found)]


def clang_version() -> str:
    """Such as `clang 14.0.6`; says so where there is none."""
    clang = shutil.which("clang")
    if clang is None:
        return "no clang"
    told = subprocess.run([clang, "-dumpversion"], capture_output=True, text=True, check=False)
    return f"clang {told.stdout.strip()}"


def driver(source: Source) -> str:
    """A C program that calls every function of the header with the fuzzer's bytes."""
    header = source.path.with_suffix(".h").read_text(encoding="utf-8")
    calls, sizes = [], []
    for found in _FUNCTION.finditer(header):
        call, size = _call(found["answer"], found["name"], found["args"].split(", "))
        calls.append(call)
        sizes.append(size)
    return "\n".join(
        [
            "#include <stdint.h>",
            "#include <string.h>",
            f'#include "{source.name}.h"',
            "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);",
            "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {",
            "  volatile double kept;",
            f"  if (size < {' || size < '.join(sizes)}) return -1;",
            *calls,
            "  (void)kept;",
            "  return 0;",
            "}",
            "",
        ]
    )


def _call(answer: str, name: str, arguments: Sequence[str]) -> tuple[str, str]:
    """The text of one call and how many bytes it takes."""
    lines: list[str] = []
    given: list[str] = []
    sizes: list[str] = []
    for i, text in enumerate(arguments):
        match = _ARGUMENT.match(text)
        if match is None:
            raise ValueError(f"{name}: cannot read the argument `{text}`")
        kind, count = match["type"], match["count"]
        given.append(f"a{i}")
        lines.append(f"{kind} a{i}[{count}];" if count else f"{kind} a{i};")
        if count and not match["const"]:
            continue  # an array of answers
        start = " + ".join(sizes) or "0"
        place = f"a{i}" if count else f"&a{i}"
        lines.append(f"memcpy({place}, data + {start}, sizeof a{i});")
        sizes.append(f"{count or 1} * sizeof({kind})")
    call = f"{name}({', '.join(given)});"
    if answer != "void":
        call = f"kept = (double){call}"
    else:
        call += " kept = (double)" + given[-1] + "[0];"
    return "  { " + " ".join([*lines, call]) + " }", " + ".join(sizes)


def build(source: Source, folder: Path) -> Path:
    """The fuzzer of one file.

    Raises
    ------
    RuntimeError : with clang's complaint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "driver.c"
    text.write_text(driver(source), encoding="utf-8")
    program = folder / "fuzzer"
    clang = shutil.which("clang")
    if clang is None:
        raise RuntimeError("clang is not installed.")
    done = subprocess.run(
        [clang, "-std=c99", "-O1", "-g", "-ffp-contract=off", *CHECKS, f"-I{source.path.parent}",
         str(text), str(source.path), "-lm", "-o", str(program)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return program
