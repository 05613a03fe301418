"""Torch modules as teachers: evaluated in float64 whatever precision they were trained in."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.teachers import fingerprint
from distill.teachers.base import Output

if TYPE_CHECKING:
    import torch

BATCH = 65_536
"""Points evaluated at once: bounds the memory of the hidden layers."""


@dataclass(frozen=True)
class TorchTeacher:
    """A module (n, d) -> (n, k), a float64 copy of its own in evaluation mode."""

    module: torch.nn.Module = field(repr=False)
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    domain: Domain | None = None
    validation_error: float | None = None
    inputs: int | None = None
    can_be_asked: bool = True

    def predict(self, x: Array) -> Array:
        """Whatever the module answers at x (n, d); for :class:`Checked` to judge."""
        import torch

        with torch.no_grad():
            parts = [
                self.module(torch.from_numpy(x[at : at + BATCH])).numpy()
                for at in range(0, len(x), BATCH)
            ]
        return np.concatenate(parts)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, k, d), by automatic differentiation.

        Raises
        ------
        NotDifferentiable : when the module leaves torch's graph on the way.
        """
        try:
            return self._slopes(x)
        except RuntimeError as error:
            raise NotDifferentiable(
                f"the module `{self.name}` cannot be differentiated: {str(error).splitlines()[0]}",
                hint="use torch operations only between its input and its output.",
            ) from error

    def _slopes(self, x: Array) -> Array:
        import torch

        result = np.empty((len(x), len(self.outputs), x.shape[1]))
        for at in range(0, len(x), BATCH):
            points = torch.from_numpy(x[at : at + BATCH]).requires_grad_()
            answer = self.module(points).reshape(len(points), len(self.outputs))
            for k in range(len(self.outputs)):
                slope = torch.autograd.grad(answer[:, k].sum(), points, retain_graph=True)[0]
                result[at : at + BATCH, k] = slope.numpy()
        return result


def from_module(
    module: torch.nn.Module, name: str, outputs: tuple[Output, ...], domain: Domain | None
) -> TorchTeacher:
    """A teacher from a module given in Python; the module itself is left as it is.

    A module that switches between training and evaluation (dropout, batch normalisation) answers
    in evaluation mode.
    """
    import torch

    state: Mapping[str, torch.Tensor] = module.state_dict()
    layout = [(path, type(part).__qualname__) for path, part in module.named_modules()]
    own = [
        type(part) for part in module.modules() if not type(part).__module__.startswith("torch.")
    ]
    copy = deepcopy(module).to(device="cpu", dtype=torch.float64).eval().requires_grad_(False)
    return TorchTeacher(
        module=copy,
        name=name,
        outputs=outputs,
        domain=domain,
        fingerprint=fingerprint.of("module", repr(module), layout, own, dict(state)),
    )
