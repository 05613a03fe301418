"""From scores to labels: what :class:`distill.teachers.base.Classifier` promises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

LabelArray = npt.NDArray[np.int64]
"""Labels (n,), counted from 0; -1 for none."""


def labels_of(scores: Array) -> LabelArray:
    """The labels (n,) of scores (n, k): above 0 or not, or the first of the largest; -1 for NaN."""
    missing = np.asarray(np.isnan(scores).any(axis=1))
    if scores.shape[1] == 1:
        labels = (scores[:, 0] > 0).astype(np.int64)
    else:
        labels = np.argmax(np.where(missing[:, None], 0.0, scores), axis=1).astype(np.int64)
    return np.where(missing, -1, labels)


def margins_of(scores: Array) -> Array:
    """How far (n,) scores (n, k) are from another label: from 0, or the largest from the next."""
    if scores.shape[1] == 1:
        return np.abs(scores[:, 0])
    ordered = np.partition(scores, -2, axis=1)
    with np.errstate(invalid="ignore"):
        margins: Array = ordered[:, -1] - ordered[:, -2]
    return margins
