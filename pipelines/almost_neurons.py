"""Devices that are almost neurons: known by their differential equation, chained and trained.

    python pipelines/almost_neurons.py

`light_switches.py` has the device: its equation, and why light y = f(x.A - eps*A.x^2) comes out for
small eps. Two experiments on a device of one channel tell all there is to know: what the channel
passes on, and how the switch responds. A surrogate network learns both from simulations; `distill`
asks records of both and finds their formulas. Simulator, surrogate and formula then take turns as
the one layer of a network that reads digits, in which only the couplings A are trained; the
trained network becomes C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from in_c import run_in_c
from light_switches import (
    DRIVE,
    LIGHT,
    Curves,
    Device,
    Simulated,
    apart,
    fit_surrogate,
    response,
    small_eps,
    transmission,
)
from scipy.interpolate import CubicSpline

import distill
from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.formula import Each
from distill.domain import Domain
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.teachers.base import Output
from distill.teachers.load import load_teacher

TOLERANCE = 1e-3
"""How far formulas may be from the experiments."""

UNITS, COMPARED = (3, 8, 16, 32, 64), 32
STEPS, SIMULATED = 600, 60
"""Steps of training; those with the simulator are fewer, being so slow."""


@dataclass(frozen=True, eq=False)
class Digits:
    """scikit-learn's 8x8 pictures as light, behind a lamp that is always on; labels 0 to 9."""

    light: torch.Tensor
    labels: torch.Tensor

    def part(self, rows: slice) -> Digits:
        """Some of them."""
        return Digits(self.light[rows], self.labels[rows])


def digits() -> tuple[Digits, Digits]:
    """1,437 to learn from and 360 to be judged by, shuffled."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    light = np.hstack([np.ones((len(order), 1)), data.data / 16])[order]
    everything = Digits(torch.from_numpy(light), torch.from_numpy(data.target[order]))
    return everything.part(slice(0, 1437)), everything.part(slice(1437, None))


class ChainOfDevices(torch.nn.Module):
    """Two layers of devices, a lamp of light 1 in front of each; only their couplings A learn."""

    def __init__(self, device: Device, hidden: int, inputs: int = 65, classes: int = 10) -> None:
        super().__init__()
        self.device = device
        random = torch.Generator().manual_seed(0)

        def couplings(units: int, channels: int) -> torch.nn.Parameter:
            drawn = torch.randn(units, channels, generator=random, dtype=torch.float64)
            return torch.nn.Parameter(drawn / channels**0.5)

        self.first, self.second = couplings(hidden, inputs), couplings(classes, hidden + 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The light (n, classes) that the last devices send."""
        between = self.device(x, self.first)
        return self.device(torch.nn.functional.pad(between, (1, 0), value=1.0), self.second)

    def accuracy(self, digits: Digits) -> float:
        """The share of pictures of which the right device is the brightest."""
        with torch.no_grad():
            right = self(digits.light).argmax(1) == digits.labels
            return float(right.double().mean())


def train(chain: ChainOfDevices, digits: Digits, steps: int, batch: int = 64) -> float:
    """Backpropagation into the couplings; returns the seconds that an epoch takes."""
    adam = torch.optim.Adam(chain.parameters(), 0.02, weight_decay=3e-4)
    random = torch.Generator().manual_seed(0)
    started = perf_counter()
    for _ in range(steps):
        rows = torch.randint(len(digits.labels), (batch,), generator=random)
        adam.zero_grad()
        scores = 10 * chain(digits.light[rows])
        torch.nn.functional.cross_entropy(scores, digits.labels[rows]).backward()
        adam.step()
    return (perf_counter() - started) / steps * len(digits.labels) / batch


def find_formula(experiment: Callable[[Array], Array], domain: Domain, seconds: float) -> Formula:
    """What `distill` finds for an experiment of one variable.

    It is recorded once, at 2,001 points; between them a spline is within 1e-9 of the simulator.
    """
    grid = np.linspace(domain.low, domain.high, 2001)
    record = CubicSpline(grid[:, 0], experiment(grid)[:, 0])
    study = distill.distill(
        load_teacher(lambda x: record(x[:, 0]), name=experiment.__name__),
        domain,
        tolerance=TOLERANCE,
        engine="structure",
        seconds=seconds,
        points=512,
    )
    if study.chosen is None or not isinstance(study.chosen.formula, Formula):
        raise ValueError(f"no formula of {experiment.__name__} within {TOLERANCE}: search longer")
    return study.chosen.formula


def as_chain(trained: ChainOfDevices, transmit: Formula, respond: Formula) -> Chain:
    """The trained network from the 64 pixels on; the lamps become biases."""
    lamp = transmit(np.ones((1, 1)))
    steps: list[Each | Affine] = []
    for couplings in (trained.first.detach().numpy(), trained.second.detach().numpy()):
        units, channels = couplings.shape
        steps += [
            Each(transmit, channels - 1),
            Affine(couplings[:, 1:], couplings[:, 0] * lamp),
            Each(respond, units),
        ]
    return Chain(steps[0].inputs, tuple(steps))


def export(chain: Chain, folder: Path, light: Array) -> Array:
    """The C of the network in float32; its labels of pictures (n, 64)."""
    spec = VectorSpec(
        name="almost_neurons",
        domain=Domain.box(**{f"pixel_{i}": (0, 1) for i in range(chain.inputs)}),
        outputs=tuple(Output(f"light_{i}") for i in range(chain.outputs)),
        tolerance=(TOLERANCE,) * chain.outputs,
        max_errors=(0.0,) * chain.outputs,
        chain=chain,
        classes=tuple(f"digit_{i}" for i in range(chain.outputs)),
    )
    return run_in_c(spec, folder, light)


def draw(transmit: Formula, respond: Formula, accuracies: dict[int, float], path: Path) -> None:
    """Both experiments with their formulas, and what chains of so many units have learned."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    for axis, formula, experiment in zip(
        axes[:2], (transmit, respond), (transmission, response), strict=True
    ):
        domain = formula.domain
        fine = np.linspace(domain.low, domain.high, 400)
        axis.plot(fine, formula(fine), label="formula")
        axis.plot(fine[::20], experiment(fine[::20]), "k.", label="simulator")
        axis.set(xlabel=domain.names[0], title=experiment.__name__)
        axis.legend()
    axes[2].semilogx(list(accuracies), list(accuracies.values()), "o-", base=2)
    axes[2].set(xlabel="devices in the first layer", title="accuracy on unseen digits")
    axes[2].set_xticks(list(accuracies), labels=list(map(str, accuracies)))
    figure.savefig(path, dpi=120)


def main(folder: Path = Path("build/almost_neurons")) -> None:
    """Experiments, surrogate, formulas, training, C."""
    torch.set_num_threads(1)  # the same weights every time
    small = ", ".join(f"{small_eps(eps):.1e} at eps {eps}" for eps in (0.2, 0.1, 0.05))
    print(f"off f(x.A - eps*A.x^2): {small}")
    surrogate = fit_surrogate()
    transmit = find_formula(transmission, LIGHT, seconds=8)
    respond = find_formula(response, DRIVE, seconds=16)
    formula = Curves(transmit.to_torch(), respond.to_torch())
    print(f"a channel passes on {transmit}\nthe switch answers  {respond}")
    learn, judge = digits()

    accuracies, trained = {}, {}
    for units in UNITS:
        chain = trained[units] = ChainOfDevices(formula, units)
        train(chain, learn, STEPS)
        accuracies[units] = chain.accuracy(judge)
        print(f"{units:3} devices, then 10: {accuracies[units]:.1%} of unseen digits")

    print(f"\n{COMPARED} devices, then 10       off the simulator  steps  s/epoch  accuracy")
    ways: dict[str, Device] = {
        "simulator": Simulated.apply,
        "surrogate": surrogate,
        "formula": formula,
    }
    for name, device in ways.items():
        chain = ChainOfDevices(device, COMPARED)
        steps = SIMULATED if name == "simulator" else STEPS
        seconds = train(chain, learn, steps)
        share = chain.accuracy(judge)
        print(f"  {name:24} {apart(device):17.1e} {steps:6} {seconds:8.3f} {share:9.1%}")
    best = trained[COMPARED]
    best.device = Simulated.apply
    print(f"the A learned with the formula, on the simulator: {best.accuracy(judge):.1%}")
    best.device = formula

    answers = export(as_chain(best, transmit, respond), folder / "c", judge.light[:, 1:].numpy())
    wanted = best(judge.light).argmax(1).numpy()
    right = (answers[:, -1] == judge.labels.numpy()).mean()
    print(f"as C: {right:.1%}, {(answers[:, -1] != wanted).sum()} labels differ from Python's")
    draw(transmit, respond, accuracies, folder / "devices.png")
    print(f"C and picture in {folder}")


if __name__ == "__main__":
    main()
