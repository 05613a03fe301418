"""The module of a multilayer perceptron in float64, its scaling included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from distill.arrays import Array

FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "leaky_relu": functional.leaky_relu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sin": torch.sin,
}
"""What stands between the layers, each with torch's own default parameters."""


class MLP(torch.nn.Module):
    """Maps x (n, d) to (n, k): scale, affine layers with an activation between, scale back.

    ``weights`` and ``biases`` are lists of parameters of shapes (out, in) and (out,).
    """

    input_mean: torch.Tensor
    input_scale: torch.Tensor
    output_mean: torch.Tensor
    output_scale: torch.Tensor

    def __init__(
        self,
        layers: Sequence[tuple[Array, Array]],
        activation: str,
        input_scaling: tuple[Sequence[float], Sequence[float]],
        output_scaling: tuple[Sequence[float], Sequence[float]],
    ) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterList([torch.tensor(weight) for weight, _ in layers])
        self.biases = torch.nn.ParameterList([torch.tensor(bias) for _, bias in layers])
        self.activation = activation
        for side, (mean, scale) in (("input", input_scaling), ("output", output_scaling)):
            self.register_buffer(f"{side}_mean", torch.tensor(mean, dtype=torch.float64))
            self.register_buffer(f"{side}_scale", torch.tensor(scale, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answers (n, k) at x (n, d)."""
        between = FUNCTIONS[self.activation]
        h = (x - self.input_mean) / self.input_scale
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = functional.linear(between(h) if i else h, weight, bias)
        return h * self.output_scale + self.output_mean
