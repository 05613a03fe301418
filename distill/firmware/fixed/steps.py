"""The integer operations a fixed-point program is made of, and their meaning to the bit.

Every value is an int32; ``mac`` alone may hold its sum in 64 bits. Bounds are kept with every step,
so that a program is free of overflow by construction, and the model can check them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.firmware.fixed.formats import LARGEST, Integers

WORD = 31
"""Magnitude bits of a word."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on earlier steps.

    Attributes
    ----------
    name : a key of :data:`MEANINGS`, ``input`` or ``constant``.
    args : the steps it works on.
    constant : what is added (``mac``, ``shift``), the value (``constant``), the column
        (``input``) or the mask (``mask``).
    shift : by how many bits the result is shifted: right in ``mac`` and ``shift``, left in
        ``scale``.
    wide : whether the sum of a ``mac`` needs 64 bits.
    low, high : bounds of the result.
    """

    name: str
    args: tuple[int, ...] = ()
    constant: int = 0
    shift: int = 0
    wide: bool = False
    low: int = -LARGEST
    high: int = LARGEST

    @property
    def same(self) -> tuple[object, ...]:
        """What makes two steps compute the same."""
        return (self.name, self.args, self.constant, self.shift)


def leading_zeros(x: Integers) -> Integers:
    """Zero bits before the highest one of 31; 31 for zero."""
    # frexp is exact for integers of 31 bits.
    zeros: Integers = (WORD - np.frexp(x.astype(float))[1]).astype(np.int64)
    return zeros


def _divide(a: Integers, b: Integers) -> Integers:
    """The quotient rounded towards zero, as C has it."""
    quotient: Integers = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
    return quotient


def _choose(step: Step, a: Integers, b: Integers, then: Integers, other: Integers) -> Integers:
    return np.asarray(np.where(a < b, then, other))


MEANINGS: dict[str, Callable[..., Integers]] = {
    "add": lambda s, a, b: a + b,
    "sub": lambda s, a, b: a - b,
    "neg": lambda s, a: -a,
    "abs": lambda s, a: np.abs(a),
    "min": lambda s, a, b: np.minimum(a, b),
    "max": lambda s, a, b: np.maximum(a, b),
    "scale": lambda s, a: a << s.shift,
    "shift": lambda s, a: (a + s.constant) >> s.shift,
    "mac": lambda s, a, b: (a * b + s.constant) >> s.shift,
    "mask": lambda s, a: a & s.constant,
    "zeros": lambda s, a: leading_zeros(a),
    "left": lambda s, a, n: a << n,
    "right": lambda s, a, n: a >> n,
    "divide": lambda s, a, b: _divide(a, b),
    "ifless": _choose,
}
"""Each operation on int64 arrays (n,) that hold 32-bit values; its step comes first."""


def run(steps: tuple[Step, ...], q: Integers, *, check: bool = False) -> Integers:
    """What the steps give at the inputs q (n, d), shape (n,).

    With ``check`` an AssertionError tells of a value outside its step's bounds, or of a sum outside
    its word.
    """
    values: list[Integers] = []
    for step in steps:
        if step.name == "input":
            value = q[:, step.constant].astype(np.int64)
        elif step.name == "constant":
            value = np.full(len(q), step.constant, dtype=np.int64)
        else:
            args = [values[a] for a in step.args]
            value = MEANINGS[step.name](step, *args)
            if check:
                _check_sum(step, args)
        if check:
            assert ((value >= step.low) & (value <= step.high)).all(), step
        values.append(value)
    return values[-1]


def _check_sum(step: Step, args: list[Integers]) -> None:
    """A sum before its shift stays within its word, and so does the product before the sum."""
    if step.name == "shift":
        assert (np.abs(args[0] + step.constant) <= LARGEST).all(), step
    if step.name == "mac" and not step.wide:
        product = args[0] * args[1]
        assert (np.abs(product) <= LARGEST).all(), step
        assert (np.abs(product + step.constant) <= LARGEST).all(), step
