"""A traced call of an operator, with its arguments by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from distill.arrays import Array
from distill.teachers.torch.pieces import Piece, Unknown


@dataclass(frozen=True)
class Call:
    """An operator's call: its arguments by the names of its schema, pieces and plain values.

    ``inputs`` is how many inputs the network has.
    """

    name: str
    given: dict[str, Any]
    inputs: int

    def piece(self, key: str = "self") -> Piece:
        """An argument that depends on the network's inputs."""
        value = self.given.get(key)
        if not isinstance(value, Piece):
            raise Unknown(f"`{self.name}` takes its `{key}` from no input")
        return value

    def constant(self, key: str) -> Array:
        """An argument that does not."""
        value = self.given.get(key)
        if isinstance(value, Piece):
            raise Unknown(f"the `{key}` of `{self.name}` depends on the inputs")
        if isinstance(value, torch.Tensor):
            return np.asarray(value.detach().double().numpy(), dtype=np.float64)
        return np.asarray(value, dtype=np.float64)

    def number(self, key: str, default: float) -> float:
        """A number among the arguments."""
        value = self.given.get(key)
        return default if value is None else float(self.constant(key))


Rule = Callable[[Call], Piece]
