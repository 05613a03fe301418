"""Trained networks between the truth and the engines: 2 layers of 64 tanh, one a problem.

    python benchmarks/recovery/networks.py feynman           # all of a set that are not there yet
    python benchmarks/recovery/networks.py feynman I.6.2 ... # these

Full-batch L-BFGS in float64 on a Sobol sample, everything standardised. The number of steps is
fixed, so that a network depends on its problem and seed only. Networks lie under
``~/.cache/distill/recovery`` with what they are off by on points they were not trained on.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    # The folder of the benchmarks is not importable by itself.
    sys.path.insert(0, str(Path(__file__).parents[1]))

import itertools

import numpy as np
from scipy.optimize import minimize

from distill.arrays import Array
from distill.errors import StorageError
from recovery.problems import RecoveryProblem, load

if TYPE_CHECKING:
    import torch

CACHE = Path.home() / ".cache" / "distill" / "recovery"

WIDTH = 64
POINTS = 1500
POINTS_PER_INPUT = 500
STEPS = 2500
"""L-BFGS steps; training ends before where they no longer help."""

BLOCK = 250
"""Points at a time: what they need stays in the cache."""

HISTORY = 30
"""Steps that L-BFGS remembers."""

CHECKED = 8192
"""Points on which a trained network is judged."""

RECIPE = 1
"""Part of a network's key: a change of the training counts it up."""


@dataclass(frozen=True)
class Network:
    """A trained network and its errors on new points of the box.

    ``layers`` are weights (out, in) and biases (out,); inputs and output are standardised by
    means and scales.
    """

    layers: tuple[tuple[Array, Array], ...]
    input_mean: Array
    input_scale: Array
    output_mean: float
    output_scale: float
    rmse: float = float("nan")
    max_error: float = float("nan")
    r2: float = float("nan")
    seconds: float = float("nan")

    def __call__(self, x: Array) -> Array:
        """Answers (n,) at x (n, d)."""
        h = (x - self.input_mean) / self.input_scale
        for i, (weight, bias) in enumerate(self.layers):
            h = (np.tanh(h) if i else h) @ weight.T + bias
        return h[:, 0] * self.output_scale + self.output_mean


def train(problem: RecoveryProblem, *, seed: int = 0, steps: int = STEPS) -> Network:
    """Train a network on a problem's truth."""
    began = time.process_time()
    d = len(problem.domain)
    x = problem.domain.sample(POINTS + POINTS_PER_INPUT * d, seed)
    y = problem.answers(x)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    mean, scale = x.mean(axis=0), x.std(axis=0)
    y_mean, y_scale = float(y.mean()), float(y.std()) or 1.0
    sizes = (d, WIDTH, WIDTH, 1)
    rng = np.random.default_rng(seed)
    start = np.concatenate(
        [
            np.concatenate([rng.normal(0, n_in**-0.5, n_out * n_in), rng.normal(0, 0.1, n_out)])
            for n_in, n_out in itertools.pairwise(sizes)
        ]
    )
    found = minimize(
        _loss,
        start,
        args=((x - mean) / scale, (y - y_mean) / y_scale, sizes),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": steps,
            "maxfun": 2 * steps,
            "maxcor": HISTORY,
            "ftol": 1e-15,
            "gtol": 1e-10,
        },
    )
    network = Network(tuple(_unpacked(found.x, sizes)), mean, scale, y_mean, y_scale)
    x, y = problem.points(CHECKED, seed + 1)
    error = network(x) - y
    return Network(
        network.layers,
        mean,
        scale,
        y_mean,
        y_scale,
        rmse=float(np.sqrt(np.mean(error**2))),
        max_error=float(np.abs(error).max()),
        r2=float(1 - np.mean(error**2) / np.var(y)),
        seconds=time.process_time() - began,
    )


def _unpacked(theta: Array, sizes: Sequence[int]) -> list[tuple[Array, Array]]:
    layers, at = [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        weight = theta[at : at + n_in * n_out].reshape(n_out, n_in)
        bias = theta[at + n_in * n_out : at + n_in * n_out + n_out]
        layers.append((weight, bias))
        at += n_in * n_out + n_out
    return layers


def _loss(theta: Array, z: Array, target: Array, sizes: Sequence[int]) -> tuple[float, Array]:
    """Half the mean square and its gradient, by backpropagation, block after block."""
    layers = _unpacked(theta, sizes)
    loss, gradient = 0.0, np.zeros_like(theta)
    for at in range(0, len(z), BLOCK):
        part = _block(layers, z[at : at + BLOCK], target[at : at + BLOCK])
        loss += part[0]
        gradient += part[1]
    return loss / len(z), gradient / len(z)


def _block(layers: list[tuple[Array, Array]], z: Array, target: Array) -> tuple[float, Array]:
    """Half the sum of squares over some points and its gradient."""
    (w1, b1), (w2, b2), (w3, b3) = layers
    h1 = np.tanh(z @ w1.T + b1)
    h2 = np.tanh(h1 @ w2.T + b2)
    error = h2 @ w3[0] + b3[0] - target
    back2 = np.outer(error, w3[0]) * (1 - h2 * h2)
    back1 = (back2 @ w2) * (1 - h1 * h1)
    gradient = [
        (back1.T @ z).ravel(),
        back1.sum(axis=0),
        (back2.T @ h1).ravel(),
        back2.sum(axis=0),
        error @ h2,
        error.sum(keepdims=True),
    ]
    return float(0.5 * error @ error), np.concatenate(gradient)


def module(network: Network) -> torch.nn.Module:
    """The network as PyTorch has it, with derivatives."""
    from distill.teachers.mlp import MLP

    return MLP(
        network.layers,
        "tanh",
        (network.input_mean.tolist(), network.input_scale.tolist()),
        ([network.output_mean], [network.output_scale]),
    )


def path_of(problem: RecoveryProblem, cache: Path = CACHE) -> Path:
    """Where a problem's network lies: the name holds what it was trained on and how."""
    recipe = f"{RECIPE} {problem.expression} {problem.domain.to_json()}"
    return cache / f"{problem.slug}-{hashlib.sha256(recipe.encode()).hexdigest()[:10]}.npz"


def save(network: Network, path: Path) -> None:
    """Write a network whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {f"w{i}": weight for i, (weight, _) in enumerate(network.layers)}
    arrays |= {f"b{i}": bias for i, (_, bias) in enumerate(network.layers)}
    for name in ("input_mean", "input_scale", "output_mean", "output_scale"):
        arrays[name] = np.asarray(getattr(network, name))
    for name in ("rmse", "max_error", "r2", "seconds"):
        arrays[name] = np.asarray(getattr(network, name))
    part = path.with_suffix(f".{os.getpid()}.tmp")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def read(path: Path) -> Network:
    """Read what :func:`save` wrote.

    Raises
    ------
    StorageError : when there is no network yet.
    """
    if not path.exists():
        raise StorageError(
            "the network is not trained yet.",
            where=str(path),
            hint="run `python benchmarks/recovery/networks.py feynman` first.",
        )
    with np.load(path, allow_pickle=False) as data:
        count = sum(1 for name in data.files if name.startswith("w"))
        return Network(
            tuple((data[f"w{i}"], data[f"b{i}"]) for i in range(count)),
            data["input_mean"],
            data["input_scale"],
            *(
                float(data[name])
                for name in ("output_mean", "output_scale", "rmse", "max_error", "r2", "seconds")
            ),
        )


def main(arguments: Sequence[str]) -> None:
    """Train what is not there yet, a line for each."""
    group, *chosen = arguments
    problems = [p for p in load(group) if not chosen or p.name in chosen]
    for number, problem in enumerate(problems, 1):
        path = path_of(problem)
        new = not path.exists()
        if new:
            save(train(problem), path)
        found = read(path)
        print(
            f"{number:3}/{len(problems)} {problem.name:12} R2 1-{1 - found.r2:.1e}  "
            f"RMSE {found.rmse:.2e}  max {found.max_error:.2e}  {found.seconds:.0f} s"
            f"{'' if new else '  (was there)'}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
