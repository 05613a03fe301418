"""Ideals of polynomials with rational coefficients: Groebner bases and arithmetic modulo them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import combinations
from math import lcm
from typing import TYPE_CHECKING, cast

from distill.errors import ConfigError

if TYPE_CHECKING:
    import flint

Monomial = tuple[int, ...]

MAX_POLYNOMIALS, MAX_LENGTH, MAX_BITS = 600, 4000, 4000
"""Where the computation of a basis is given up."""

MAX_SOLUTIONS = 120
"""More solutions, complex ones counted with their multiplicity, are refused."""

MAX_REDUCED = 20_000
"""Remainders of monomials that are kept at most."""


class TooHardError(ConfigError):
    """The algebra grows past its limits."""


class Ideal:
    """All combinations of some polynomials, by a reduced Groebner basis in degrevlex order.

    Raises
    ------
    ConfigError : when the basis grows past the limits.
    """

    def __init__(self, polynomials: Iterable[flint.fmpq_mpoly]) -> None:
        import flint

        given = self.generators = [p for p in polynomials if len(p)]
        self.ring = given[0].context()
        self.names: tuple[str, ...] = tuple(self.ring.names())
        whole = flint.fmpz_mpoly_ctx.get(self.names, flint.Ordering.degrevlex)
        vector = flint.fmpz_mpoly_vec([whole.from_dict(_whole(p)) for p in given], whole)
        limits = (MAX_POLYNOMIALS, MAX_LENGTH, MAX_BITS)
        basis, done = cast("tuple[flint.fmpz_mpoly_vec, bool]", vector.buchberger_naive(limits))
        if not done:
            raise _too_hard("its Groebner basis grows past the limits")
        reduced = [p for p in basis.autoreduction() if len(p)]
        self.leading: list[Monomial] = [tuple(map(int, p.monoms()[0])) for p in reduced]
        self.tails = [_tail(p) for p in reduced]
        self._known: dict[Monomial, dict[Monomial, flint.fmpq]] = {}

    @property
    def everything(self) -> bool:
        """Whether there is no common zero, not even a complex one."""
        return any(not any(m) for m in self.leading)

    @cached_property
    def independent(self) -> list[tuple[int, ...]]:
        """All largest sets of unknowns between which nothing holds."""
        count = len(self.names)
        for size in range(count, -1, -1):
            found = [
                chosen
                for chosen in combinations(range(count), size)
                if all(any(m[i] for i in range(count) if i not in chosen) for m in self.leading)
            ]
            if found:
                return found
        return []

    @property
    def free(self) -> tuple[int, ...]:
        """The first of these sets; the number of its unknowns is the dimension."""
        return self.independent[0] if self.independent else ()

    @cached_property
    def standard(self) -> list[Monomial]:
        """The monomials that no leading one divides; of dimension 0 only.

        Raises
        ------
        ConfigError : when there are more than 120.
        """
        found: list[Monomial] = []
        seen = {(0,) * len(self.names)}
        todo = list(seen)
        while todo:
            monomial = todo.pop(0)
            if any(_divides(m, monomial) for m in self.leading):
                continue
            found.append(monomial)
            if len(found) > MAX_SOLUTIONS:
                raise _too_hard(f"it has more than {MAX_SOLUTIONS} complex critical points")
            for i in range(len(monomial)):
                after = (*monomial[:i], monomial[i] + 1, *monomial[i + 1 :])
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return found

    def remainder(self, terms: dict[Monomial, flint.fmpq]) -> dict[Monomial, flint.fmpq]:
        """What is left of a polynomial modulo the ideal."""
        found: dict[Monomial, flint.fmpq] = {}
        for monomial, factor in terms.items():
            for m, c in self._monomial(monomial).items():
                found[m] = found.get(m, 0) + factor * c
        return {m: c for m, c in found.items() if c != 0}

    def product(
        self, a: dict[Monomial, flint.fmpq], b: dict[Monomial, flint.fmpq]
    ) -> dict[Monomial, flint.fmpq]:
        """The remainder of a product."""
        found: dict[Monomial, flint.fmpq] = {}
        for m, c in a.items():
            for n, d in b.items():
                key = tuple(i + j for i, j in zip(m, n, strict=True))
                found[key] = found.get(key, 0) + c * d
        return self.remainder(found)

    def _monomial(self, monomial: Monomial) -> dict[Monomial, flint.fmpq]:
        """The remainder of one monomial: of its tail, or of a smaller one times an unknown."""
        import flint

        if monomial in self._known:
            return self._known[monomial]
        if len(self._known) > MAX_REDUCED:
            raise _too_hard("reducing its powers takes too many steps")
        divisor = next((i for i, m in enumerate(self.leading) if _divides(m, monomial)), None)
        if divisor is None:
            found = {monomial: flint.fmpq(1)}
        elif self.leading[divisor] == monomial:
            found = self.remainder(self.tails[divisor])
        else:
            leading = self.leading[divisor]
            at = next(i for i, (a, b) in enumerate(zip(monomial, leading, strict=True)) if a > b)
            smaller = (*monomial[:at], monomial[at] - 1, *monomial[at + 1 :])
            found = self.remainder(
                {(*m[:at], m[at] + 1, *m[at + 1 :]): c for m, c in self._monomial(smaller).items()}
            )
        self._known[monomial] = found
        return found


def terms_of(polynomial: flint.fmpq_mpoly) -> dict[Monomial, flint.fmpq]:
    """A polynomial as exponents and factors."""
    return {tuple(map(int, m)): c for m, c in polynomial.to_dict().items()}


def _whole(polynomial: flint.fmpq_mpoly) -> dict[Monomial, int]:
    """The same polynomial times the common denominator of its factors."""
    terms = terms_of(polynomial)
    common = lcm(*(int(c.q) for c in terms.values()))
    return {m: int(c.p) * (common // int(c.q)) for m, c in terms.items()}


def _tail(polynomial: flint.fmpz_mpoly) -> dict[Monomial, flint.fmpq]:
    """What a polynomial's leading monomial equals modulo it."""
    import flint

    monomials, factors = polynomial.monoms(), polynomial.coeffs()
    return {
        tuple(map(int, m)): flint.fmpq(-c, factors[0])
        for m, c in zip(monomials[1:], factors[1:], strict=True)
    }


def _divides(a: Sequence[int], b: Sequence[int]) -> bool:
    return all(i <= j for i, j in zip(a, b, strict=True))


def _too_hard(why: str) -> TooHardError:
    return TooHardError(
        f"the critical points of this network cannot all be found: {why}.",
        where="the polynomial network",
        hint="take fewer weights or nodes, or fix the nodes' outputs to numbers.",
    )
