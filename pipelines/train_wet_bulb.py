"""Train the shipped teacher `wet_bulb` and write it: ``python pipelines/train_wet_bulb.py``.

A 2-32-32-1 tanh network learns psychrolib's wet-bulb temperature over 10 to 50 degC and 5 to 99
percent relative humidity at 101,325 Pa. Below 10 degC psychrolib jumps by 0.4 degC where water
turns to ice, which no smooth network should learn. The training points lie densest at the border
(a Chebyshev-Lobatto grid), where smooth fits are worst otherwise. psychrolib stops its bisection
at 0.001 degC; for training it is asked to go on to 1e-9, so that the network does not learn the
steps. What is reported is judged against psychrolib as it is published.

Takes about a minute. On the same machine and torch version the same weights come out.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from distill.arrays import Array
from distill.domain import Domain
from distill.extremum import largest
from distill.formula import Formula
from distill.teachers.base import Output
from distill.teachers.card import Architecture, Card
from distill.teachers.load import load_teacher
from distill.teachers.network import save_network
from distill.teachers.shipped.psychrometrics import wet_bulb_reference

DOMAIN = Domain.box(temperature=(10, 50, "degC"), humidity=(5, 99, "percent"))
LAYERS = (2, 32, 32, 1)
SEED = 0
GRID = (50, 60)
SHIPPED = Path(__file__).parents[1] / "distill/teachers/shipped/wet_bulb.safetensors"

STULL_2011 = (
    "temperature*atan(0.151977*sqrt(humidity + 8.313659)) + atan(temperature + humidity)"
    " - atan(humidity - 1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
)
"""Stull (2011), J. Appl. Meteorol. Climatol. 50, 2267, equation 1."""


def training_points() -> Array:
    """A Chebyshev-Lobatto grid over the domain, border included, shape (n, 2)."""
    axes = [
        np.clip(
            (v.low + v.high) / 2 - (v.high - v.low) / 2 * np.cos(np.linspace(0, np.pi, n)),
            v.low,
            v.high,
        )
        for v, n in zip(DOMAIN.variables, GRID, strict=True)
    ]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def train(x: Array, y: Array) -> torch.nn.Sequential:
    """Adam to come near, L-BFGS on the mean square, then on the mean eighth power of the error.

    ``x`` (n, 2) and ``y`` (n, 1) are scaled. The eighth power presses on the largest errors.
    """
    torch.manual_seed(SEED)
    steps: list[torch.nn.Module] = []
    for before, after in itertools.pairwise(LAYERS):
        steps += [torch.nn.Linear(before, after, dtype=torch.float64), torch.nn.Tanh()]
    network = torch.nn.Sequential(*steps[:-1])
    inputs, answers = torch.from_numpy(x), torch.from_numpy(y)

    def loss(power: int, unit: float) -> torch.Tensor:
        off: torch.Tensor = (network(inputs) - answers) / unit
        return (off**power).mean()

    adam = torch.optim.Adam(network.parameters(), lr=1e-2)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 1000)
    for _ in range(1000):
        adam.zero_grad()
        loss(2, 1.0).backward()
        adam.step()
        falling.step()
    for power in (2, 2, 2, 8):
        unit = (network(inputs) - answers).abs().max().item()
        lbfgs = torch.optim.LBFGS(
            network.parameters(),
            max_iter=1500,
            history_size=50,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )
        lbfgs.step(partial(_step, lbfgs, partial(loss, power, unit)))
        left = (network(inputs) - answers).abs().max().item()
        print(f"  mean |error|^{power} fitted; largest scaled error {left:.2e}", flush=True)
    return network


def _step(optimizer: torch.optim.Optimizer, loss: Callable[[], torch.Tensor]) -> float:
    optimizer.zero_grad()
    value = loss()
    value.backward()
    return value.item()


def worst_error(answer: Callable[[Array], Array]) -> tuple[float, Array]:
    """Largest |answer - psychrolib| in degC and where: an even grid, then a search from the worst.

    The grid has every border and corner, and no point of the training grid but the corners.
    """
    axes = [
        np.linspace(v.low, v.high, n) for v, n in zip(DOMAIN.variables, (401, 377), strict=True)
    ]
    x = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    errors = np.abs(answer(x) - wet_bulb_reference(x))
    found = largest(
        lambda points: answer(points) - wet_bulb_reference(points),
        DOMAIN,
        also=x[np.argsort(-errors)[:64]],
    )
    return found.value, found.x


def main() -> None:
    """Train, write the file, read it back, and print how far it is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the file to write")
    out = parser.parse_args().out
    torch.set_num_threads(1)  # sums in one order: the same weights every time

    x = training_points()
    y = wet_bulb_reference(x, tolerance=1e-9)[:, None]
    print(f"training on {len(x)} points of psychrolib")
    scaling = {
        "input_mean": tuple(((DOMAIN.low + DOMAIN.high) / 2).tolist()),
        "input_scale": tuple(((DOMAIN.high - DOMAIN.low) / 2).tolist()),
        "output_mean": (float(y.mean()),),
        "output_scale": (float(y.std()),),
    }
    network = train(
        (x - scaling["input_mean"]) / scaling["input_scale"],
        (y - scaling["output_mean"]) / scaling["output_scale"],
    )
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}

    def write(validation_error: float | None) -> Callable[[Array], Array]:
        card = Card(
            name="wet_bulb",
            architecture=Architecture(LAYERS, "tanh", **scaling),
            outputs=(Output("wet_bulb", "degC"),),
            domain=DOMAIN,
            validation_error=validation_error,
            reference="distill.teachers.shipped.psychrometrics:wet_bulb_reference",
            description="wet-bulb temperature at 101,325 Pa from 10-50 degC and 5-99 % relative "
            "humidity; a 2-32-32-1 tanh network trained on psychrolib",
            published={"stull_2011": STULL_2011},
        )
        save_network(out, card, state)
        teacher = load_teacher(out)
        return lambda points: teacher.predict(points)[:, 0]

    error, at = worst_error(write(None))
    write(error)
    stull, stull_at = worst_error(Formula.parse(STULL_2011, DOMAIN))
    where = "{:.4g} degC, {:.4g} %"
    print(f"network:    {error:.5f} degC off psychrolib at most, at {where.format(*at)}")
    print(f"Stull 2011: {stull:.5f} degC off psychrolib at most, at {where.format(*stull_at)}")
    print(f"wrote {out} ({out.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
