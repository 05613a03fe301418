"""Demands on a formula as a loss in Julia, so that PySR's search keeps to them.

The loss is the square of the RMS error plus ``WEIGHT`` times how far each demand is missed at
worst. Squares of what is missed alone would leave every fit a little on the wrong side, where it is
dropped afterwards; so the border itself is the best place (an exact penalty), at any error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from distill.domain import Domain, Variable
from distill.engines.constraints import Constraints

NAME = "distill_loss"

WEIGHT = 10.0
"""A demand that is missed by something is as bad as an RMS error of so many times that."""

STEPS = 32
"""Outputs are compared over so many parts of a variable's range."""

PLAIN = "sum(abs2, values .- dataset.y) / length(values)"
WEIGHTED = "sum(abs2.(values .- dataset.y) .* dataset.weights) / sum(dataset.weights)"

# The module has another place in each version of SymbolicRegression, but always this function.
UNITS = (
    "loss += parentmodule(SymbolicRegression.eval_loss)"
    ".dimensional_regularization(expression, dataset, options)"
)


def loss(
    constraints: Constraints,
    domain: Domain,
    weighted: bool,
    *,
    units: bool = False,
    factor: float = 1.0,
) -> str | None:
    """Julia source for PySR's ``loss_function_expression``; None where nothing is demanded.

    Parameters
    ----------
    domain : its variables are the first rows of the data, in order. Others may follow, unless
        something is monotone: they would not rise with their variables.
    weighted : whether the data has weights; demands hold everywhere alike.
    units : whether the data has units, which Julia leaves to a loss of one's own. Templates have
        none.
    factor : of the loss, all but the penalty for units.

    What is demanded of operators is no matter of values and is left out.
    """
    demands = [*_bounds(constraints)]
    for name, direction in constraints.monotone.items():
        at = domain.names.index(name)
        demands += _monotone(at, domain.variables[at], rising=direction == "increasing")
    if not demands:
        return None
    lines = [
        "X = dataset.X",
        "T = eltype(X)",
        "values, complete = eval_tree_array(expression, X, options)",
        "(!complete || values === nothing) && return T(Inf)",
        f"squares = {WEIGHTED if weighted else PLAIN}",
        "missed = zero(T)",
        *demands,
        f"loss = T({factor!r}) * (sqrt(squares) + T({WEIGHT!r}) * missed)^2",
        *([UNITS] if units else []),
        "return isfinite(loss) ? loss : T(Inf)",
    ]
    body = "".join(f"    {line}\n" for line in lines)
    return f"function {NAME}(expression, dataset, options)\n{body}end"


def _bounds(constraints: Constraints) -> Iterator[str]:
    if math.isfinite(constraints.low):
        yield _missed(f"T({float(constraints.low)!r}) .- values")
    if math.isfinite(constraints.high):
        yield _missed(f"values .- T({float(constraints.high)!r})")


def _missed(by: str) -> str:
    return f"missed += max(zero(T), maximum({by}))"


def _monotone(at: int, variable: Variable, *, rising: bool) -> Iterator[str]:
    """How far the output goes back when the variable rises by one step, as over its whole range.

    Rows at the upper end cannot rise and say nothing.
    """
    low, high = variable.low, variable.high
    row = f"X[{at + 1}, :]"  # Julia counts from 1
    if variable.scale == "log" and not variable.discrete:
        raised, steps = f"{row} .* T({(high / low) ** (1 / STEPS)!r})", float(STEPS)
    else:
        step = (high - low) / STEPS
        if variable.discrete:
            step = max(1.0, float(math.floor(step)))
        raised, steps = f"{row} .+ T({step!r})", (high - low) / step
    back = "values .- moved" if rising else "moved .- values"
    yield "raised = copy(X)"
    yield f"raised[{at + 1}, :] = min.({raised}, T({high!r}))"
    yield "moved, complete = eval_tree_array(expression, raised, options)"
    yield "(!complete || moved === nothing) && return T(Inf)"
    yield _missed(f"T({steps!r}) .* ({back})")
