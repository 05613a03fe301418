"""One block of a network as a teacher of its own, over the inputs that it really sees."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ConfigError, TeacherError
from distill.teachers.base import Output
from distill.teachers.torch.capture import Captured, Positions, capture, submodule
from distill.teachers.torch.device import Precision
from distill.teachers.torch_module import TorchTeacher, from_module

AGREEMENT = 1e-4
"""How far the block alone may be off its answers in the network, relative to the largest: the
network may compute in float32."""


class Alone(torch.nn.Module):
    """A block asked by rows (n, d): takes them apart into the tensors that the block takes."""

    def __init__(self, block: torch.nn.Module, captured: Captured, positions: Positions) -> None:
        super().__init__()
        self.block = block
        self.parts = captured.parts
        self.each = positions == "each"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answers (n, k) at x (n, d)."""
        args: list[torch.Tensor] = []
        kwargs: dict[str, torch.Tensor] = {}
        at = 0
        for found in self.parts:
            width = prod(found.shape)
            part = x[:, at : at + width].reshape(x.shape[0], *found.shape)
            at += width
            if self.each and found.rank == 4:
                part = part[:, :, None, None]
            elif self.each and found.rank == 3:
                part = part[:, None, :]
            if found.name.isdigit():
                args.append(part)
            else:
                kwargs[found.name] = part
        answer: torch.Tensor = self.block(*args, **kwargs)
        return answer.reshape(x.shape[0], -1)


@dataclass(frozen=True)
class Block:
    """A block of a network.

    Attributes
    ----------
    path : its dotted name.
    teacher : the block alone, which can be asked anywhere.
    captured : its inputs and answers while the data ran through the network.
    positions : what one point of it is.
    """

    path: str
    teacher: TorchTeacher
    captured: Captured
    positions: Positions

    @property
    def domain(self) -> Domain:
        """The box of the inputs that were seen."""
        assert self.teacher.domain is not None
        return self.teacher.domain

    def frame(self) -> Any:
        """Inputs and answers as a DataFrame, a table that ``load_teacher`` takes."""
        import pandas as pd

        names = [*self.domain.names, *(output.name for output in self.teacher.outputs)]
        return pd.DataFrame(np.hstack([self.captured.inputs, self.captured.outputs]), columns=names)


def block_teacher(
    network: torch.nn.Module,
    path: str,
    data: Any,
    *,
    name: str = "block",
    positions: Positions = "flat",
    margin: float = 0.0,
    quantile: float = 0.0,
    outputs: tuple[Output, ...] | None = None,
    dtype: Precision = "float64",
    device: str = "cpu",
) -> Block:
    """The block of a network called ``path``, over the inputs it sees while ``data`` run through.

    Parameters
    ----------
    data, positions : see :func:`capture`.
    margin : how much wider than what was seen the domain is, on each side, as a part of its width.
    quantile : the part of the rows left out at each end of each input, below one half.
    outputs : names and units; ``y1``, ``y2`` ... if None.

    Raises
    ------
    TeacherError : when there is no such block, it takes or gives no plain tensors, or it does not
        answer rows alone as it answers them inside the network.
    """
    captured = capture(network, path, data, positions)
    count = len(captured.inputs)
    finite = int(np.isfinite(captured.inputs).all(axis=1).sum())
    if finite < count:
        raise TeacherError(
            f"{count - finite} of {count} rows that the block sees are not finite.",
            where=f"block `{path}`",
            hint="leave out the data that make the network overflow.",
        )
    teacher = from_module(
        Alone(submodule(network, path), captured, positions),
        name,
        outputs or _numbered("y", captured.outputs.shape[1]),
        seen_domain(captured.inputs, margin=margin, quantile=quantile),
        dtype=dtype,
        device=device,
        inputs=captured.inputs.shape[1],
    )
    _check(teacher, captured, path)
    return Block(path, teacher, captured, positions)


def seen_domain(inputs: Array, *, margin: float = 0.0, quantile: float = 0.0) -> Domain:
    """The box of the rows (n, d), its variables called x1, x2 ...

    An input that never changed gets a narrow range around its value, because a box has width.

    Raises
    ------
    ConfigError : for a margin or quantile that is none.
    """
    for key, value, most in (("margin", margin, np.inf), ("quantile", quantile, 0.5)):
        if not 0 <= value < most:
            raise ConfigError(
                f"`{value}` is no {key}: at least 0"
                + (", below 0.5." if most < 1 else ", and finite."),
                where=f"config key `teacher.options.block_{key}`",
            )
    low, high = np.quantile(inputs, [quantile, 1 - quantile], axis=0)
    width = high - low
    width = np.where(width > 0, width * margin, np.maximum(1e-3, np.abs(low) * 1e-3))
    return Domain(
        tuple(
            Variable(f"x{i + 1}", float(a - w), float(b + w))
            for i, (a, b, w) in enumerate(zip(low, high, width, strict=True))
        )
    )


def _numbered(letter: str, count: int) -> tuple[Output, ...]:
    names = [letter] if count == 1 else [f"{letter}{i + 1}" for i in range(count)]
    return tuple(Output(name) for name in names)


def _check(teacher: TorchTeacher, captured: Captured, path: str) -> None:
    """Refuse a block that answers rows alone otherwise than in the network."""
    # Some of the rows only: in other company, rows that depend on each other answer otherwise.
    count = len(captured.inputs)
    rows = np.linspace(0, count - 1, max(1, min(64, count // 2))).astype(int)
    try:
        answers = teacher.predict(captured.inputs[rows])
        wanted = captured.outputs[rows]
        off = float(np.max(np.abs(answers - wanted))) if answers.shape == wanted.shape else np.inf
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise TeacherError(
            f"the block cannot be asked alone: {str(error).splitlines()[0]}.",
            where=f"block `{path}`",
            hint="choose positions=flat, or another block.",
        ) from error
    if not off <= AGREEMENT * max(1.0, float(np.max(np.abs(wanted)))):
        raise TeacherError(
            f"asked row by row, the block is off its own answers in the network by {off:.3g}.",
            where=f"block `{path}`",
            hint="its rows depend on each other or on their position: choose positions=flat, or "
            "a block around it.",
        )
