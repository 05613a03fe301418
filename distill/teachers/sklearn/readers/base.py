"""What the readers of all families share: their registers, and small chains they all need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Stretch

Columns = tuple[Array | None, ...]
"""What stands in each column: None for a number, or the value that the chain's input has for each
category of an encoder, in the encoder's order."""

Reader = Callable[[Any, Columns], list[Step]]

OUTPUTS: dict[str, Reader] = {}
"""By class name: the teacher's outputs, that is values, or scores as the roles define them."""

TRANSFORMS: dict[str, Reader] = {}
"""By class name: what ``transform`` gives."""

PROBABILITIES: dict[str, Reader] = {}
"""By class name: what ``predict_proba`` gives, for ensembles that average it."""

TIE = 2.0**-126
"""Added to a margin whose owner says label 1 at 0 too: it changes no other margin's sign."""


class Unreadable(Exception):
    """Why an estimator has no chain; the text is for people."""


def reads(register: dict[str, Reader], *names: str) -> Callable[[Reader], Reader]:
    """Enter a reader under the names of scikit-learn's classes."""

    def enter(reader: Reader) -> Reader:
        for name in names:
            register[name] = reader
        return reader

    return enter


def find(register: dict[str, Reader], model: Any, what: str) -> Reader:
    """The reader for an estimator of scikit-learn's own.

    Raises
    ------
    Unreadable : for other classes, subclasses among them, which may compute something else.
    """
    kind = type(model)
    if not kind.__module__.startswith("sklearn."):
        raise Unreadable(f"{kind.__module__}.{kind.__qualname__} is not scikit-learn's own class")
    if kind.__name__ not in register:
        raise Unreadable(f"no closed form is known for {what} of {kind.__name__}")
    return register[kind.__name__]


def outputs_of(model: Any, columns: Columns) -> list[Step]:
    """The steps to a teacher's outputs."""
    return find(OUTPUTS, model, "the prediction")(model, columns)


def transform_of(model: Any, columns: Columns) -> list[Step]:
    """The steps to what ``transform`` gives."""
    if model is None or (isinstance(model, str) and model == "passthrough"):
        return []
    return find(TRANSFORMS, model, "the transformation")(model, columns)


def probabilities_of(model: Any, columns: Columns) -> list[Step]:
    """The steps to what ``predict_proba`` gives."""
    return find(PROBABILITIES, model, "predict_proba")(model, columns)


def affine(weights: object, bias: object = 0.0) -> Affine:
    """A matrix product; ``bias`` may be one number for all rows."""
    rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    return Affine(rows, np.broadcast_to(np.asarray(bias, dtype=np.float64), len(rows)).copy())


def difference() -> Affine:
    """The margin of two scores: the second less the first."""
    return affine([[-1.0, 1.0]])


def margin(classes: int) -> list[Step]:
    """What makes outputs of one score a class: of two classes only the margin counts."""
    return [difference()] if classes == 2 else []


def with_ties() -> Stretch:
    """Makes a margin of 0 count as label 1."""
    return stretch(1, 1.0, TIE)


def stretch(width: int, factor: Any, offset: Any = 0.0) -> Stretch:
    """Each number times its factor plus its offset; one number may stand for all."""
    factors, offsets = (
        np.broadcast_to(np.asarray(part, dtype=np.float64), width).copy()
        for part in (factor, offset)
    )
    return Stretch(factors, offsets)


def pick(inputs: int, columns: Sequence[int] | npt.NDArray[np.integer[Any]]) -> list[Step]:
    """Some columns; nothing to do where they are all of them in order."""
    chosen = np.asarray(columns, dtype=np.int64)
    if len(chosen) == inputs and bool((chosen == np.arange(inputs)).all()):
        return []
    return [Pick(inputs, chosen)]


def side_by_side(inputs: int, parts: Sequence[list[Step]]) -> list[Step]:
    """Several ways over the same inputs; a single one stands for itself."""
    if len(parts) == 1:
        return list(parts[0])
    return [Branches(tuple(Chain(inputs, tuple(part)) for part in parts))]


def width_after(inputs: int, steps: Sequence[Step]) -> int:
    """How many columns there are after some steps."""
    return steps[-1].outputs if steps else inputs
