"""A module's own arithmetic as a chain: traced by torch, then read operator by operator."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch

from distill.chain.chain import Chain
from distill.chain.steps.columns import Pick
from distill.errors import DistillError
from distill.teachers.mlp import MLP
from distill.teachers.torch.calls import Call
from distill.teachers.torch.pieces import Piece, Unknown, side_by_side
from distill.teachers.torch.rules import MOVES, NOTHING, RULES

AGREEMENT = 1e-9
"""How far the chain may be off at points drawn at random, relative to the largest answer."""


@dataclass(frozen=True)
class Traced:
    """A module's chain, or the reason why it has none."""

    chain: Chain | None
    reason: str = ""


def chain_of(module: torch.nn.Module, shape: Sequence[int], batch: int = 2) -> Traced:
    """The module's arithmetic from one point's inputs (of this shape, in a row) to its answers.

    Known are matrix products, convolutions of one and two dimensions, batch normalisation, pooling,
    the functions of :mod:`distill.chain.steps.elementwise`, sums and products of values, and
    everything that only moves numbers about. The chain is compared with the module before it is
    believed.

    Parameters
    ----------
    module : maps (n, *shape) to (n, ...), each point on its own. It is left as it is.
    batch : the number of points it is traced with.
    """
    shape = tuple(shape)
    try:
        chain = _read(module, shape, batch)
    except Unknown as unknown:
        return Traced(None, f"the network has no closed form here: {unknown}.")
    except DistillError as error:
        return Traced(None, f"the network has no closed form here: {error.what}")
    except Exception as error:
        # Whatever a module of the user's makes the tracer raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Traced(None, f"torch cannot trace the network: {first}")
    return Traced(chain)


def _read(module: torch.nn.Module, shape: tuple[int, ...], batch: int) -> Chain:
    from copy import deepcopy

    if isinstance(module, torch.jit.ScriptModule):
        raise Unknown(
            "TorchScript keeps a program that torch cannot trace; torch.export.save writes the "
            "same model so that it can be read (.pt2)"
        )
    copy = deepcopy(module).to(device="cpu", dtype=torch.float64).eval()
    if isinstance(copy, MLP):  # ours: torch's compiler takes seconds to load
        return copy.chain()
    points = torch.from_numpy(np.random.default_rng(0).standard_normal((batch, *shape)))
    with _quiet():
        program = torch.export.export(copy, (points,))
    reader = _Reader(program, Piece((), shape), batch)
    last = reader.answer()
    chain = Chain(prod(shape), last.steps)
    with torch.no_grad():
        answers = copy(points).reshape(batch, -1).numpy()
    found = chain.evaluate(points.reshape(batch, -1).numpy(), "double")
    if found.shape != answers.shape:
        raise Unknown(f"it answers {answers.shape[1]} numbers and is read as {found.shape[1]}")
    off = float(np.max(np.abs(found - answers), initial=0.0))
    if not off <= AGREEMENT * max(1.0, float(np.max(np.abs(answers), initial=0.0))):
        raise Unknown(f"read operator by operator it is off by {off:.3g}")
    return chain


class _Reader:
    """Goes through a traced program call by call; pieces depend on the inputs, tensors do not."""

    def __init__(self, program: torch.export.ExportedProgram, start: Piece, batch: int) -> None:
        self.program = program
        self.batch = batch
        self.inputs = start.width
        self.found: dict[torch.fx.Node, Any] = {}
        self.start = start

    def answer(self) -> Piece:
        """The piece that the program gives."""
        signature = self.program.graph_signature
        stored: dict[str, Any] = {**self.program.state_dict, **self.program.constants}
        names = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        if signature.buffers_to_mutate:
            raise Unknown("it changes itself while it answers")
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.found[node] = stored[names[node.name]] if node.name in names else self.start
            elif node.op == "output":
                results = self.value(node.args[0])
                if len(results) != 1 or not isinstance(results[0], Piece):
                    raise Unknown(f"it gives {len(results)} values, or one that no input decides")
                last: Piece = results[0]
                return last
            else:
                self.found[node] = self.called(node)
        raise Unknown("it gives nothing")

    def value(self, part: Any) -> Any:
        """An argument of a call: what earlier calls gave in the place of their nodes."""
        if isinstance(part, torch.fx.Node):
            return self.found[part]
        if isinstance(part, list | tuple):
            return type(part)(self.value(p) for p in part)
        return part

    def called(self, node: torch.fx.Node) -> Any:
        """What one call gives."""
        target: Any = node.target
        args, kwargs = self.value(node.args), self.value(tuple(node.kwargs.values()))
        by_name = dict(zip(node.kwargs, kwargs, strict=True))
        if not isinstance(target, torch._ops.OpOverload):
            if _pieces([args, by_name]) and getattr(target, "__name__", "") != "getitem":
                raise Unknown(f"it calls `{getattr(target, '__name__', target)}`")
            return target(*args, **by_name)
        name = target._schema.name.split("::")[1]
        name = name if name.startswith("_") else name.rstrip("_")
        pieces = _pieces([args, by_name])
        if not pieces:
            return target(*args, **by_name)
        given = dict(zip((a.name for a in target._schema.arguments), args, strict=False)) | by_name
        if name in {"_assert_tensor_metadata", "_assert_scalar"}:
            return None
        if name in NOTHING:
            if given.get("train"):
                raise Unknown(f"its {name} is in training mode")
            dtype = given.get("dtype")
            if dtype is not None and not dtype.is_floating_point:
                raise Unknown(f"it turns numbers into {dtype}")
            return pieces[0]
        if name in MOVES:
            return self.moved(target, args, by_name, pieces)
        if name not in RULES:
            raise Unknown(f"there is no step for its `{name}`")
        result = RULES[name](Call(name, given, self.inputs))
        wanted = tuple(node.meta["val"].shape)
        if (self.batch, *result.shape) != wanted:
            raise Unknown(f"its `{name}` gives the shape {list(wanted)}")
        return result

    def moved(self, target: Any, args: Any, kwargs: dict[str, Any], pieces: list[Piece]) -> Any:
        """What moves numbers about, tried out on their places."""
        distinct = list({id(piece): piece for piece in pieces}.values())
        both = side_by_side(distinct, self.inputs)
        starts = np.cumsum([0, *(piece.width for piece in distinct)])
        rows = torch.arange(self.batch * both.width).reshape(self.batch, both.width)
        places = {
            id(piece): rows[:, start : start + piece.width].reshape(self.batch, *piece.shape)
            for piece, start in zip(distinct, starts[:-1].tolist(), strict=True)
        }
        result = target(*_placed(args, places), **_placed(kwargs, places))
        several = isinstance(result, list | tuple)
        parts = [self._picked(both, part) for part in (result if several else [result])]
        return parts if several else parts[0]

    def _picked(self, both: Piece, places: torch.Tensor) -> Piece:
        """The numbers that stand at these places, (batch, ...)."""
        own = places.reshape(places.shape[0], -1) if places.dim() else places.reshape(1, 1)
        shift = torch.arange(self.batch)[:, None] * both.width
        if len(own) != self.batch or bool((own != own[:1] + shift).any()):
            raise Unknown("it mixes points with each other")
        columns = own[0].numpy().astype(np.int64)
        shape = tuple(places.shape[1:])
        if np.array_equal(columns, np.arange(both.width)):
            return both.then(shape=shape)
        return both.then(Pick(both.width, columns), shape=shape)


def _pieces(part: Any) -> list[Piece]:
    """The pieces among arguments."""
    if isinstance(part, Piece):
        return [part]
    if isinstance(part, dict):
        part = list(part.values())
    return [p for entry in part for p in _pieces(entry)] if isinstance(part, list | tuple) else []


def _placed(part: Any, places: dict[int, torch.Tensor]) -> Any:
    if isinstance(part, Piece):
        return places[id(part)]
    if isinstance(part, dict):
        return {key: _placed(value, places) for key, value in part.items()}
    return type(part)(_placed(p, places) for p in part) if isinstance(part, list | tuple) else part


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the tracer's own log off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
