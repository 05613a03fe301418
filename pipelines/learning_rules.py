"""Seven learning rules in plain NumPy, and what they learn from; `bare_math.py` shows them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np

from distill.arrays import Array

ISSUES = np.array([240.0, 480.0, 26.0])
PRICES = np.array([6370.0, 8697.0, 2200.0])
"""Comic issues that a hero appeared in, and what the costume costs."""

TABLE = """
Iron Man 6 6 5 6 6 4; Spiderman 4 4 3 3 1 4; Black Panther 5 3 2 3 3 5; Wolverine 2 4 2 4 1 7;
Thor 2 7 7 6 6 4; Dr Strange 4 2 7 2 6 6; Hulk 2 7 3 7 5 4; Captain America 3 3 2 3 1 6;
Mr Fantastic 6 2 2 5 1 3; Human Torch 2 2 5 2 5 3; Invisible Woman 3 2 3 6 5 3;
The Thing 3 6 2 6 1 5; Luke Cage 3 4 2 5 1 4; She Hulk 3 7 3 6 1 4; Ms Marvel 2 6 2 6 1 4;
Daredevil 3 3 2 2 4 5"""
ROWS = [row.split() for row in TABLE.replace("\n", " ").split(";")]
HEROES = tuple(" ".join(row[:-6]) for row in ROWS)
SCORES = np.array([[float(score) for score in row[-6:]] for row in ROWS])
"""(16, 6), from 1 to 7: intelligence, strength, speed, durability, energy, fighting skills."""

MAP = (4, 4)


def line(rate: float = 0.01, steps: int = 5000) -> tuple[float, float]:
    """Gradient descent on the squared error of theta1*x + theta0, in hundreds and thousands."""
    x, y = ISSUES / 100, PRICES / 1000
    theta1 = theta0 = 0.0
    for _ in range(steps):
        error = theta1 * x + theta0 - y
        theta1 -= rate * 2 * (error * x).sum()
        theta0 -= rate * 2 * error.sum()
    return theta1 * 10, theta0 * 1000


def logo(size: int = 32) -> tuple[Array, Array]:
    """A bold letter in a ring: the pixels' places (n, 2) in -1..1, and 1 for ink (n,)."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    y, x = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    ring = np.abs(np.hypot(x, y) - 0.84) < 0.12
    stem = (np.abs(x + 0.22) < 0.12) & (np.abs(y) < 0.46)
    bowl = (x > -0.22) & (np.abs(np.hypot(x + 0.14, y) - 0.37) < 0.12)
    return np.column_stack([x, y]), (ring | stem | bowl).astype(float)


Layers = list[tuple[Array, Array]]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def forward(layers: Layers, x: Array) -> list[Array]:
    """What every layer gives, the inputs first."""
    values = [x]
    for weights, bias in layers:
        values.append(sigmoid(values[-1] @ weights.T + bias))
    return values


def backpropagate(
    x: Array, y: Array, widths: tuple[int, ...] = (48, 24), epochs: int = 800, batch: int = 32
) -> Layers:
    """A network of sigmoids by the chain rule: descent with momentum on the cross-entropy."""
    random = np.random.default_rng(0)
    sizes = (x.shape[1], *widths, 1)
    layers = [
        (random.normal(0, 4 / np.sqrt(d), (k, d)), random.normal(0, 1, k))
        for d, k in pairwise(sizes)
    ]
    moving = [(0 * weights, 0 * bias) for weights, bias in layers]
    for epoch in range(epochs):
        rate = 0.5 * (1 - epoch / epochs)
        order = random.permutation(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            values = forward(layers, x[rows])
            slope = values[-1] - y[rows, None]  # of the loss, by what enters the last sigmoid
            for i in reversed(range(len(layers))):
                step = (slope.T @ values[i] / len(rows), slope.mean(0))
                slope = slope @ layers[i][0] * values[i] * (1 - values[i])
                moving[i] = (0.9 * moving[i][0] + step[0], 0.9 * moving[i][1] + step[1])
                layers[i] = (layers[i][0] - rate * moving[i][0], layers[i][1] - rate * moving[i][1])
    return layers


def hebb(x: Array, rate: float = 0.005, epochs: int = 20) -> Array:
    """What fires together wires together: w += rate*y*x, which grows without bound. (d,)."""
    w = np.full(x.shape[1], 0.1)
    for _ in range(epochs):
        for row in x:
            w += rate * (w @ row) * row
    return w


def generalised_hebb(x: Array, count: int = 2, epochs: int = 4000) -> Array:
    """Sanger's rule: each output learns what those before it leave over. (count, d)."""
    w = np.random.default_rng(0).normal(0, 0.1, (count, x.shape[1]))
    for epoch in range(epochs):
        rate = 0.01 / (1 + epoch / 40)
        for row in x:
            y = w @ row
            w += rate * (np.outer(y, row) - np.tril(np.outer(y, y)) @ w)
    return w


Neighbours = Callable[[Array, float], Array]
"""How much each prototype moves, from the distances to a point and how cold it has become."""


def compete(x: Array, prototypes: Array, neighbours: Neighbours, epochs: int = 200) -> Array:
    """Move prototypes (m, d) towards one point after another, the nearer the more."""
    random, p = np.random.default_rng(0), prototypes.copy()
    for epoch in range(epochs):
        time = epoch / epochs
        rate = 0.5 * (0.02 / 0.5) ** time
        for row in x[random.permutation(len(x))]:
            share = neighbours(((p - row) ** 2).sum(1), time)
            p += rate * share[:, None] * (row - p)
    return p


def winner_takes_all(distances: Array, time: float) -> Array:
    """The nearest moves alone."""
    nearest: Array = (np.arange(len(distances)) == distances.argmin()).astype(float)
    return nearest


def winner_takes_most(distances: Array, time: float) -> Array:
    """By rank: the second nearest a little less, and less and less (neural gas)."""
    ranks = distances.argsort().argsort()
    share: Array = np.exp(-ranks / (2.0 * 0.05**time))
    return share


def kohonen(distances: Array, time: float) -> Array:
    """By how near they stand to the nearest on a map of :data:`MAP`."""
    places = np.array(list(product(*map(range, MAP))))
    away = ((places - places[distances.argmin()]) ** 2).sum(1)
    share: Array = np.exp(-away / (2 * (2.0 * 0.15**time) ** 2))
    return share


def start(count: int) -> Array:
    """Prototypes near the middle of the table."""
    middle: Array = SCORES.mean(0)
    return middle + np.random.default_rng(1).normal(0, 0.3, (count, SCORES.shape[1]))


def distances(x: Array, prototypes: Array) -> Array:
    """Squared distances (n, m)."""
    total = np.zeros((len(x), len(prototypes)))
    for i in range(x.shape[1]):
        total += (x[:, i, None] - prototypes[:, i]) ** 2
    return total
