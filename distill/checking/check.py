"""Checking a certificate: every claim that has a tree of boxes is verified on every box."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from distill.checking.certificate import Certificate, Claim, as_number, parse_certificate
from distill.checking.coded import coded
from distill.checking.cover import leaves
from distill.checking.fields import damaged
from distill.checking.leaf import BUDGET, Box, Failure
from distill.checking.refusals import CannotCheck, Rejected
from distill.checking.workers import run_all, sides

PROGRAM_BUDGET = 1_000
"""Into how many boxes one is divided at most for the C's operations: rounding that does not get
smaller with the box is not to take for ever."""

Tell = Callable[[float | None, str], None]
"""Is told the share that is done and what is done."""


@dataclass(frozen=True)
class Verdict:
    """A certificate that was accepted.

    Attributes
    ----------
    bound : of the certificate, in the output's unit.
    checked : the claims that were verified here, by name, with their bounds.
    believed : the claims that were taken from the certificate, likewise.
    reasons : why, by name, where there was something to check them by.
    leaves : how many boxes the certificate has.
    boxes : how many boxes were bounded for them.
    seconds : what it took.
    """

    bound: float
    checked: tuple[tuple[str, float], ...]
    believed: tuple[tuple[str, float], ...]
    leaves: int
    boxes: int
    seconds: float
    reasons: Mapping[str, str] = field(default_factory=dict)


def check(
    raw: bytes, *, jobs: int = 1, budget: int = BUDGET, tell: Tell | None = None
) -> tuple[Certificate, Verdict]:
    """Check the bytes of a certificate.

    Parameters
    ----------
    jobs : how many processes work at once.
    budget : into how many boxes one box of the certificate is divided at most.

    Raises
    ------
    CertificateError : when it is no certificate, or speaks of what cannot be checked.
    Rejected : when a claim does not hold, or could not be shown to hold.
    """
    start = time.monotonic()
    certificate = parse_certificate(raw)
    if Fraction(certificate.bound) < certificate.total:
        raise Rejected(
            f"rejected: the bound is {certificate.bound!r}, but its claims add up to "
            f"{as_number(certificate.total)!r}.",
            where="bound",
            hint="the file was edited, or written wrongly; export it again.",
        )
    checked: list[tuple[str, float]] = []
    believed: list[tuple[str, float]] = []
    reasons: dict[str, str] = {}
    total, counted = 0, 0
    for name, claim in certificate.claims.items():
        if name == "rounding" and certificate.program is not None:
            boxes, why = _check_program(raw, certificate, jobs, budget, tell)
            counted += boxes
            (believed if why else checked).append((name, claim.bound))
            if why:
                reasons[name] = why
            continue
        if name not in ("formula", "table"):
            believed.append((name, claim.bound))
            continue
        found, boxes = _check_claim(raw, certificate, claim, jobs, budget, tell)
        total, counted = total + found, counted + boxes
        checked.append((name, claim.bound))
    seconds = time.monotonic() - start
    return certificate, Verdict(
        certificate.bound, tuple(checked), tuple(believed), total, counted, seconds, reasons
    )


def _check_claim(
    raw: bytes,
    certificate: Certificate,
    claim: Claim,
    jobs: int,
    budget: int,
    tell: Tell | None,
) -> tuple[int, int]:
    """How many leaves the claim has, and how many boxes were bounded."""
    if claim.name == "formula" and certificate.same:
        return 0, 0  # the formula is the teacher: nothing is between them
    where = f"claim `{claim.name}`"
    sides(certificate, claim.name)  # refused before anything is started
    boxes = list(_verified_leaves(certificate, claim, where))
    done = bounded = 0
    for count, results in run_all(raw, claim, boxes, jobs, budget):
        done += count
        for number, failure in results:
            bounded += number
            if failure is not None:
                raise _rejected(certificate, claim, failure)
        if tell is not None:
            tell(done / len(boxes), f"{claim.name}: {done:,} of {len(boxes):,} boxes")
    return len(boxes), bounded


def _check_program(
    raw: bytes, certificate: Certificate, jobs: int, budget: int, tell: Tell | None
) -> tuple[int, str]:
    """Verify the C's own operations against the teacher, formula and rounding together.

    Gives how many boxes were bounded, and why it could not be verified; "" where it was.

    Raises
    ------
    Rejected : when the C surely is further off at some point.
    """
    try:
        coded(certificate)
    except CannotCheck as error:
        return 0, f"there is no enclosure of {error.part}"
    formula, claim = certificate.claims["formula"], certificate.claims["rounding"]
    if not formula.bound + claim.bound > 0:
        return 0, "the bound is zero"
    boxes = list(_verified_leaves(certificate, formula, "claim `formula`"))
    done = bounded = 0
    for count, results in run_all(raw, claim, boxes, jobs, min(budget, PROGRAM_BUDGET)):
        done += count
        for number, failure in results:
            bounded += number
            if failure is None:
                continue
            if failure.certain:
                raise _rejected(certificate, _together(formula, claim), failure)
            return bounded, _inconclusive(certificate, failure)
        if tell is not None:
            tell(done / len(boxes), f"the C's operations: {done:,} of {len(boxes):,} boxes")
    return bounded, ""


def _together(formula: Claim, rounding: Claim) -> Claim:
    """What formula and rounding say of the C."""
    total = as_number(Fraction(formula.bound) + Fraction(rounding.bound))
    return Claim("C", "", total, None)


def _inconclusive(certificate: Certificate, failure: Failure) -> str:
    unit = f" {certificate.unit}" if certificate.unit else ""
    known = failure.reached < float("inf")
    why = failure.why or (
        f"it could only be bounded by {failure.reached:.6g}{unit}" if known else "it has no bound"
    )
    return f"{why}, around {describe(certificate, failure)}"


def _verified_leaves(certificate: Certificate, claim: Claim, where: str) -> Iterator[Box]:
    """The leaves on which the claim must hold; the others are checked to be others."""
    guard = certificate.guard
    splits = claim.splits if claim.splits is not None else (-1,)
    for box, elsewhere in leaves(splits, certificate.domain, where):
        if not elsewhere:
            yield box
            continue
        if guard is None:
            raise damaged(where, "a box is left out, but there is no guard")
        side = guard.surely_inside(box) if claim.name == "formula" else guard.surely_outside(box)
        if not side:
            other = "table" if claim.name == "formula" else "formula"
            raise Rejected(
                f"rejected: a box is left out of the claim `{claim.name}`, but the {other} does "
                "not surely answer on all of it.",
                where=describe(certificate, Failure(*box, 0.0, False)),
                hint="the file was edited, or written wrongly; export it again.",
            )


def _rejected(certificate: Certificate, claim: Claim, failure: Failure) -> Rejected:
    unit = f" {certificate.unit}" if certificate.unit else ""
    size = f"{failure.reached:.6g}{unit}"
    if failure.certain and failure.why:
        found = f"has no value: {failure.why}"
    elif failure.certain:
        found = f"is {size}"
    elif failure.reached == float("inf"):
        found = "could not be bounded"
    else:
        found = f"could only be bounded by {size}"
    return Rejected(
        f"rejected: |{claim.name} - teacher| {found}, where the certificate claims "
        f"{claim.bound:.6g}{unit}.",
        where=describe(certificate, failure),
        hint="the claim is wrong there: do not rely on it."
        if failure.certain
        else "the claim may hold, but was not verified; a larger budget=N tries harder.",
    )


def describe(certificate: Certificate, failure: Failure) -> str:
    """The box in words, such as ``x in [0, 1], y = 2``."""
    return ", ".join(
        f"{name} = {low!r}" if low == high else f"{name} in [{low!r}, {high!r}]"
        for name, low, high in zip(certificate.domain.names, failure.low, failure.high, strict=True)
    )
