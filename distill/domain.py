"""The input domain: a box of named variables with units, scales and kinds.

Everything downstream (tables, fixed point, proofs, worst-case search) rests on it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, cast, get_args

import numpy as np

from distill.arrays import Array
from distill.errors import DomainError
from distill.identifiers import why_not_a_line, why_not_identifier
from distill.reading import json_of

Scale = Literal["linear", "log"]
Kind = Literal["continuous", "integer", "boolean"]

VERSION = 1

SOBOL = 21_201
"""Up to so many variables there is a Sobol sequence."""

CORNERS = 2**20
"""Numbers in all corners together that are given at most: wide domains give fewer of them."""


def unit_points(d: int, n: int, rng: np.random.Generator) -> Array:
    """N points of the unit cube of d dimensions, evenly spread, shape (n, d)."""
    if d > SOBOL:
        return rng.random((n, d))
    from scipy.stats import qmc

    sobol = qmc.Sobol(d=d, scramble=True, rng=rng)
    points: Array = sobol.random_base2(max(0, math.ceil(math.log2(n))))[:n]
    return points


@dataclass(frozen=True, slots=True)
class Variable:
    """One input: its name (a C identifier), bounds (inclusive), unit, scale and kind.

    ``scale="log"`` says that points are spread evenly in the logarithm; both bounds are positive
    then. Integer and boolean variables take whole values only.

    Raises
    ------
    DomainError : for a name that is no identifier, bounds that are not finite or not low < high,
        a unit with control characters, an unknown scale or kind.
    """

    name: str
    low: float
    high: float
    unit: str = ""
    scale: Scale = "linear"
    kind: Kind = "continuous"

    def __post_init__(self) -> None:
        where = f"domain variable `{self.name}`"
        if why := why_not_identifier(self.name):
            raise DomainError(
                f"`{self.name}` cannot name a variable: {why}.",
                where=where,
                hint="rename it; the name becomes a C identifier in the generated code.",
            )
        if why := why_not_a_line(str(self.unit)):
            raise DomainError(
                f"{str(self.unit)!a} is no unit: {why}.", where=where, hint="write it in one line."
            )
        for key in ("low", "high"):
            try:
                value = float(getattr(self, key))
            except (TypeError, ValueError, OverflowError):
                raise DomainError(
                    f"`{key}` of `{self.name}` is not a number: {getattr(self, key)!r}.",
                    where=where,
                    hint=f"give `{key}` as a number in the variable's unit.",
                ) from None
            object.__setattr__(self, key, value)
        if not all(map(math.isfinite, (self.low, self.high, self.high - self.low))):
            raise DomainError(
                f"the bounds of `{self.name}` are not finite: [{self.low}, {self.high}].",
                where=where,
                hint="state the range that can occur on the device; every guarantee rests on it.",
            )
        if not self.low < self.high:
            raise DomainError(
                f"`{self.name}` needs low < high, but low = {self.low:g} and high = {self.high:g}.",
                where=where,
                hint="swap or correct the bounds; a constant input needs no variable.",
            )
        if self.scale not in get_args(Scale):
            raise DomainError(
                f"`{self.scale}` is not a scale.", where=where, hint="allowed: linear, log."
            )
        if self.kind not in get_args(Kind):
            raise DomainError(
                f"`{self.kind}` is not a kind of variable.",
                where=where,
                hint="allowed: continuous, integer, boolean.",
            )
        if self.scale == "log" and self.low <= 0:
            raise DomainError(
                f"`{self.name}` has scale=log but starts at {self.low:g}.",
                where=where,
                hint="use a positive low bound or scale=linear.",
            )
        if self.kind == "boolean" and (self.low, self.high) != (0.0, 1.0):
            raise DomainError(
                f"boolean `{self.name}` must have bounds 0 and 1.",
                where=where,
                hint="set low: 0 and high: 1.",
            )
        if self.kind == "integer" and not (self.low.is_integer() and self.high.is_integer()):
            raise DomainError(
                f"integer `{self.name}` has bounds that are not whole numbers.",
                where=where,
                hint="give whole bounds.",
            )

    @property
    def discrete(self) -> bool:
        """Whether only whole values occur."""
        return self.kind != "continuous"

    def from_unit(self, u: Array) -> Array:
        """Map u in [0, 1] onto the range, by the variable's scale and kind."""
        if self.discrete:
            count = self.high - self.low + 1
            return self.low + np.minimum(np.floor(u * count), count - 1)
        if self.scale == "log":
            low, high = math.log(self.low), math.log(self.high)
            return np.clip(np.exp(low + u * (high - low)), self.low, self.high)
        return np.clip(self.low + u * (self.high - self.low), self.low, self.high)

    def to_unit(self, x: Array) -> Array:
        """The inverse of :meth:`from_unit` (for discrete variables, the middle of the step)."""
        if self.discrete:
            return (x - self.low + 0.5) / (self.high - self.low + 1)
        if self.scale == "log":
            low, high = math.log(self.low), math.log(self.high)
            return (np.log(x) - low) / (high - low)
        return (x - self.low) / (self.high - self.low)


_KEYS = tuple(field.name for field in fields(Variable))


@dataclass(frozen=True, slots=True)
class Domain:
    """A box of :class:`Variable` in the order of the teacher's inputs."""

    variables: tuple[Variable, ...]

    def __post_init__(self) -> None:
        if not self.variables:
            raise DomainError("a domain needs at least one variable.", where="domain.variables")
        seen: set[str] = set()
        for name in self.names:
            if name.lower() in seen:
                raise DomainError(
                    f"two variables are called `{name}`.",
                    where="domain.variables",
                    hint="names must differ in more than their case.",
                )
            seen.add(name.lower())

    @classmethod
    def box(cls, **bounds: Sequence[object]) -> Domain:
        """A domain from ``name=(low, high)`` or ``name=(low, high, unit)`` pairs."""
        variables = []
        for name, entry in bounds.items():
            if not 2 <= len(entry) <= 3:
                raise DomainError(
                    f"`{name}` needs (low, high) or (low, high, unit), not {entry!r}.",
                    where=f"domain variable `{name}`",
                )
            unit = str(entry[2]) if len(entry) == 3 else ""
            variables.append(
                Variable(name, cast(float, entry[0]), cast(float, entry[1]), unit=unit)
            )
        return cls(tuple(variables))

    def __len__(self) -> int:
        return len(self.variables)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names, in order."""
        return tuple(v.name for v in self.variables)

    @property
    def low(self) -> Array:
        """Lower bounds, shape (d,)."""
        return np.array([v.low for v in self.variables])

    @property
    def high(self) -> Array:
        """Upper bounds, shape (d,)."""
        return np.array([v.high for v in self.variables])

    @property
    def discrete(self) -> bool:
        """Whether every variable takes whole values only."""
        return all(v.discrete for v in self.variables)

    def from_unit(self, u: Array) -> Array:
        """Map points of the unit cube (n, d) into the box, by scale and kind."""
        x = np.clip(self.low + u * (self.high - self.low), self.low, self.high)
        for i, v in enumerate(self.variables):
            if v.discrete or v.scale == "log":
                x[:, i] = v.from_unit(u[:, i])
        return x

    def to_unit(self, x: Array) -> Array:
        """Map points of the box (n, d) into the unit cube."""
        u = (x - self.low) / (self.high - self.low)
        for i, v in enumerate(self.variables):
            if v.discrete or v.scale == "log":
                u[:, i] = v.to_unit(x[:, i])
        return u

    def contains(self, x: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows of x (n, d) lie in the box, shape (n,)."""
        inside = ((x >= self.low) & (x <= self.high)).all(axis=1)
        return cast("np.ndarray[tuple[int], np.dtype[np.bool_]]", inside)

    def clip(self, x: Array) -> Array:
        """The nearest points of the box; whole values for discrete variables."""
        clipped = np.clip(x, self.low, self.high)
        for i, v in enumerate(self.variables):
            if v.discrete:
                clipped[:, i] = np.round(clipped[:, i])
        return clipped

    def sample(self, n: int, seed: int = 0) -> Array:
        """N points of a scrambled Sobol sequence (Owen 1998), shape (n, d), spread by scale.

        Random ones where there are more variables than such sequences have.
        """
        if n < 1:
            raise DomainError(f"cannot draw {n} points.", hint="ask for one point at least.")
        return self.from_unit(unit_points(len(self), n, np.random.default_rng(seed)))

    def corners(self) -> Array:
        """The 2^d corners, shape (2^d, d); at most 2^12 of them, the first ones.

        Fewer where there are more than 256 variables, so that they hold ``CORNERS`` numbers at most
        (two at least).
        """
        d = min(len(self), 12, max(1, int(math.log2(CORNERS / len(self)))))
        bits = (np.arange(2**d)[:, None] >> np.arange(len(self))[None, :].clip(max=62)) & 1
        return np.where(bits == 1, self.high, self.low)

    def to_json(self) -> str:
        """A versioned JSON text; :meth:`from_json` reads it back."""
        return json.dumps(
            {
                "version": VERSION,
                "variables": [{key: getattr(v, key) for key in _KEYS} for v in self.variables],
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Domain:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        DomainError : when the text is no domain, or of another version.
        """
        try:
            data = json_of(text)
        except ValueError as error:
            raise DomainError(f"not a domain: {error}.") from None
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Domain:
        """Read the parsed form of :meth:`to_json`."""
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            raise DomainError(
                f"not a domain of version {VERSION}.",
                hint="write it again with this version of distill.",
            )
        rows = data.get("variables")
        allowed = set(Variable.__dataclass_fields__)
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and {"name", "low", "high"} <= set(row) <= allowed for row in rows
        ):
            raise DomainError(
                "every variable needs name, low and high.",
                where="domain.variables",
                hint=f"allowed keys: {', '.join(sorted(allowed))}.",
            )
        return cls(tuple(Variable(**row) for row in rows))
