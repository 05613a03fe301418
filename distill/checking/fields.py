"""Reading plain data that nobody vouches for: every field is what it must be, or an error says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from distill.checking.refusals import CertificateError


def damaged(where: str, what: str) -> CertificateError:
    """The error for data that make no certificate."""
    return CertificateError(
        f"this is no certificate that can be checked: {what}.",
        where=where,
        hint="certificates are written by `distill export`; an edited one proves nothing.",
    )


def record(data: object, where: str) -> Mapping[str, object]:
    """A mapping."""
    if not isinstance(data, Mapping):
        raise damaged(where, "it is not an object with keys")
    return data


def keys(
    data: Mapping[str, object], where: str, needed: set[str], also: frozenset[str] = frozenset()
) -> Mapping[str, object]:
    """A mapping with these keys and, maybe, others that are known; with no key besides."""
    missing, unknown = needed - set(data), set(data) - needed - also
    if missing:
        raise damaged(where, f"`{min(missing)}` is missing")
    if unknown:
        raise damaged(where, f"`{min(unknown)[:40]}` is not known")
    return data


def number(value: object, where: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise damaged(where, "a number is needed")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or found != value:
        raise damaged(where, "a finite number of float64 is needed")
    return found


def numbers(value: object, where: str) -> list[float]:
    """A list of finite numbers."""
    if not isinstance(value, list):
        raise damaged(where, "a list of numbers is needed")
    return [number(item, where) for item in value]


def whole(value: object, where: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise damaged(where, "a whole number is needed")
    return value


def text(value: object, where: str, most: int = 10_000) -> str:
    """A text that is not too long."""
    if not isinstance(value, str) or len(value) > most:
        raise damaged(where, "a text is needed")
    return value


def one_of(value: object, where: str, choices: Sequence[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        raise damaged(where, f"one of {', '.join(choices)} is needed")
    return value
