"""An exported graph as a module of ours: calls of allowed operators, one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from distill.teachers.torch.batches import bytes_made

LARGEST = 2**31
"""Bytes that a tensor on the way may have for one point (or one batch of a fixed size)."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an earlier call gave, or an input, by its name."""

    name: str


@dataclass(frozen=True)
class Call:
    """``results`` are the names of what it gives; one for each part where it gives several."""

    target: str
    operator: Callable[..., Any] = field(repr=False)
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    results: tuple[str | None, ...]
    several: bool = False


@dataclass(frozen=True)
class Graph:
    """Calls from one input tensor to one output tensor, as data.

    Attributes
    ----------
    input, output : the names of the two.
    shape : of one point, without the batch.
    batch : how many points it takes at once, where it was exported for one number only.
    constants : parameters, buffers and constants by name.
    """

    input: str
    output: str
    shape: tuple[int, ...]
    batch: int | None
    constants: Mapping[str, torch.Tensor]
    calls: tuple[Call, ...]


class GraphNetwork(torch.nn.Module):
    """Maps (n, *shape) to whatever the graph answers, in the precision it was exported in.

    ``to(dtype)`` changes the precision of constants and of the conversions on the way.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.places = {name: f"constant_{i}" for i, name in enumerate(graph.constants)}
        for name, tensor in graph.constants.items():
            self.register_buffer(self.places[name], tensor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The answers at x (n, *shape)."""
        found: dict[str, Any] = {
            name: getattr(self, place) for name, place in self.places.items()
        } | {self.graph.input: x}

        def value(part: object) -> object:
            if isinstance(part, Value):
                return found[part.name]
            if isinstance(part, list):
                return [value(entry) for entry in part]
            if isinstance(part, torch.dtype) and part.is_floating_point:
                return x.dtype
            return x.device if isinstance(part, torch.device) else part

        for call in self.graph.calls:
            kwargs = {key: value(part) for key, part in call.kwargs.items()}
            result = call.operator(*(value(part) for part in call.args), **kwargs)
            parts: Sequence[Any] = result if call.several else (result,)
            for name, part in zip(call.results, parts, strict=True):
                if name is not None:
                    found[name] = part
        answer: torch.Tensor = found[self.graph.output]
        return answer


def largest_tensor(network: GraphNetwork) -> tuple[int, tuple[int, ...]]:
    """Bytes of the largest tensor made for one point (or one batch), and the answer's shape.

    Found with tensors that have shapes but no contents, so that nothing is allocated.
    """
    empty = {
        name: torch.empty_like(buffer, device="meta") for name, buffer in network.named_buffers()
    }
    x = torch.empty(network.graph.batch or 1, *network.graph.shape, device="meta")
    shapes: list[tuple[int, ...]] = []

    def ask() -> None:
        answer = torch.func.functional_call(network, empty, (x.to(_precision(network)),))
        shapes.append(tuple(answer.shape))

    with torch.no_grad():
        most = bytes_made(ask)[1]
    return most, shapes[0]


def _precision(network: GraphNetwork) -> torch.dtype:
    floats = [b.dtype for b in network.buffers() if b.is_floating_point()]
    return floats[0] if floats else torch.float32
