"""What a candidate may be: a formula that can be read, or a closed form that need not be."""

from __future__ import annotations

from collections.abc import Mapping

from distill.chain.closed_form import ClosedForm
from distill.formula import Formula

Expression = Formula | ClosedForm


def read_expression(data: Mapping[str, object]) -> Expression:
    """Read what ``to_data`` of either gave.

    Raises
    ------
    FormulaError : when it is neither.
    """
    return ClosedForm.from_data(data) if "chain" in data else Formula.from_data(data)
