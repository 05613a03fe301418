"""What the data of steps must be: arrays of the right shape, finite, and never changed again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from distill.errors import FormulaError

Whole = npt.NDArray[np.int64]


def wrong(step: object, what: str, hint: str = "") -> FormulaError:
    """The error for data that make no such step."""
    return FormulaError(what, where=f"chain step `{type(step).__name__}`", hint=hint)


def keep_numbers(
    step: object, name: str, shape: tuple[int, ...], *, infinite: bool = False
) -> None:
    """Make the field a read-only float64 array; -1 in ``shape`` stands for any length.

    Raises
    ------
    FormulaError : for another shape, or numbers that are not finite.
    """
    array = _array(step, name, shape, np.float64)
    if np.isnan(array).any() or not (infinite or np.isfinite(array).all()):
        raise wrong(
            step,
            f"`{name}` holds numbers that are not finite.",
            "a model with such weights answers NaN; train it again, or repair its weights.",
        )
    object.__setattr__(step, name, array)


def keep_whole(
    step: object, name: str, shape: tuple[int, ...], low: int | None = None, high: int | None = None
) -> None:
    """Make the field a read-only int64 array with values in [low, high).

    Raises
    ------
    FormulaError : for another shape, numbers that are not whole, or outside the range.
    """
    array = _array(step, name, shape, np.int64)
    if (low is not None and (array < low).any()) or (high is not None and (array >= high).any()):
        raise wrong(
            step,
            f"`{name}` holds values outside {low} <= value < {'any' if high is None else high}.",
        )
    object.__setattr__(step, name, array)


def keep_flags(step: object, name: str, shape: tuple[int, ...]) -> None:
    """Make the field a read-only array of booleans.

    Raises
    ------
    FormulaError : for another shape.
    """
    object.__setattr__(step, name, _array(step, name, shape, np.bool_))


def check_count(step: object, name: str, low: int = 1) -> None:
    """Refuse a field that is no whole number from ``low`` on.

    Raises
    ------
    FormulaError : for another value.
    """
    value = getattr(step, name)
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise wrong(step, f"`{name}` is {value!r}, not a whole number from {low} on.")


def check_choice(step: object, name: str, choices: tuple[str, ...]) -> None:
    """Refuse a field that is none of the choices.

    Raises
    ------
    FormulaError : for another value.
    """
    value = getattr(step, name)
    if value not in choices:
        raise wrong(step, f"`{name}` is {value!r}.", f"allowed: {', '.join(choices)}.")


def check_finite(step: object, name: str) -> None:
    """Make the field a float; refuse what is none, or not finite.

    Raises
    ------
    FormulaError : for another value.
    """
    value = getattr(step, name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise wrong(step, f"`{name}` is {value!r}, not a finite number.")
    object.__setattr__(step, name, number)


def _array(step: object, name: str, shape: tuple[int, ...], kind: type[Any]) -> npt.NDArray[Any]:
    """A copy of the field in the kind, checked and locked."""
    given = np.asarray(getattr(step, name))
    fits = given.ndim == len(shape) and all(
        w in (-1, g) for w, g in zip(shape, given.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n < 0 else str(n) for n in shape)
        raise wrong(step, f"`{name}` has the shape {given.shape}, not ({wanted}).")
    if given.dtype.kind not in "fiub" or (kind is np.bool_ and given.dtype.kind != "b"):
        raise wrong(step, f"`{name}` holds {given.dtype}, not {np.dtype(kind)}.")
    with np.errstate(invalid="ignore"):
        array: npt.NDArray[Any] = np.array(given, dtype=kind, order="C")
    if kind is np.int64 and not np.array_equal(array, given):
        raise wrong(step, f"`{name}` holds numbers that are not whole.")
    array.setflags(write=False)
    return array
