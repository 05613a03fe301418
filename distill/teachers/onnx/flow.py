"""What is known of a tensor while a graph is read as a chain."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.columns import Branches

if TYPE_CHECKING:
    import onnx

Constant = npt.NDArray[Any]


class NoChain(Exception):
    """Why a graph has no chain, in a sentence."""


@dataclass(frozen=True, eq=False)
class Flow:
    """A tensor that depends on the inputs.

    Attributes
    ----------
    inputs : how many columns the model takes.
    steps : from those to this tensor's numbers, row by row.
    shape : of one point.
    double : whether the model computes it in double.
    """

    inputs: int
    steps: tuple[Step, ...]
    shape: tuple[int, ...]
    double: bool = False

    @property
    def width(self) -> int:
        """How many numbers it holds for a point."""
        return math.prod(self.shape)

    def then(self, *steps: Step, shape: tuple[int, ...] | None = None) -> Flow:
        """The tensor after these steps; of the same shape unless another is given."""
        return Flow(
            self.inputs, self.steps + steps, self.shape if shape is None else shape, self.double
        )

    def shaped(self, shape: tuple[int, ...]) -> Flow:
        """The same numbers in another shape."""
        return Flow(self.inputs, self.steps, shape, self.double)


Value = Flow | Constant


@dataclass(frozen=True)
class Node:
    """An operator with its attributes and what flows into it."""

    name: str
    given: Mapping[str, Any]
    inputs: tuple[Value | None, ...]

    def flow(self, i: int = 0) -> Flow:
        """Input i, which depends on the model's inputs."""
        value = self.inputs[i] if i < len(self.inputs) else None
        if not isinstance(value, Flow):
            raise NoChain(f"input {i} of `{self.name}` does not depend on the model's inputs")
        return value

    def constant(self, i: int) -> Constant | None:
        """Input i, which is stored in the model; None where it is left out."""
        value = self.inputs[i] if i < len(self.inputs) else None
        if isinstance(value, Flow):
            raise NoChain(f"input {i} of `{self.name}` is computed, not stored in the model")
        return value

    def numbers(self, i: int) -> npt.NDArray[np.float64]:
        """A stored input, which must be there, in float64."""
        value = self.constant(i)
        if value is None:
            raise NoChain(f"`{self.name}` lacks its input {i}")
        return np.asarray(value, dtype=np.float64)


Handler = Callable[[Node], Flow | tuple[Flow, ...]]
"""Reads one operator; of several outputs it gives those that it knows."""


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as plain values; text as str."""
    from onnx import helper, numpy_helper

    result: dict[str, Any] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if attribute.type == attribute.TENSOR:
            value = numpy_helper.to_array(attribute.t)
        elif isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif attribute.type == attribute.STRINGS:
            value = [text.decode(errors="replace") for text in value]
        result[attribute.name] = value
    return result


def joined(flows: list[Flow], shape: tuple[int, ...]) -> Flow:
    """Several tensors, one after another; what they have in common is computed once."""
    common = 0
    while all(len(f.steps) > common for f in flows) and all(
        f.steps[common] is flows[0].steps[common] for f in flows
    ):
        common += 1
    first = flows[0]
    width = first.steps[common - 1].outputs if common else first.inputs
    branches = Branches(tuple(Chain(width, flow.steps[common:]) for flow in flows))
    return Flow(
        first.inputs, (*first.steps[:common], branches), shape, any(f.double for f in flows)
    )
