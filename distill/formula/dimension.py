"""What a unit measures: the text of a unit, read by pint, as powers of base dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from distill.errors import DomainError

if TYPE_CHECKING:
    import pint

MAX_TEXT = 100
"""Longer texts are no units."""

LARGEST_DENOMINATOR = 1000
"""Of an exponent; fitted exponents come as decimals."""

_WORD = re.compile(r"[°Δ%‰]?[^\W\d]\w*|[%‰°]")
_GLUED = re.compile(r"(?<![\w.])([^\W\d_]+)([-+]?\d+)")

Powers = tuple[tuple[str, Fraction], ...]


def _powers(pairs: Iterable[tuple[str, Fraction]]) -> Powers:
    """The pairs with equal names added up, without zeros, in the order of the names."""
    total: dict[str, Fraction] = {}
    for name, exponent in pairs:
        total[name] = total.get(name, Fraction(0)) + exponent
    return tuple(sorted((name, e) for name, e in total.items() if e))


@dataclass(frozen=True, slots=True)
class Dimension:
    """Powers of base dimensions: ``(("length", 1), ("time", -1))`` for a speed; () for a number."""

    powers: Powers = ()

    @classmethod
    def of(cls, **powers: float | Fraction) -> Dimension:
        """``Dimension.of(length=1, time=-1)`` is a speed."""
        return cls(_powers((name, Fraction(e)) for name, e in powers.items()))

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(_powers((*self.powers, *other.powers)))

    def __truediv__(self, other: Dimension) -> Dimension:
        return self * other**-1

    def __pow__(self, exponent: float | Fraction) -> Dimension:
        return Dimension(_powers((name, e * Fraction(exponent)) for name, e in self.powers))

    def __str__(self) -> str:
        return powers_text(self.powers)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as its user spelled it: ``atoms`` are ``(("km", 1), ("h", -1))`` for ``km/h``."""

    atoms: Powers
    dimension: Dimension

    def __mul__(self, other: Unit) -> Unit:
        return Unit(_powers((*self.atoms, *other.atoms)), self.dimension * other.dimension)

    def __pow__(self, exponent: float | Fraction) -> Unit:
        e = Fraction(exponent)
        return Unit(_powers((name, p * e) for name, p in self.atoms), self.dimension**e)

    def __str__(self) -> str:
        return powers_text(self.atoms)


PURE = Unit((), Dimension())
"""The unit of a number without any."""


def powers_text(powers: Powers) -> str:
    """The powers as a person writes them: ``W/(m^2*K)``, ``1/degC``; ``1`` for none."""
    above = [_power_text(name, e) for name, e in powers if e > 0]
    below = [_power_text(name, -e) for name, e in powers if e < 0]
    top = "*".join(above) or "1"
    if not below:
        return top
    return f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({'*'.join(below)})"


def _power_text(name: str, exponent: Fraction) -> str:
    if exponent == 1:
        return name
    return f"{name}^{exponent}" if exponent.denominator == 1 else f"{name}^({exponent})"


def dimension(unit: str) -> Dimension | None:
    """What ``unit`` measures; None where none is stated (``""``) or the text is not understood.

    ``1``, ``percent``, ``rad`` measure nothing: they are pure numbers. ``degC`` and ``degF`` are
    temperatures; where their zero lies makes no difference to a dimension.
    """
    read = read_unit(unit)
    return None if read is None else read.dimension


@cache
def read_unit(text: str) -> Unit | None:
    """The unit, or None where none is stated or the text is not understood."""
    if not text.strip() or len(text) > MAX_TEXT:
        return None
    # `W/(m2 K)` and `m s-1` are written in many a data sheet, but not known to pint.
    parsed = _parsed(text)
    if parsed is None:
        text = _GLUED.sub(r"\1^\2", text)
        parsed = _parsed(text)
    if parsed is None:
        return None
    registry = _registry()
    spelled = {}
    for word in _WORD.findall(text):
        alone = _parsed(word)
        if alone is not None and len(alone) == 1 and next(iter(alone.values())) == 1:
            spelled[next(iter(alone))] = word
    base = registry.get_dimensionality(registry.UnitsContainer(parsed))
    try:
        dimensions = [(str(name).strip("[]"), _exponent(e)) for name, e in base.items()]
        atoms = [(spelled.get(name, name), _exponent(e)) for name, e in parsed.items()]
    except (OverflowError, ValueError):
        return None
    return Unit(_powers(atoms), Dimension(_powers(dimensions)))


def _exponent(value: object) -> Fraction:
    return Fraction(float(str(value))).limit_denominator(LARGEST_DENOMINATOR)


def _parsed(text: str) -> dict[str, float] | None:
    """Names of units as pint has them, with their exponents."""
    try:
        units = _registry().parse_units(text)
        found: dict[str, float] = {}
        for name, e in units._units.items():
            # Temperatures become differences in a product; to a dimension that is the same.
            plain = str(name).removeprefix("delta_")
            found[plain] = found.get(plain, 0.0) + float(str(e))
    except Exception:  # pint raises whatever its parser meets: AssertionError, TypeError, ...
        return None
    return found if all(map(math.isfinite, found.values())) else None


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def require_units(units: Mapping[str, str]) -> None:
    """Refuse units that are stated and not understood; ``units`` maps what has them to their text.

    Raises
    ------
    DomainError : naming the first of them.
    """
    for name, text in units.items():
        if text.strip() and read_unit(text) is None:
            raise DomainError(
                f"`{text}` is not a unit.",
                where=f"unit of `{name}`",
                hint="write it as `degC`, `m/s`, `W/(m^2*K)`, `percent`, or `1` for a pure number; "
                "leave it empty where it is unknown.",
            )
