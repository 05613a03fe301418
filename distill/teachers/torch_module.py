"""Torch modules as teachers: evaluated in float64 whatever precision they were trained in."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.torch.batches import in_batches, out_of_memory
from distill.teachers.torch.device import Precision, dtype_of

if TYPE_CHECKING:
    import torch

    from distill.teachers.torch.tracing import Traced


@dataclass(frozen=True)
class TorchTeacher:
    """A module (n, *shape) -> (n, k), a copy of its own in evaluation mode.

    Attributes
    ----------
    classes : the names of its classes, where it classifies (see :class:`base.Classifier`).
    shape : of one point as the module takes it; the inputs in a row where empty.
    dtype, device : what the module is evaluated in and on.
    batch : how many points it takes at once, for a network exported for one number only.
    """

    module: torch.nn.Module = field(repr=False)
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    domain: Domain | None = None
    validation_error: float | None = None
    inputs: int | None = None
    can_be_asked: bool = True
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: Precision = "float64"
    device: str = "cpu"
    batch: int | None = None

    def predict(self, x: Array) -> Array:
        """Whatever the module answers at x (n, d); for :class:`Checked` to judge."""
        import torch

        with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
            answers = self._in_batches(x)
        return np.asarray(answers.double().numpy(), dtype=np.float64)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, k, d), by automatic differentiation.

        Raises
        ------
        NotDifferentiable : when the module leaves torch's graph on the way.
        """
        import torch

        if not len(x):
            return np.empty((0, len(self.outputs), x.shape[1]))
        try:
            with torch.backends.cudnn.flags(allow_tf32=False):
                return self._in_batches(x, slopes=True).double().numpy()
        except RuntimeError as error:
            if out_of_memory(error):
                raise
            raise NotDifferentiable(
                f"the module `{self.name}` cannot be differentiated: {str(error).splitlines()[0]}",
                hint="use torch operations only between its input and its output.",
            ) from error

    @cached_property
    def traced(self) -> Traced:
        """The module's own arithmetic, or why it is not known."""
        from distill.teachers.torch.tracing import chain_of

        inputs = self.inputs or (len(self.domain) if self.domain else 0)
        return chain_of(self.module, self.shape or (inputs,), self.batch or 2)

    @property
    def chain(self) -> Chain | None:
        """From the inputs to all outputs, where the module is made of known layers."""
        return self.traced.chain

    @property
    def why_no_chain(self) -> str:
        """Why there is no chain; empty where there is one."""
        return self.traced.reason

    def _in_batches(self, x: Array, slopes: bool = False) -> torch.Tensor:
        import torch

        points = torch.from_numpy(x)
        ask = self._slopes if slopes else self._ask
        if self.batch is None:
            return in_batches(ask, points, self.device)
        parts = [points[at : at + self.batch] for at in range(0, len(x), self.batch)]
        return torch.cat([ask(_padded(part, self.batch))[: len(part)] for part in parts])

    def _ask(self, points: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.module(self._seen(points))
        return answer.reshape(len(answer), -1).cpu() if answer.dim() > 1 else answer.cpu()

    def _slopes(self, points: torch.Tensor) -> torch.Tensor:
        import torch

        seen = self._seen(points).requires_grad_()
        answer = self.module(seen).reshape(len(points), len(self.outputs))
        slopes = [
            torch.autograd.grad(answer[:, k].sum(), seen, retain_graph=True)[0]
            for k in range(len(self.outputs))
        ]
        return torch.stack([s.reshape(len(points), -1) for s in slopes], dim=1).cpu()

    def _seen(self, points: torch.Tensor) -> torch.Tensor:
        """The points as the module takes them."""
        moved = points.to(device=self.device, dtype=dtype_of(self.dtype), copy=True)
        return moved.reshape(len(points), *self.shape) if self.shape else moved


def _padded(points: torch.Tensor, size: int) -> torch.Tensor:
    """``size`` points, the last one repeated."""
    import torch

    return torch.cat([points, points[-1:].expand(size - len(points), -1)])


def from_module(
    module: torch.nn.Module,
    name: str,
    outputs: tuple[Output, ...],
    domain: Domain | None,
    *,
    classes: tuple[str, ...] = (),
    shape: tuple[int, ...] = (),
    dtype: Precision = "float64",
    device: str = "cpu",
    inputs: int | None = None,
) -> TorchTeacher:
    """A teacher from a module given in Python; the module itself is left as it is.

    A module that switches between training and evaluation (dropout, batch normalisation) answers
    in evaluation mode.
    """
    return TorchTeacher(
        module=frozen(module, dtype, device),
        name=name,
        outputs=outputs,
        domain=domain,
        fingerprint=of_module(module, classes, shape, dtype),
        inputs=inputs,
        classes=classes,
        shape=shape,
        dtype=dtype,
        device=device,
    )


def frozen(module: torch.nn.Module, dtype: Precision, device: str) -> torch.nn.Module:
    """A copy in evaluation mode, whose weights do not change any more."""
    return deepcopy(module).to(device=device, dtype=dtype_of(dtype)).eval().requires_grad_(False)


def of_module(module: torch.nn.Module, *parts: object) -> str:
    """The fingerprint of a module: its layers, their code where it is the user's, its weights."""
    state: Mapping[str, torch.Tensor] = module.state_dict()
    layout = [(path, type(part).__qualname__) for path, part in module.named_modules()]
    own = [
        type(part) for part in module.modules() if not type(part).__module__.startswith("torch.")
    ]
    return fingerprint.of("module", repr(module), layout, own, dict(state), *parts)
