"""Verifying a bundle: strict compilers, sanitizers, a million points, and the emulated chip."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.evidence import Check, Evidence
from distill.firmware.harness import Number, Signature
from distill.firmware.subject import Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import HostCompiler, host_compilers
from distill.firmware.verify_chip import chip_checks
from distill.firmware.verify_host import (
    check_cxx,
    check_sanitizers,
    check_selftest,
    check_strict,
    run_checks,
)

__all__ = ["verify_bundle"]


def verify_bundle(
    bundle_directory: Path,
    name: str,
    inputs: Array,
    model: Callable[[Array], Array],
    truth: Callable[[Array], Array] | None,
    tolerance: float,
    allowed_rounding: float,
    target: Target,
    points: int = 1_000_000,
    *,
    domain: Domain,
    number: Number = "float32",
    variants: Sequence[str] = (),
    answers_everywhere: bool = True,
    seed: int = 0,
    compilers: Sequence[HostCompiler] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Evidence:
    """Check a written bundle on this machine and on the emulated target.

    With every C compiler found: no warning under strict flags. With gcc and clang, or with zig
    where it is alone: the self-test passes, the header serves C++, no sanitizer objects to edge
    inputs. Then ``points`` points of the domain on the host, and ``inputs`` on the emulated chip,
    against Python's model and the truth; at last the target's limits. A check that this machine
    cannot do is kept as not run.

    Parameters
    ----------
    bundle_directory : the folder with NAME.h, NAME.c, NAME_selftest.c and main.c.
    inputs : vectors (n, d) for the chip, of the domain.
    model : what the C answers, (n, d) -> (n,); it gets numbers that C's type can hold.
    truth : the teacher, (n, d) -> (n,); without it no tolerance is checked.
    tolerance : the largest error allowed against the truth.
    allowed_rounding : how far C may be from ``model``.
    variants : macros, each of which selects another way of the C, such as NAME_TABLE_ONLY; they
        are compiled and self-tested too.
    answers_everywhere : whether the C has a stated answer, which ``model`` knows, outside the
        domain and to NaN; else the caller must not give such inputs, and none are tried.
    seed : of the points.
    compilers : those to use; by default all that are found.
    announce : told what is done next, for people.

    Raises
    ------
    ToolchainError : when a tool does not end in time.
    """
    say = announce or (lambda what: None)
    subject = Subject(
        Path(bundle_directory).resolve(),
        name,
        Signature(len(domain), number),
        domain,
        model,
        truth,
        tolerance,
        allowed_rounding,
        tuple(variants),
        answers_everywhere,
    )
    found = host_compilers() if compilers is None else tuple(compilers)
    vectors = subject.inside(np.asarray(inputs, dtype=float))
    checks: list[Check] = []
    with tempfile.TemporaryDirectory(prefix="distill-") as folder_name:
        folder = Path(folder_name)
        edges = subject.edges(4096, seed)
        # Zig would first build a C library for the host, half a minute: others link at once.
        linking = [compiler for compiler in found if compiler.family != "zig"] or found
        for compiler in found:
            say(f"strict C with {compiler.name}")
            checks.append(check_strict(subject, compiler, folder))
        for compiler in linking:
            say(f"self-test and sanitizers with {compiler.name}")
            checks.append(check_selftest(subject, compiler, folder))
            checks.append(check_cxx(subject, compiler, folder))
            checks.append(check_sanitizers(subject, compiler, folder, edges))
        host = None
        if found:
            say(f"{points:,} points on the host")
            on_host, host = run_checks(subject, found[0], folder, points, seed, edges, vectors)
            checks += on_host
        else:
            checks.append(Check("host", None, "no C compiler was found; `distill doctor` helps"))
        say(f"{len(vectors):,} vectors on the emulated {target.name}")
        on_chip, cost = chip_checks(subject, target, vectors, host, folder)
    return Evidence((*checks, *on_chip), cost)
