"""Verifying a bundle: compilers, static analysis, sanitizers, a million points, emulated chips."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.analysis import check_misra
from distill.firmware.eva import check_values
from distill.firmware.evidence import Check, Evidence
from distill.firmware.fixed.formats import QFormat
from distill.firmware.harness import Number
from distill.firmware.interface import make_interface
from distill.firmware.subject import Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import HostCompiler, host_compilers
from distill.firmware.verify_chip import Points, chip_checks
from distill.firmware.verify_host import (
    check_cxx,
    check_sanitizers,
    check_selftest,
    check_strict,
    reported,
    run_checks,
)

__all__ = ["verify_bundle", "verify_subject"]

CHIP_EDGES = 256
"""Mixtures of special values that are run on the chip, besides each of them alone."""

CHIP_NUMBERS = 8192
"""Numbers in all that the inputs with one special value have on the chip: of many inputs, some."""


def verify_bundle(
    bundle_directory: Path,
    name: str,
    inputs: Array,
    model: Callable[[Array], Array],
    truth: Callable[[Array], Array] | None,
    tolerance: float,
    allowed_rounding: float,
    target: Target | None,
    points: int = 1_000_000,
    *,
    domain: Domain,
    number: Number = "float32",
    output: QFormat | None = None,
    variants: Sequence[str] = (),
    answers_everywhere: bool = True,
    seed: int = 0,
    seconds: float = 120.0,
    compilers: Sequence[HostCompiler] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Evidence:
    """Check a written bundle on this machine and on the emulated target.

    With every C compiler found: no warning under strict flags. With gcc and clang, or with zig
    where it is alone: the self-test passes, the header serves C++, no sanitizer objects to random
    and edge inputs. MISRA C:2012 by cppcheck, and for fixed point all values there are by Frama-C.
    Then ``points`` points of the domain on the host, and ``inputs`` on the emulated chip with every
    toolchain that is installed for it, against Python's model, the truth and each other; at last
    the target's limits. A check that this machine cannot do is kept as not run; one whose program
    faults or hangs has failed, and the others go on.

    Parameters
    ----------
    bundle_directory : the folder with NAME.h, NAME.c, NAME_selftest.c and main.c.
    inputs : vectors (n, d) for the chip, of the domain, in its units.
    model : what the C answers, (n, d) -> (n,), both as the C's own numbers: it gets numbers that
        C's type can hold, integers where ``number`` is int32.
    truth : the teacher, (n, d) -> (n,), in real units; without it no tolerance is checked.
    target : the chip; None leaves it out.
    tolerance : the largest error allowed against the truth.
    allowed_rounding : how far C may be from ``model``, in the output's unit. With 0 every bit is
        demanded, of every compiler and chip.
    number : what the C function takes and returns.
    output : the format of the result of fixed point, whatever the function returns; None for
        arithmetic in floats.
    variants : macros, each of which selects another way of the C, such as NAME_TABLE_ONLY; they
        are compiled, analysed and self-tested too.
    answers_everywhere : whether the C has a stated answer, which ``model`` knows, outside the
        domain and to NaN; else the caller must not give such inputs, and none are tried.
    seed : of the points.
    seconds : limit of one run of the C, here or on the emulated chip.
    compilers : those to use; by default all that are found.
    announce : told what is done next, for people.
    """
    say = announce or (lambda what: None)
    subject = Subject(
        directory=Path(bundle_directory).resolve(),
        name=name,
        interface=make_interface(domain, number, output),
        variants=tuple(variants),
        answers_everywhere=answers_everywhere,
        seconds=seconds,
        model=model,
        truth=truth,
        tolerance=tolerance,
        allowed_rounding=allowed_rounding,
        fixed=output is not None,
    )
    return verify_subject(subject, inputs, target, points, seed=seed, compilers=compilers, say=say)


def verify_subject(
    subject: Subject,
    inputs: Array,
    target: Target | None,
    points: int,
    *,
    seed: int = 0,
    compilers: Sequence[HostCompiler] | None = None,
    say: Callable[[str], None] = lambda what: None,
) -> Evidence:
    """The checks of :func:`verify_bundle` on any C and its promises."""
    found = host_compilers() if compilers is None else tuple(compilers)
    vectors = subject.interface.inside(np.asarray(inputs, dtype=float))
    checks: list[Check] = []
    reports: dict[str, str] = {}
    # Zig would first build a C library for the host, half a minute: others link at once.
    linking = [compiler for compiler in found if compiler.family != "zig"] or found
    with tempfile.TemporaryDirectory(prefix="distill-") as folder_name:
        folder = Path(folder_name)
        for compiler in found:
            say(f"strict C with {compiler.name}")
            with reported(checks, f"strict C, {compiler.name}"):
                checks.append(check_strict(subject, compiler, folder))
        for compiler in linking:
            say(f"self-test and sanitizers with {compiler.name}")
            for what, check in _LINKED.items():
                with reported(checks, f"{what}, {compiler.name}"):
                    checks.append(check(subject, compiler, folder))
        say("static analysis")
        for analyse in (check_misra, check_values):
            with reported(checks, "static analysis"):
                outcome, texts = analyse(subject, folder)
                checks.append(outcome)
                reports |= texts
        host = None
        single = max(CHIP_NUMBERS // subject.signature.inputs, 1)
        chip = Points(vectors, subject.edges(CHIP_EDGES, seed + 1, single))
        if found:
            say(f"{points:,} points on the host")
            edges = subject.edges(4096, seed)
            on_host, host = run_checks(subject, found[0], folder, points, seed, edges, chip.all)
            checks += on_host
        else:
            checks.append(Check("host", None, "no C compiler was found; `distill doctor` helps"))
        if target is None:
            return Evidence(tuple(checks), None, reports)
        on_chip, cost = chip_checks(subject, target, chip, host, folder, say)
    return Evidence((*checks, *on_chip), cost, reports)


_LINKED: dict[str, Callable[[Subject, HostCompiler, Path], Check]] = {
    "self-test": check_selftest,
    "C++": check_cxx,
    "sanitizers": check_sanitizers,
}
