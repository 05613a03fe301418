"""Small teachers for the end-to-end tests, found by import path."""

import numpy as np


def pendulum(x: np.ndarray) -> np.ndarray:
    """Period of a pendulum of some length at some gravity, shape (n,)."""
    return 2 * np.pi * np.sqrt(x[:, 0] / x[:, 1])


def ripple(x: np.ndarray) -> np.ndarray:
    """Nothing a short formula comes near to, shape (n,)."""
    return np.sin(40 * x[:, 0]) * np.cos(33 * x[:, 1] ** 2)


def constant(x: np.ndarray) -> np.ndarray:
    """The same answer everywhere, shape (n,)."""
    return np.full(len(x), 3.0)


def all_nan(x: np.ndarray) -> np.ndarray:
    """No answer anywhere, shape (n,)."""
    return np.full(len(x), np.nan)


def partly_nan(x: np.ndarray) -> np.ndarray:
    """No answer where the second input is below 2, shape (n,)."""
    return np.where(x[:, 1] < 2, np.nan, x[:, 0] * x[:, 1])


def complex_answers(x: np.ndarray) -> np.ndarray:
    """Complex numbers, shape (n,)."""
    return np.sqrt(x[:, 0].astype(complex) - 5)


def raises(x: np.ndarray) -> np.ndarray:
    """An exception."""
    raise RuntimeError("the simulator lost its licence")


def never_answers(x: np.ndarray) -> np.ndarray:
    """Nothing, ever."""
    while True:
        pass


def two_outputs(x: np.ndarray) -> np.ndarray:
    """Sum and product, shape (n, 2)."""
    return np.column_stack([x[:, 0] + x[:, 1], x[:, 0] * x[:, 1]])


def powers(x: np.ndarray) -> np.ndarray:
    """Four functions alike, shape (n, 4)."""
    return x[:, :1] ** np.arange(1, 5) + x[:, 1:]


def majority(x: np.ndarray) -> np.ndarray:
    """Whether two of three inputs are true, shape (n,)."""
    return (x.sum(axis=1) >= 2).astype(float)


def sum_and_period(x: np.ndarray) -> np.ndarray:
    """A sum, and the period of a pendulum, shape (n, 2)."""
    return np.column_stack([x[:, 0] + x[:, 1], pendulum(x)])
