"""Devices that are almost neurons: their differential equation, and what stands in for it.

A light-driven switch. Light x_i falls on channel i, a photoconductor of size A_i (a negative one
pulls where others push). Light bleaches it: of its centres the share s_i is ready,

    s_i' = 1 - s_i - eps*x_i*s_i          (what recovers, less what is bleached)
    v'   = sum_i A_i*x_i*s_i - v - kappa*(y - 1/2)
    y'   = 1/(1 + exp(-v)) - y            (a two-level trap in contact with a heat bath)

in units of the recovery time. The gate's voltage v collects the currents, leaks, and is screened
by the charge y in the trap; y is the light that the device sends on. At rest s_i = 1/(1 + eps*x_i),
so that for small eps the current is x.A - eps*A.x^2, and y = f(current) with f = logistic(current
- kappa*(f - 1/2)): continuous, and without a formula. It is read after 20 recovery times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import solve_ivp

from distill.arrays import Array
from distill.domain import Domain

EPS, KAPPA, READ_AFTER = 0.2, 2.0, 20.0
LIGHT = Domain.box(light=(0, 1))
DRIVE = Domain.box(drive=(-16, 16))
"""Current over the channel's response to light 1."""


def simulate(x: Array, a: Array, eps: float = EPS, accuracy: float = 1e-8) -> Array:
    """Light (n, m) of m devices with couplings ``a`` (m, d), in light x (n, d)."""
    (n, d), m = x.shape, len(a)

    def slopes(_: float, state: Array) -> Array:
        s, v, y = np.split(state.reshape(n, d + 2 * m), [d, d + m], axis=1)
        logistic = 0.5 + 0.5 * np.tanh(v / 2)
        current = (x * s) @ a.T
        return np.hstack(
            [1 - s - eps * x * s, current - v - KAPPA * (y - 0.5), logistic - y]
        ).ravel()

    start = np.hstack([np.ones((n, d)), np.zeros((n, m)), np.full((n, m), 0.5)])
    end = solve_ivp(
        slopes,
        (0, READ_AFTER),
        start.ravel(),
        method="DOP853",
        rtol=accuracy,
        atol=accuracy / 100,
        t_eval=[READ_AFTER],
    )
    if not end.success:
        raise ValueError(f"the simulation broke off: {end.message}")
    return end.y[:, -1].reshape(n, d + 2 * m)[:, -m:]


def transmission(light: Array) -> Array:
    """First experiment: a weak coupling, what (n, 1) the channel passes on beside light 1."""
    weak, full = np.array([[1e-3]]), np.ones((1, 1))
    return (simulate(light, weak) - 0.5) / (simulate(full, weak) - 0.5)


def response(drive: Array) -> Array:
    """Second experiment: light 1, and couplings (n, 1) of all sizes."""
    return simulate(np.ones((1, 1)), drive).T


@dataclass(frozen=True, eq=False)
class Curves:
    """A device as two functions of each number alone: y = respond(sum A*transmit(x))."""

    transmit: torch.nn.Module
    respond: torch.nn.Module

    def __call__(self, x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        """Light (n, m) at x (n, d) for couplings (m, d)."""
        return each(self.respond, each(self.transmit, x) @ a.T)


def each(curve: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """A module of (n, 1) for every number of x."""
    answers: torch.Tensor = curve(x.reshape(-1, 1))
    return answers.reshape(x.shape)


class Simulated(torch.autograd.Function):
    """The simulator in a network. Its gradient is that of the state of rest, which the device has
    come to within 1e-8 by then: dy/dcurrent = 1/(1/(y*(1 - y)) + kappa) by the implicit function
    theorem, and dcurrent/dx = A/(1 + eps*x)^2.
    """

    @staticmethod
    def forward(ctx, x, a):  # type: ignore[no-untyped-def]
        """Light (n, m) of the devices."""
        y = torch.from_numpy(simulate(x.detach().numpy(), a.detach().numpy(), accuracy=1e-6))
        ctx.save_for_backward(x, a, y)
        return y

    @staticmethod
    def backward(ctx, slope):  # type: ignore[no-untyped-def]
        """Slopes by light and couplings."""
        x, a, y = ctx.saved_tensors
        ready = 1 / (1 + EPS * x)
        by_current = slope / (1 / (y * (1 - y)) + KAPPA)
        return by_current @ a * ready**2, by_current.T @ (x * ready)


Device = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def fit_surrogate(samples: int = 64, steps: int = 500) -> Curves:
    """A network B of the device, taught by simulations of three channels at a time, then frozen."""
    random = np.random.default_rng(0)
    x, a = random.uniform(0, 1, (samples, 3)), random.uniform(-8, 8, (samples, 3))
    answers = torch.from_numpy(simulate(x, a))
    torch.manual_seed(0)
    curves = Curves(small_network(8), small_network(16))
    weights = [*curves.transmit.parameters(), *curves.respond.parameters()]
    lbfgs = torch.optim.LBFGS(weights, max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        lbfgs.zero_grad()
        found = curves(torch.from_numpy(x), torch.from_numpy(a))
        error = 1e3 * ((found - answers) ** 2).mean()
        error.backward()
        return error

    lbfgs.step(loss)
    for weight in weights:
        weight.requires_grad_(False)
    return curves


def small_network(width: int) -> torch.nn.Module:
    """1 - width - 1."""
    kind = torch.float64
    return torch.nn.Sequential(
        torch.nn.Linear(1, width, dtype=kind),
        torch.nn.Tanh(),
        torch.nn.Linear(width, 1, dtype=kind),
    )


def apart(device: Device, devices: int = 200) -> float:
    """The largest distance from the simulator, of devices of four channels drawn at random."""
    random = np.random.default_rng(1)
    x, a = random.uniform(0, 1, (devices, 4)), random.uniform(-4, 4, (50, 4))
    found = device(torch.from_numpy(x), torch.from_numpy(a)).numpy()
    return float(np.abs(found - simulate(x, a)).max())


def small_eps(eps: float) -> float:
    """How far devices are from those that get x.A - eps*A.x^2 as their current, without eps."""
    random = np.random.default_rng(2)
    x, a = random.uniform(0, 1, (100, 4)), random.uniform(-2, 2, (20, 4))
    current = (x - eps * x**2) @ a.T
    plain = simulate(np.ones((1, 1)), current.reshape(-1, 1), eps=0.0).reshape(current.shape)
    return float(np.abs(simulate(x, a, eps=eps) - plain).max())
