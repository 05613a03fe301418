"""The checks on the machine that distill runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.evidence import Check
from distill.firmware.harness import Results, host_loop
from distill.firmware.stress import run_stressed
from distill.firmware.subject import Code, Limit, Subject
from distill.firmware.toolchains import HostCompiler, ToolMissing, run_tool

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion"),
    *("-Werror", "-ffp-contract=off", "-O2"),
)
STRICT_CXX = ("-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off", "-O2")

SANITIZED = 200_000
"""Inputs that each compiler's sanitizers watch."""

SHOWN = 12
"""Inputs of the worst point that are told."""

Loop = Callable[[Array], Results]
"""Runs the compiled C at points (n, d)."""


@contextmanager
def reported(checks: list[Check], name: str) -> Iterator[None]:
    """Let a tool's failure inside become a failed check, or one not run: the others go on."""
    try:
        yield
    except ToolMissing as error:
        checks.append(Check(name, None, one_line(str(error))))
    except ToolchainError as error:
        checks.append(Check(name, False, one_line(error.what)))


def check_strict(subject: Subject, compiler: HostCompiler, folder: Path) -> Check:
    """No warnings, whichever way the C is compiled."""
    name = f"strict C, {compiler.name}"
    for define in _defines(subject):
        built = compiler.run([*STRICT, *define, "-c", *_sources(subject)], folder)
        if built.status != 0:
            return Check(name, False, one_line(built.complaint))
    return Check(name, True, f"{' '.join(STRICT)}: no warnings")


def check_selftest(subject: Subject, compiler: HostCompiler, folder: Path) -> Check:
    """The bundle's own self-test passes, whichever way the C is compiled."""
    name = f"self-test, {compiler.name}"
    program = folder / "selftest"
    for define in _defines(subject):
        arguments = ["-std=c99", "-O2", "-ffp-contract=off", *define, *_sources(subject), "-lm"]
        finished = compiler.run([*arguments, "-o", str(program)], folder)
        if finished.status == 0:
            finished = run_tool([str(program)], seconds=subject.seconds, folder=folder)
        if finished.status != 0:
            return Check(name, False, one_line(" ".join([*define, finished.complaint])))
    ways = len(_defines(subject))
    said = one_line(finished.output) or "nothing printed"
    return Check(name, True, f"{said}, compiled {ways} way(s)", {"ways": float(ways)})


def _defines(subject: Subject) -> list[list[str]]:
    return [[], *([f"-D{variant}"] for variant in subject.variants)]


def _sources(subject: Subject) -> list[str]:
    return [str(path) for path in (subject.source, subject.selftest, subject.main)]


def check_cxx(subject: Subject, compiler: HostCompiler, folder: Path) -> Check:
    """The header read by C++, and the C linked into a C++ program."""
    name = f"C++, {compiler.name}"
    if compiler.cxx is None:
        return Check(name, None, "this compiler's C++ is not installed")
    kind = subject.signature
    (folder / "caller.cpp").write_text(
        f'#include "{subject.name}.h"\n'
        f"int main() {{ {kind.real} x[{kind.inputs}] = {{0}}, y[{kind.columns}]; "
        f"{kind.call(subject.name)} return y[0] == {kind.real}(1) ? 2 : 0; }}\n"
    )
    # Linked by the C compiler: the C++ library is not needed, and zig would have to build it.
    steps = (
        (True, [*STRICT_CXX, f"-I{subject.directory}", "-c", "caller.cpp", "-o", "caller.o"]),
        (False, [*STRICT, "-c", str(subject.source), "-o", "called.o"]),
        (False, ["caller.o", "called.o", "-lm", "-o", "caller"]),
    )
    for cxx, arguments in steps:
        built = compiler.run(arguments, folder, cxx=cxx)
        if built.status != 0:
            return Check(name, False, one_line(built.complaint))
    return Check(name, True, "the header compiles as C++11 and the C links with it")


def check_sanitizers(subject: Subject, compiler: HostCompiler, folder: Path) -> Check:
    """No undefined behaviour and no bad address at edge inputs and points of the domain."""
    what = (
        "addresses and undefined behaviour" if compiler.family != "zig" else "undefined behaviour"
    )
    name = f"sanitizers, {compiler.name}"
    if why := compiler.sanitizers_work(folder):
        hint = "; apt install libclang-rt-dev" if compiler.family == "clang" else ""
        return Check(name, None, f"they do not work here{hint}: {one_line(why)}")
    try:
        run = run_stressed(subject, compiler, folder, SANITIZED)
    except ToolchainError as error:
        return Check(name, False, one_line(error.what))
    return Check(name, True, f"{what}: nothing at {run.calls:,} inputs", {"inputs": run.calls})


def build_loop(code: Code, compiler: HostCompiler, folder: Path) -> Loop | Check:
    """The compiled C as a function of points, or the failed check that says why there is none."""
    loop = folder / "loop.c"
    program = folder / f"loop_{compiler.family}"
    loop.write_text(host_loop(f"{code.name}.h", code.name, code.signature))
    arguments = ["-std=c99", "-ffp-contract=off", "-O2", f"-I{code.directory}"]
    built = compiler.run(
        [*arguments, str(loop), str(code.source), "-lm", "-o", str(program)], folder
    )
    if built.status != 0:
        return Check(f"host, {compiler.name}", False, one_line(built.complaint))

    def run(x: Array) -> Results:
        points, results = folder / "points.bin", folder / "results.bin"
        points.write_bytes(code.signature.pack(x))
        ended = run_tool(
            [str(program), str(points), str(results)],
            seconds=code.seconds,
            folder=folder,
        )
        if ended.status != 0:
            raise ToolchainError(f"the C ended with status {ended.status}: {ended.complaint}")
        return code.signature.shaped(np.fromfile(results, dtype=code.signature.dtype))

    return run


def run_checks(
    subject: Subject,
    compiler: HostCompiler,
    folder: Path,
    points: int,
    seed: int,
    edges: Array,
    vectors: Array,
) -> tuple[list[Check], Results | None]:
    """The compiled C at many points of the domain and at edge inputs.

    Its results at ``vectors`` (n, d) come with the checks, or None when it does not run.
    """
    loop = build_loop(subject, compiler, folder)
    if isinstance(loop, Check):
        return [loop], None
    checks: list[Check] = []
    results: Results | None = None
    with reported(checks, f"host, {compiler.name}"):
        x = subject.points(points, seed)
        checks += compare("host", subject, x, loop(x))
    with reported(checks, f"edge inputs, {compiler.name}"):
        checks.append(compare_edges("host", subject, edges, loop(edges)))
    with reported(checks, f"vectors, {compiler.name}"):
        results = loop(vectors)
    return checks, results


def compare(where: str, subject: Subject, x: Array, results: Results) -> list[Check]:
    """Checks that ``results`` at x (n, d) keep the allowed rounding and the tolerance."""
    apart = subject.difference(x, results)
    verb = "differs from Python's model"
    name = f"{where} against Python"
    checks = [_limit(name, verb, subject, x, apart, subject.allowed_rounding)]
    error = subject.error(x, results)
    if error is not None:
        name = f"{where} against the teacher"
        checks.append(_limit(name, "is off the teacher", subject, x, error, subject.tolerance))
    return checks


def _limit(name: str, verb: str, subject: Subject, x: Array, apart: Array, limits: Limit) -> Check:
    """Whether no output is further apart than it may be; the figures of the worst one."""
    columns = apart.reshape(len(x), -1)
    limit = np.broadcast_to(np.asarray(limits, dtype=float), columns.shape[1:])
    largest = columns.max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(largest > 0, largest / limit, 0.0)
    column = int(np.argmax(ratios))
    worst = int(np.argmax(columns[:, column]))
    found, allowed = float(columns[worst, column]), float(limit[column])
    at = ", ".join(f"{value:.10g}" for value in x[worst, :SHOWN])
    at += ", ..." if x.shape[1] > SHOWN else ""
    output = f"`{subject.outputs[column]}` " if subject.outputs else ""
    return Check(
        name,
        bool((largest <= limit).all()),
        f"{output}{verb} by at most {found:.3g} (allowed {allowed:.3g}), at ({at}), "
        f"over {len(x):,} points",
        {"largest": found, "allowed": allowed, "points": float(len(x))},
    )


def compare_edges(where: str, subject: Subject, edges: Array, results: Results) -> Check:
    """The bounds, and the stated policy outside them: just outside, infinite, NaN."""
    apart = subject.difference(edges, results)
    name = f"{where} at edge inputs against Python"
    verb = "differs from Python's model"
    return _limit(name, verb, subject, edges, apart, subject.allowed_rounding)


def one_line(text: str) -> str:
    """An error message as one line."""
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())
