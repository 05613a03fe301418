"""From a fitted estimator to the chain of its own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.chain.chain import Chain
from distill.errors import FormulaError
from distill.teachers.sklearn.readers import (  # noqa: F401  # they enter themselves
    bayes,
    boosting,
    forests,
    joining,
    kernels,
    linear,
    neighbours,
    networks,
    scaling,
)
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    TRANSFORMS,
    Columns,
    Unreadable,
    find,
)


@dataclass(frozen=True, eq=False)
class Reading:
    """A chain, or why there is none."""

    chain: Chain | None
    why: str = ""


def read_chain(model: Any, columns: Columns, *, transforms: bool = False) -> Reading:
    """The chain of a fitted estimator over these columns; of ``transform`` where that is asked.

    Its outputs are the teacher's: values, scores of classes, or of two classes the margin.
    """
    register = TRANSFORMS if transforms else OUTPUTS
    try:
        steps = find(register, model, "the outputs")(model, columns)
        for step in steps:
            _check_finite(step)
        return Reading(Chain(len(columns), tuple(steps)))
    except Unreadable as error:
        return Reading(None, str(error))
    except FormulaError as error:
        return Reading(None, error.what)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # What a reader relies on is partly private, and changes between scikit-learn's versions.
        return Reading(
            None,
            f"the attributes of {type(model).__name__} are not as expected "
            f"({type(error).__name__}: {error})",
        )


def _check_finite(step: Any) -> None:
    for name, value in vars(step).items() if hasattr(step, "__dict__") else ():
        if name != "threshold" and isinstance(value, np.ndarray) and np.isinf(value).any():
            raise Unreadable(f"{type(step).__name__} holds values that are not finite")
