"""Reading a certificate: all of it is checked to be what it must be before anything is computed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import numpy as np

from distill.chain.expression import Expression, read_expression
from distill.checking.cover import Guard, Split, read_splits
from distill.checking.fields import damaged, keys, number, numbers, record, text
from distill.checking.operations import Program, Source, program_of
from distill.checking.refusals import CannotCheck, CertificateError
from distill.checking.tables import Table, read_table
from distill.domain import Domain
from distill.errors import DistillError

VERSION = 1
KIND = "distill certificate"

LARGEST = 1 << 29
"""Bytes; a larger file is no certificate of a formula."""

MOST_INPUTS = 128
"""Second derivatives by more inputs are more than a certificate can have been proven with."""

NAMES = ("formula", "rounding", "table", "table rounding")

_KEYS = {
    "version", "kind", "domain", "output", "teacher", "formula", "table", "guard", "claims",
    "bound", "tolerance", "rests_on",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Claim:
    """One statement; ``splits`` is the tree of boxes, None where there is none."""

    name: str
    says: str
    bound: float
    splits: tuple[Split, ...] | None


@dataclass(frozen=True, eq=False)
class Certificate:
    """A certificate, read.

    ``same`` says that the formula is the teacher itself, to the byte; ``program`` is what the
    C does where the formula answers, ``source`` the file that is said to do it.
    """

    domain: Domain
    output: str
    unit: str
    teacher: Expression
    teacher_name: str
    fingerprint: str
    formula: Expression | None
    table: Table | None
    guard: Guard | None
    claims: Mapping[str, Claim]
    bound: float
    rests_on: tuple[str, ...]
    same: bool
    program: Program | None = None
    source: Source | None = None

    @property
    def total(self) -> Fraction:
        """What the claims add up to: formula or table, each with its rounding."""
        sums = [
            sum((Fraction(self.claims[n].bound) for n in pair if n in self.claims), Fraction(0))
            for pair in (("formula", "rounding"), ("table", "table rounding"))
        ]
        return max(sums)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    CertificateError : when it cannot be read, or is far too large.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise CertificateError(
            f"the certificate cannot be read: {error.strerror}.",
            where=str(path),
            hint="`distill export` writes certificate.json beside the C it proves.",
        ) from None
    if len(raw) > LARGEST:
        raise damaged(str(path), "it is far too large")
    return raw


def parse_certificate(raw: bytes) -> Certificate:
    """Read the bytes of a file.

    Raises
    ------
    CertificateError : when they are no certificate.
    """
    try:
        return _certificate(_json(raw))
    except CertificateError:
        raise
    except DistillError as error:
        raise CertificateError(
            f"this is no certificate that can be checked: {error.what}",
            where=error.where or "certificate",
            hint=error.hint,
        ) from error


def _json(raw: bytes) -> Mapping[str, object]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise damaged("certificate", "a key stands twice in one object")
        return found

    def endless(name: str) -> NoReturn:
        raise damaged("certificate", f"`{name}` is not a number")

    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=endless)
    except UnicodeDecodeError:
        raise damaged("certificate", "it is not text in UTF-8") from None
    except RecursionError:
        raise damaged("certificate", "it is nested too deeply") from None
    except ValueError as error:
        raise damaged("certificate", f"it is not JSON ({str(error)[:80]})") from None
    return record(data, "certificate")


def _certificate(data: Mapping[str, object]) -> Certificate:
    if data.get("kind") != KIND:
        raise damaged("kind", f"it does not say that it is a {KIND}")
    if data.get("version") != VERSION or isinstance(data["version"], bool):
        raise damaged("version", f"it is not of version {VERSION}")
    keys(data, "certificate", _KEYS, frozenset({"margin", "program", "source"}))
    domain = Domain.from_data(record(data["domain"], "domain"))
    if len(domain) > MOST_INPUTS:
        raise CannotCheck(f"functions of {len(domain)} inputs (at most {MOST_INPUTS})")
    output = keys(record(data["output"], "output"), "output", {"name", "unit"})
    given = record(data["teacher"], "teacher")
    keys(given, "teacher", {"name", "fingerprint", "expression"})
    form = record(given["expression"], "teacher")
    teacher = read_expression(form)
    _same_inputs(teacher, domain, "teacher")
    formula: Expression | None = None
    same = False
    if data["formula"] is not None:
        written = record(data["formula"], "formula")
        formula = read_expression(written)
        _same_inputs(formula, domain, "formula")
        same = type(formula) is type(teacher) and all(
            written[key] == form[key] for key in ("chain", "output", "text") if key in written
        )
    table = None if data["table"] is None else read_table(data["table"], len(domain))
    guard = _guard(data["guard"], data.get("margin"), domain)
    claims = _claims(data["claims"], len(domain))
    _fit(formula, table, guard, claims, domain)
    program, source = program_of(data, len(domain))
    if program is not None and "rounding" not in claims:
        raise damaged("claims", "`rounding` is missing, though there is a program")
    rests_on = data["rests_on"]
    if not isinstance(rests_on, list):
        raise damaged("rests_on", "it is not a list of sentences")
    if data["tolerance"] is not None:
        number(data["tolerance"], "tolerance")
    return Certificate(
        domain=domain,
        output=text(output["name"], "output"),
        unit=text(output["unit"], "output"),
        teacher=teacher,
        teacher_name=text(given["name"], "teacher"),
        fingerprint=text(given["fingerprint"], "teacher"),
        formula=formula,
        table=table,
        guard=guard,
        claims=claims,
        bound=number(data["bound"], "bound"),
        rests_on=tuple(text(sentence, "rests_on") for sentence in rests_on),
        same=same,
        program=program,
        source=source,
    )


def _same_inputs(expression: Expression, domain: Domain, where: str) -> None:
    kinds = [(v.name, v.discrete) for v in expression.domain.variables]
    if kinds != [(v.name, v.discrete) for v in domain.variables]:
        raise damaged(where, "its inputs are not those of the domain")


def _guard(data: object, margin: object, domain: Domain) -> Guard | None:
    if not isinstance(data, list):
        raise damaged("guard", "it is not a list of boxes")
    if not data:
        return None
    lows, highs = [], []
    for box in data:
        if not isinstance(box, list) or len(box) != 2:
            raise damaged("guard", "a box is not two lists of numbers")
        low, high = numbers(box[0], "guard"), numbers(box[1], "guard")
        if not len(low) == len(high) == len(domain):
            raise damaged("guard", f"a box does not have {len(domain)} inputs")
        lows.append(low)
        highs.append(high)
    low_array, high_array = np.array(lows), np.array(highs)
    if (low_array > high_array).any():
        raise damaged("guard", "a box is empty")
    if (low_array < domain.low).any() or (high_array > domain.high).any():
        raise damaged("guard", "a box reaches out of the domain")
    margins = [0.0] * len(domain) if margin is None else numbers(margin, "margin")
    if len(margins) != len(domain) or min(margins) < 0:
        raise damaged("margin", f"it is not {len(domain)} numbers from 0 on")
    return Guard(domain, low_array, high_array, np.array(margins))


def _claims(data: object, inputs: int) -> dict[str, Claim]:
    if not isinstance(data, list):
        raise damaged("claims", "they are not a list")
    claims: dict[str, Claim] = {}
    for item in data:
        row = keys(record(item, "claim"), "claim", {"name", "says", "bound", "splits"})
        name = text(row["name"], "claim")
        if name not in NAMES:
            raise CannotCheck(f"a claim called `{name[:40]}`")
        if name in claims:
            raise damaged("claims", f"`{name}` stands twice")
        bound = number(row["bound"], f"claim `{name}`")
        if bound < 0:
            raise damaged(f"claim `{name}`", "a bound is negative")
        splits = row["splits"]
        if splits is not None:
            splits = read_splits(splits, inputs, f"claim `{name}`")
        claims[name] = Claim(name, text(row["says"], "claim"), bound, splits)
    return claims


def _fit(
    formula: Expression | None,
    table: Table | None,
    guard: Guard | None,
    claims: Mapping[str, Claim],
    domain: Domain,
) -> None:
    """Whoever answers somewhere must have its claim."""
    whole = (tuple(domain.low.tolist()), tuple(domain.high.tolist()))
    everywhere = guard is not None and guard.surely_inside(whole)
    answers = {
        "formula": formula is not None and not everywhere,
        "table": table is not None and (guard is not None or formula is None),
    }
    if formula is None and table is None:
        raise damaged("certificate", "it has neither a formula nor a table")
    if guard is not None and table is None:
        raise damaged("guard", "there is a guard and no table behind it")
    if formula is None and guard is not None and not everywhere:
        raise damaged("guard", "there is a guard and no formula before it")
    for name, needed in answers.items():
        if needed and name not in claims:
            raise damaged("claims", f"`{name}` is missing")
        if not needed and name in claims:
            raise damaged("claims", f"there is one of a {name} that never answers")
    for name, of in (("rounding", "formula"), ("table rounding", "table")):
        if name in claims and of not in claims:
            raise damaged("claims", f"`{name}` stands without `{of}`")


def as_number(value: Fraction) -> float:
    """The least float64 number that is not below an exact one."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)
