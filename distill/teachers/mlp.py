"""The module of a multilayer perceptron in float64, its scaling included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch.nn import functional

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Function
from distill.teachers.torch.pieces import Piece, less, over, scaled

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

PARAMETERS = {"leaky_relu": 0.01, "elu": 1.0}
"""Those parameters."""


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

    def chain(self) -> Chain:
        """Its arithmetic: the same steps that torch's trace of it is read as."""
        function = cast("Function", self.activation)
        piece = over(
            less(Piece((), tuple(self.input_mean.shape)), self.input_mean.numpy()),
            self.input_scale.numpy(),
        )
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if i:
                piece = piece.then(Apply(function, piece.width, PARAMETERS.get(function, 0.0)))
            layer = Affine(weight.detach().numpy(), bias.detach().numpy())
            piece = piece.then(layer, shape=tuple(bias.shape))
        piece = scaled(piece, self.output_scale.numpy(), np.array(0.0))
        piece = scaled(piece, np.array(1.0), self.output_mean.numpy())
        return Chain(self.weights[0].shape[1], piece.steps)
