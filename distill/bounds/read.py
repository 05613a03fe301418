"""From formulas and closed forms to what can be bounded."""

from __future__ import annotations

import numpy as np

from distill.bounds.base import NotBounded
from distill.bounds.boxes import Boxes
from distill.bounds.builder import Builder
from distill.bounds.chains import chain_block
from distill.bounds.formulas import formula_block
from distill.bounds.jets import Range
from distill.bounds.steps.splits import chain_splits
from distill.bounds.tape import Tape
from distill.chain.expression import Expression
from distill.formula import Formula
from distill.formula.tree import symbols

MOST_INPUTS = 128
"""Of more inputs nothing is proven: a band has a term for each pair of them."""


def enclosable(expression: Expression) -> Tape:
    """A formula or a closed form as a tape; its real numbers, not its rounding.

    Raises
    ------
    NotBounded : naming the step or operator that has no enclosure; for too many inputs.
    """
    if len(expression.domain) > MOST_INPUTS:
        raise NotBounded(
            f"{len(expression.domain):,} inputs are too many for a proof (at most {MOST_INPUTS}).",
            hint="rely on the errors found and on the statistical statement.",
        )
    builder = Builder(len(expression.domain))
    if isinstance(expression, Formula):
        used = symbols(expression.tree)
        inputs = {
            name: builder.rows([0], [i])
            for i, name in enumerate(expression.domain.names)
            if name in used
        }
        end, row = formula_block(builder, expression.tree, inputs), 0
    else:
        # Not folded: that keeps what trees decide for float32 inputs alone.
        end, row = chain_block(builder, expression.chain, 0), expression.output
    if end < len(builder.blocks) or not builder.blocks:  # the output must be the last block
        end, row = builder.linear([(end, np.eye(builder.heights[end])[row : row + 1])]), 0
    if isinstance(expression, Formula):
        return Tape(
            len(expression.domain), tuple(builder.blocks), row, max(builder.heights), expression
        )
    splits = chain_splits(expression.chain)
    return Tape(
        len(expression.domain), tuple(builder.blocks), row, max(builder.heights), expression, splits
    )


def slopes(expression: Expression, boxes: Boxes) -> Range:
    """Bounds (d, n) of the derivatives by the inputs over each box; see :meth:`Tape.slopes`.

    Raises
    ------
    NotBounded : naming the step or operator that has no enclosure.
    """
    return enclosable(expression).slopes(boxes)
