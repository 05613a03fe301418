"""A block's place in a network, taken by something else: a formula, a table, another network."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from distill.errors import TeacherError
from distill.teachers.torch.capture import Positions, apart, batches, evaluating, submodule

Metric = Literal["accuracy", "mse"] | Callable[[torch.Tensor, torch.Tensor], float]
"""How well answers meet targets; a function takes both, of all data together."""


class InPlace(torch.nn.Module):
    """A module of rows (n, d) -> (n, k) in the place of a block: takes and gives its shapes.

    The rows are computed in the precision of the module, the answer has the block's; gradients
    flow through. ``shape`` is that of one row's answer.
    """

    def __init__(
        self, module: torch.nn.Module, shape: tuple[int, ...], positions: Positions = "flat"
    ) -> None:
        super().__init__()
        self.module = module
        self.shape = shape
        self.positions = positions

    def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> torch.Tensor:
        """The answer in the place of the block's."""
        parts = [part for part in (*args, *kwargs.values()) if part is not None]
        first = parts[0]
        rows = [apart(part, self.positions) for part in parts]
        x = torch.cat([row.reshape(row.shape[0], -1) for row in rows], dim=1)
        answer: torch.Tensor = self.module(x.to(_precision(self.module, x))).to(first.dtype)
        if self.positions == "each" and first.dim() == 4:
            n, _, high, wide = first.shape
            return answer.reshape(n, high, wide, -1).movedim(3, 1)
        if self.positions == "each" and first.dim() == 3:
            return answer.reshape(*first.shape[:2], -1)
        return answer.reshape(first.shape[0], *self.shape)


def _precision(module: torch.nn.Module, x: torch.Tensor) -> torch.dtype:
    """That of the module's first numbers; the points' own where it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return x.dtype


def replaced(
    network: torch.nn.Module,
    path: str,
    module: torch.nn.Module,
    shape: tuple[int, ...] | None = None,
    positions: Positions = "flat",
) -> torch.nn.Module:
    """A copy of the network in which ``module`` stands in the place of the block ``path``.

    Parameters
    ----------
    module : of rows (n, d) -> (n, k), such as ``formula.to_torch()``; it is moved to where the
        block's network is, and not copied, so that what is trained in the copy is trained in it.
    shape : of one row's answer, where it is no vector (``Block.captured.answer``).
    positions : as the block was captured.

    Raises
    ------
    TeacherError : when there is no such block.
    """
    submodule(network, path)
    copy = deepcopy(network)
    place = next(network.parameters(), torch.empty(0)).device
    there = InPlace(module.to(place), (-1,) if shape is None else shape, positions)
    # The same block may stand in several places; this is about the one.
    copy.set_submodule(path, there.train(submodule(network, path).training))
    return copy


@dataclass(frozen=True, slots=True)
class Loss:
    """A metric of the whole network with its own block, and with what took its place."""

    before: float
    after: float

    @property
    def lost(self) -> float:
        """How much smaller it is after; of an error rate or distance, the negative."""
        return self.before - self.after


def loss_of_accuracy(
    network: torch.nn.Module,
    path: str,
    module: torch.nn.Module,
    data: Any,
    targets: Any,
    metric: Metric = "accuracy",
    *,
    shape: tuple[int, ...] | None = None,
    positions: Positions = "flat",
) -> Loss:
    """What it costs the whole network to have ``module`` in the place of the block ``path``.

    Parameters
    ----------
    data : as for :func:`capture`.
    targets : (n,) classes, (n, k) numbers, one row for each of the data.
    metric : ``accuracy`` (the part of rows whose largest answer is the target; of one answer,
        whether it is above 0), ``mse``, or a function of answers and targets.

    Raises
    ------
    TeacherError : when there is no such block, or the targets are not as many as the answers.
    """
    data = data if isinstance(data, np.ndarray | torch.Tensor) else list(data)
    other = replaced(network, path, module, shape, positions)
    wanted = torch.as_tensor(np.asarray(targets))
    return Loss(_judged(network, data, wanted, metric), _judged(other, data, wanted, metric))


def _judged(network: torch.nn.Module, data: Any, targets: torch.Tensor, metric: Metric) -> float:
    with torch.no_grad(), evaluating(network):
        answers = torch.cat([network(*batch).cpu() for batch in batches(data, network)])
    if len(answers) != len(targets):
        raise TeacherError(
            f"the network gives {len(answers)} answers, and there are {len(targets)} targets.",
            hint="give one target for each row of the data.",
        )
    if metric == "accuracy":
        rows = answers.reshape(len(answers), -1)
        labels = rows.argmax(dim=1) if rows.shape[1] > 1 else (rows[:, 0] > 0).long()
        return float((labels == targets.reshape(-1)).double().mean())
    if metric == "mse":
        apart_by = answers.double().reshape(-1) - targets.double().reshape(-1)
        return float((apart_by**2).mean())
    return float(metric(answers, targets))
