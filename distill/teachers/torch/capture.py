"""What goes into a block of a network and comes out of it, while real data run through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, cast

import numpy as np
import torch

from distill.arrays import Array
from distill.errors import TeacherError

Positions = Literal["flat", "each"]
"""Whether a block's point is all of its input, or the channels at each position of it."""

BATCH = 256
"""Rows of an array of data that go through the network at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """One input tensor of a block: its number or keyword, a row's shape, and the tensor's rank."""

    name: str
    shape: tuple[int, ...]
    rank: int


@dataclass(frozen=True)
class Captured:
    """A block's calls, all of them: rows of its inputs and of its answers.

    Attributes
    ----------
    inputs, outputs : (n, d) and (n, k); several input tensors stand side by side.
    parts : the input tensors.
    answer : the shape of one row's answer.
    calls : how often the block was called.
    """

    inputs: Array
    outputs: Array
    parts: tuple[Part, ...]
    answer: tuple[int, ...]
    calls: int


def submodule(network: torch.nn.Module, path: str) -> torch.nn.Module:
    """The block called ``path``, such as ``features.3``.

    Raises
    ------
    TeacherError : naming those there are.
    """
    blocks: dict[str, torch.nn.Module] = dict(network.named_modules())
    if path and path in blocks:
        return blocks[path]
    names = [name for name in blocks if name]
    shown = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
    raise TeacherError(
        f"the network has no block `{path}`.",
        where="config key `teacher.options.block`",
        hint=f"its blocks: {shown}." if names else "it has no blocks at all.",
    )


def capture(
    network: torch.nn.Module, path: str, data: Any, positions: Positions = "flat"
) -> Captured:
    """Run ``data`` through the network, and keep what its block ``path`` sees and answers.

    The network runs where it is, in evaluation mode, and is left as it was. A block that is called
    several times in one pass, as message functions are, gives the rows of all its calls.

    Parameters
    ----------
    data : an array or tensor (n, ...), run in batches; or batches themselves, each a tensor or a
        tuple of the network's arguments.
    positions : ``each`` takes images (n, channels, height, width) apart into their positions, and
        sequences (n, length, features) into their elements.

    Raises
    ------
    TeacherError : when the block is never called, or takes or gives something else than tensors
        whose first dimension counts rows.
    """
    block = submodule(network, path)
    seen: list[tuple[dict[str, torch.Tensor], torch.Tensor]] = []

    def keep(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any) -> None:
        named = {str(i): part for i, part in enumerate(args)} | kwargs
        seen.append((_arguments(named, path), _answer(answer, path)))

    hook = block.register_forward_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad(), evaluating(network):
            for batch in batches(data, network):
                network(*batch)
    finally:
        hook.remove()
    if not seen:
        raise TeacherError(
            f"no data came through the block `{path}`: the network never calls it.",
            where=f"block `{path}`",
            hint="choose a block that forward() calls as a module.",
        )
    first, answer = seen[0]
    parts = tuple(
        Part(name, tuple(apart(part, positions).shape[1:]), part.dim())
        for name, part in first.items()
    )
    shape = tuple(apart(answer, positions).shape[1:])
    inputs, outputs = [], []
    for arguments, result in seen:
        rows = [_rows(part, positions) for part in arguments.values()]
        found = np.concatenate(rows, axis=1), _rows(result, positions)
        widths = sum(prod(part.shape) for part in parts), prod(shape)
        if len(found[0]) != len(found[1]):
            raise TeacherError(
                f"the block sees {len(found[0])} rows and gives {len(found[1])}.",
                where=f"block `{path}`",
                hint="choose positions=flat, or a block that answers each row.",
            )
        if (found[0].shape[1], found[1].shape[1]) != widths:
            raise TeacherError(
                f"the calls of the block differ in shape: {widths[0]} numbers in and {widths[1]} "
                f"out, then {found[0].shape[1]} and {found[1].shape[1]}.",
                where=f"block `{path}`",
                hint="feed data of one size, or choose positions=each.",
            )
        inputs.append(found[0])
        outputs.append(found[1])
    return Captured(np.concatenate(inputs), np.concatenate(outputs), parts, shape, len(seen))


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; each part goes back to the mode that it was in."""
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def batches(data: Any, network: torch.nn.Module) -> Iterator[tuple[Any, ...]]:
    """The arguments of each pass, tensors moved to where the network is.

    Numbers of an array take the network's precision.
    """
    place = next(network.parameters(), torch.empty(0))

    def moved(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            part = torch.from_numpy(part)
            part = part.to(place.dtype) if part.is_floating_point() else part
        return part.to(place.device) if isinstance(part, torch.Tensor) else part

    if isinstance(data, np.ndarray | torch.Tensor):
        for at in range(0, len(data), BATCH):
            yield (moved(data[at : at + BATCH]),)
        return
    if not isinstance(data, Iterable):
        raise TeacherError(
            f"a {type(data).__name__} is no data for the network.",
            hint="give an array (n, ...), or batches.",
        )
    for batch in data:
        yield tuple(moved(p) for p in batch) if isinstance(batch, list | tuple) else (moved(batch),)


def _arguments(named: dict[str, Any], path: str) -> dict[str, torch.Tensor]:
    tensors = {key: part for key, part in named.items() if part is not None}
    for key, part in tensors.items():
        if not isinstance(part, torch.Tensor) or part.dim() == 0:
            raise TeacherError(
                f"the block takes a {type(part).__name__} as `{key}`, not a tensor of rows.",
                where=f"block `{path}`",
                hint="choose a smaller block, whose inputs are tensors (n, ...).",
            )
    counts = {len(part) for part in tensors.values()}
    if len(counts) != 1:
        raise TeacherError(
            f"the block's inputs have {sorted(counts)} rows; they must have equally many.",
            where=f"block `{path}`",
            hint="choose a block that sees one row of each input for one row of its answer.",
        )
    return tensors


def _answer(answer: Any, path: str) -> torch.Tensor:
    if isinstance(answer, torch.Tensor) and answer.dim() > 0:
        return answer
    raise TeacherError(
        f"the block answers with a {type(answer).__name__}, not with one tensor of rows.",
        where=f"block `{path}`",
        hint="choose a block inside it, or one around it, that gives one tensor.",
    )


def apart(tensor: torch.Tensor, positions: Positions) -> torch.Tensor:
    """Rows of points: with ``each``, every position of an image or sequence is one."""
    if positions == "each" and tensor.dim() == 4:
        return tensor.movedim(1, 3).reshape(-1, tensor.shape[1])
    if positions == "each" and tensor.dim() == 3:
        return tensor.reshape(-1, tensor.shape[2])
    return tensor


def _rows(tensor: torch.Tensor, positions: Positions) -> Array:
    rows = apart(tensor.detach(), positions).double().cpu()
    return cast(Array, rows.reshape(len(rows), -1).numpy())
