"""Functions of each number alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, at_most, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import check_choice, check_count, check_finite, keep_numbers, wrong
from distill.chain.functions import FUNCTIONS, function_tree
from distill.chain.terms import divided, refuse_growth, shifted
from distill.formula.tree import Node, Number, Symbol, add, call, complexity, mul, postorder

Function = Literal[
    "tanh", "sigmoid", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin", "exp", "log",
    "sqrt", "square", "abs", "inv", "expm1", "log1p", "erf", "hardtanh", "relu6", "hardsigmoid",
    "hardswish", "identity", "sign", "cos", "softsign", "selu", "mish",
]  # fmt: skip
"""What stands between layers; ``parameter`` is its one parameter, where it has one."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One function applied to each of ``width`` numbers.

    ``parameter`` is leaky_relu's and elu's slope or alpha (0.01 and 1 by default in torch).
    ``distill.chain.functions`` has each function's operations in their order.

    Raises
    ------
    FormulaError : for an unknown function, or a width or parameter that is none.
    """

    function: Function
    width: int
    parameter: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self, "function", get_args(Function))
        check_count(self, "width")
        check_finite(self, "parameter")

    @property
    def inputs(self) -> int:
        """The width."""
        return self.width

    @property
    def outputs(self) -> int:
        """The width."""
        return self.width

    @property
    def stored(self) -> int:
        """The parameter, where there is one."""
        return int(self.function in ("leaky_relu", "elu"))

    @property
    def operations(self) -> int:
        """The function's for each number."""
        return self.width * FUNCTIONS[self.function].operations

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, width) at x (n, width)."""
        value = FUNCTIONS[self.function].value
        parameter = rounded(np.array(self.parameter), real)
        return computed(
            lambda columns: value(columns, parameter),
            x,
            real,
            inputs=self.width,
            outputs=self.width,
        )

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output, counted on a template."""
        template = function_tree(self.function, Symbol("x"), self.parameter)
        places = sum(isinstance(node, Symbol) for node in postorder(template))
        return [complexity(template) + places * (size - 1) for size in sizes]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The function of each tree; refused for erf and gelu."""
        refuse_growth(self, x)
        return [function_tree(self.function, node, self.parameter) for node in x]


@dataclass(frozen=True, eq=False)
class Scale:
    """``(x - shift) / divisor``, each (d,): what scalers do, in their two operations.

    A NaN stays a NaN.

    Raises
    ------
    FormulaError : when the shapes do not fit, numbers are not finite, or a divisor is 0.
    """

    shift: Array
    divisor: Array

    def __post_init__(self) -> None:
        keep_numbers(self, "shift", (-1,))
        keep_numbers(self, "divisor", self.shift.shape)
        if not self.divisor.all():
            raise wrong(self, "`divisor` holds a 0.", "take 1 for inputs that never vary.")

    @property
    def inputs(self) -> int:
        """The width."""
        return len(self.shift)

    @property
    def outputs(self) -> int:
        """The width."""
        return len(self.shift)

    @property
    def stored(self) -> int:
        """Shifts and divisors."""
        return 2 * len(self.shift)

    @property
    def operations(self) -> int:
        """A difference and a quotient each."""
        return 2 * len(self.shift)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, d) at x (n, d)."""
        shift, divisor = rounded(self.shift, real)[:, None], rounded(self.divisor, real)[:, None]
        return computed(
            lambda columns: (columns - shift) / divisor,
            x,
            real,
            inputs=self.inputs,
            outputs=self.outputs,
        )

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        rows = zip(sizes, self.shift, self.divisor, strict=True)
        return [size + 2 * bool(s) + 2 * bool(d != 1) for size, s, d in rows]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The quotients; shifts of 0 and divisors of 1 are left out."""
        refuse_growth(self, x)
        rows = zip(x, self.shift.tolist(), self.divisor.tolist(), strict=True)
        return [divided(shifted(node, s), d) for node, s, d in rows]


@dataclass(frozen=True, eq=False)
class Stretch:
    """``x * factor + offset``, each (d,), product and sum rounded; a NaN stays a NaN.

    Raises
    ------
    FormulaError : when the shapes do not fit, or numbers are not finite.
    """

    factor: Array
    offset: Array

    def __post_init__(self) -> None:
        keep_numbers(self, "factor", (-1,))
        keep_numbers(self, "offset", self.factor.shape)

    @property
    def inputs(self) -> int:
        """The width."""
        return len(self.factor)

    @property
    def outputs(self) -> int:
        """The width."""
        return len(self.factor)

    @property
    def stored(self) -> int:
        """Factors and offsets."""
        return 2 * len(self.factor)

    @property
    def operations(self) -> int:
        """A product and a sum each."""
        return 2 * len(self.factor)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, d) at x (n, d)."""
        factor, offset = rounded(self.factor, real)[:, None], rounded(self.offset, real)[:, None]
        return computed(
            lambda columns: columns * factor + offset,
            x,
            real,
            inputs=self.inputs,
            outputs=self.outputs,
        )

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        rows = zip(sizes, self.factor, self.offset, strict=True)
        return [size + 2 * bool(f != 1) + 2 * bool(o) for size, f, o in rows]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The products and sums; factors of 1 and offsets of 0 are left out."""
        refuse_growth(self, x)
        trees: list[Node] = []
        for node, f, o in zip(x, self.factor.tolist(), self.offset.tolist(), strict=True):
            product = mul(node, Number(f)) if f != 1 else node
            trees.append(add(product, Number(o)) if o else product)
        return trees


@dataclass(frozen=True, eq=False)
class Above:
    """1 where x is above its threshold (d,), else 0; 0 for a NaN.

    In float32 the threshold is the largest float32 up to it, so that every float32 x is decided
    as the threshold itself would decide it.

    Raises
    ------
    FormulaError : for thresholds that are not finite, or no vector.
    """

    threshold: Array

    def __post_init__(self) -> None:
        keep_numbers(self, "threshold", (-1,))

    @property
    def inputs(self) -> int:
        """The width."""
        return len(self.threshold)

    @property
    def outputs(self) -> int:
        """The width."""
        return len(self.threshold)

    @property
    def stored(self) -> int:
        """The thresholds."""
        return len(self.threshold)

    @property
    def operations(self) -> int:
        """The comparisons."""
        return len(self.threshold)

    def cuts(self, real: Real) -> Reals:
        """The thresholds (d,) that the C compares with."""
        return at_most(self.threshold, real)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, d) at x (n, d)."""
        cuts = self.cuts(real)[:, None]

        def kernel(columns: Reals) -> Reals:
            return (columns > cuts).astype(columns.dtype)

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        return [size + 4 for size in sizes]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """One choice each."""
        refuse_growth(self, x)
        rows = zip(x, self.threshold.tolist(), strict=True)
        return [call("ifless", Number(t), node, Number(1.0), Number(0.0)) for node, t in rows]
