"""Networks made of polynomials, and their squared loss as an exact polynomial in the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from distill.errors import ConfigError

if TYPE_CHECKING:
    import flint

MAX_WEIGHTS = 8
"""More weights are refused: the algebra grows exponentially in them."""

MAX_TERMS = 20_000
"""A loss of more terms is refused before it is differentiated."""

Kind = Literal["linear", "square", "product"]


@dataclass(frozen=True, slots=True)
class Node:
    """One hidden node, and what it counts in the output.

    Attributes
    ----------
    kind : ``linear``: ``w.x``; ``square``: ``(w.x)^2``; ``product``: the product of the inputs in
        ``inputs``, without weights of its own.
    output : its factor in the output: a fraction, or None for a weight of its own.
    inputs : the numbers of the inputs it reads; None for all.
    """

    kind: Kind
    output: Fraction | None = None
    inputs: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class PolynomialNetwork:
    """``sum over the nodes of output * node(x)``, with a constant weight where ``bias``.

    Raises
    ------
    ConfigError : for no nodes, unknown inputs, or more than 8 weights.
    """

    inputs: int
    nodes: tuple[Node, ...]
    bias: bool = False

    def __post_init__(self) -> None:
        if not self.nodes or self.inputs < 1:
            raise ConfigError("a polynomial network needs an input and a node.")
        for number, node in enumerate(self.nodes):
            if any(not 0 <= i < self.inputs for i in node.inputs or ()) or node.inputs == ():
                raise ConfigError(
                    f"node {number} reads inputs {node.inputs}; there are {self.inputs}.",
                    hint="count them from 0.",
                )
        if not 1 <= len(self.weights) <= MAX_WEIGHTS:
            raise ConfigError(
                f"the network has {len(self.weights)} weights; 1 to {MAX_WEIGHTS} can be solved "
                "for all critical points.",
                hint="take fewer nodes, or fix their outputs to numbers.",
            )

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of the weights: ``w1_2`` leads from input 2 into node 1, ``v1`` out of it."""
        found: list[str] = []
        for number, node in enumerate(self.nodes, start=1):
            if node.kind != "product":
                found += [f"w{number}_{i + 1}" for i in self._inputs(node)]
        found += [f"v{n}" for n, node in enumerate(self.nodes, start=1) if node.output is None]
        return (*found, "b") if self.bias else tuple(found)

    def output(
        self, x: Sequence[Fraction], weights: Mapping[str, flint.fmpq_mpoly]
    ) -> flint.fmpq_mpoly:
        """The output at one point as a polynomial in the weights, given as generators."""
        one = next(iter(weights.values())) ** 0
        found = weights["b"] if self.bias else 0 * one
        for number, node in enumerate(self.nodes, start=1):
            value = one
            if node.kind == "product":
                for i in self._inputs(node):
                    value = value * rational(x[i])
            else:
                value = 0 * one
                for i in self._inputs(node):
                    value += weights[f"w{number}_{i + 1}"] * rational(x[i])
            if node.kind == "square":
                value = value * value
            factor = weights[f"v{number}"] if node.output is None else rational(node.output)
            found += factor * value
        return found

    def _inputs(self, node: Node) -> tuple[int, ...]:
        return tuple(range(self.inputs)) if node.inputs is None else node.inputs


@dataclass(frozen=True, slots=True)
class DataSet:
    """Rows x and answers y as fractions, so that nothing is rounded.

    Raises
    ------
    ConfigError : for no rows, or rows of different lengths.
    """

    x: tuple[tuple[Fraction, ...], ...]
    y: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if not self.x or len(self.x) != len(self.y) or len({len(row) for row in self.x}) != 1:
            raise ConfigError(
                "a data set needs rows of one length and an answer to each of them.",
            )


def data_set(x: Sequence[Sequence[float]], y: Sequence[float]) -> DataSet:
    """A data set of numbers that floats or fractions hold exactly."""
    rows = tuple(tuple(Fraction(value) for value in row) for row in x)
    return DataSet(rows, tuple(Fraction(value) for value in y))


XOR = data_set([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
"""Exclusive or, true and false as 1 and 0."""


def squared_loss(
    network: PolynomialNetwork, data: DataSet, order: Sequence[str] | None = None
) -> flint.fmpq_mpoly:
    """The sum over the rows of the squared residuals, a polynomial in the weights.

    Parameters
    ----------
    order : the order of the weights in the polynomial ring; None for that of the network.

    Raises
    ------
    ConfigError : for rows that do not fit the network, names that are not its weights, or a loss
        of more than 20,000 terms.
    """
    import flint

    names = tuple(order or network.weights)
    if sorted(names) != sorted(network.weights):
        raise ConfigError(
            f"the order {', '.join(names)} does not name the network's weights once each.",
            hint=f"its weights: {', '.join(network.weights)}.",
        )
    if len(data.x[0]) != network.inputs:
        raise ConfigError(
            f"the rows have {len(data.x[0])} inputs, the network {network.inputs}.",
        )
    ring = flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex)
    weights = dict(zip(names, ring.gens(), strict=True))
    loss = ring.from_dict({})
    for x, y in zip(data.x, data.y, strict=True):
        residual = network.output(x, weights) - rational(y)
        loss += residual * residual
        if len(loss) > MAX_TERMS:
            raise ConfigError(
                f"the loss has more than {MAX_TERMS:,} terms.",
                hint="take fewer inputs or nodes.",
            )
    return loss


def rational(value: Fraction) -> flint.fmpq:
    """A fraction in flint's own type."""
    import flint

    return flint.fmpq(value.numerator, value.denominator)


def fraction(value: flint.fmpq) -> Fraction:
    """A fraction from flint's own type."""
    return Fraction(int(value.p), int(value.q))
