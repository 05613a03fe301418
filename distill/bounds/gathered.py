"""What the way back from the output collects."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.bounds.enclosure import pairs
from distill.bounds.form import Form, times
from distill.bounds.rounding import gamma


class Gathered:
    """Quadratic terms, remainders and who is to blame for them, over n boxes of d inputs."""

    def __init__(self, d: int, n: int) -> None:
        self.curve = np.zeros((len(pairs(d)), n))
        self.low, self.high = np.zeros(n), np.zeros(n)
        self.rounding = np.zeros(n)
        self.blame = np.zeros((d, n))

    def remainder(self, weight: Array, low: Array, high: Array, form: Form) -> None:
        """Rows that are off by [low, high] (m, n), seen with ``weight`` (m, n) by the output.

        ``form`` is what they are functions of: inputs that move it are to blame.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            a, b = times(weight, low), times(weight, high)
            below, above = np.minimum(a, b), np.maximum(a, b)
            self.low += below.sum(axis=0)
            self.high += above.sum(axis=0)
            size = np.abs(below) + np.abs(above)
            self.rounding += gamma(len(weight) + 2) * size.sum(axis=0)
            share = np.where(form.reach > 0, size / form.reach, 0.0)
            self.blame += np.einsum("mn,mdn->dn", share, np.abs(form.slope))

    def noise(self, weight: Array, size: Array) -> None:
        """Rows that are off by at most ``size`` (m, n) either way, inputs not to blame."""
        self.rounding += times(np.abs(weight), size).sum(axis=0) * (1 + gamma(len(weight) + 2))

    def product(self, weight: Array, first: Form, second: Form) -> None:
        """``weight`` (m, n) times the products of both forms' slopes."""
        with np.errstate(invalid="ignore", over="ignore"):
            d, at = first.slope.shape[1], 0
            same = first is second
            for i in range(d):
                count = d - i
                part = weight * first.slope[:, i]
                terms = np.einsum("mn,mjn->jn", part, second.slope[:, i:])
                if same:
                    terms[1:] *= 2
                else:
                    other = weight * second.slope[:, i]
                    terms[1:] += np.einsum("mn,mjn->jn", other, first.slope[:, i + 1 :])
                self.curve[at : at + count] += terms
                at += count
            sizes = times(np.abs(weight), first.reach * second.reach).sum(axis=0)
            self.rounding += gamma(len(weight) + 8) * sizes
