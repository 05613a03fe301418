"""Multilayer perceptrons in safe files: safetensors with metadata, or a weights-only state_dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from distill.arrays import Array
from distill.errors import TeacherError
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.card import HOW, Architecture, Card, read_outputs
from distill.teachers.torch.weights import read_weights
from distill.teachers.torch_module import TorchTeacher

if TYPE_CHECKING:
    import torch


def save_network(path: Path, card: Card, state: Mapping[str, Array]) -> None:
    """Write a network whose ``state`` holds weights and biases in the order of the layers."""
    from safetensors.numpy import save_file

    layers = _layers(card.architecture, list(state.items()))
    tensors = {
        f"layers.{i}.{key}": np.ascontiguousarray(value)
        for i, layer in enumerate(layers)
        for key, value in zip(("weight", "bias"), layer, strict=True)
    }
    save_file(tensors, path, metadata={"distill": card.to_json()})


def read_card(path: Path) -> Card:
    """The metadata of a safetensors file; the weights are not read.

    Raises
    ------
    TeacherError : when it is no such file or its metadata is missing or wrong.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise TeacherError(
            f"not a safetensors file, or a damaged one: {error}.",
            where=str(path),
            hint="write or copy it again.",
        ) from error
    if "distill" not in metadata:
        raise TeacherError(
            "the safetensors file says nothing about its network: the metadata key `distill` is "
            "missing.",
            where=str(path),
            hint="state the options `layers` and `activation` (and the domain). " + HOW,
        )
    try:
        return Card.from_json(metadata["distill"])
    except TeacherError as error:
        raise TeacherError(error.what, where=str(path), hint=error.hint) from None


def load_network(
    path: Path,
    name: str,
    *,
    architecture: Architecture | None = None,
    outputs: tuple[Output, ...] | None = None,
) -> TorchTeacher:
    """A teacher from ``.safetensors``, or from a ``.pt``/``.pth`` that holds a state_dict only.

    No code is run: the weights are data, the module is ours. A stated ``architecture`` takes the
    place of what the file says; a state_dict says nothing and needs one.

    Raises
    ------
    TeacherError : when the file is damaged, of another kind, or does not fit the architecture.
    """
    card = None
    if path.suffix.lower() == ".safetensors" and architecture is None:
        card = read_card(path)
    state = read_weights(path)
    if card is None:
        if architecture is None:
            raise TeacherError(
                "the file holds weights, but not how the network uses them.",
                where=str(path),
                hint="state the options `layers` (such as [2, 32, 32, 1]) and `activation`, and "
                "`input_mean`, `input_scale`, `output_mean`, `output_scale` if it was scaled.",
            )
        width = architecture.layers[-1]
        names = ["answer"] if width == 1 else [f"answer_{k + 1}" for k in range(width)]
        card = Card(name, architecture, read_outputs(names))
    try:
        return _teacher(card, _float64(state), outputs)
    except TeacherError as error:
        raise TeacherError(error.what, where=str(path), hint=error.hint) from None


def _teacher(
    card: Card, state: Sequence[tuple[str, Array]], outputs: tuple[Output, ...] | None
) -> TorchTeacher:
    from distill.teachers.mlp import MLP

    plan = card.architecture
    outputs = outputs or card.outputs
    if len(outputs) != plan.layers[-1]:
        raise TeacherError(
            f"the network has {plan.layers[-1]} outputs, but {len(outputs)} are named.",
            hint="name every output once.",
        )
    module = MLP(
        _layers(plan, state),
        plan.activation,
        (plan.input_mean, plan.input_scale),
        (plan.output_mean, plan.output_scale),
    )
    return TorchTeacher(
        module=module.eval().requires_grad_(False),
        name=card.name,
        outputs=outputs,
        domain=card.domain,
        fingerprint=fingerprint.of("network", asdict(plan), state),
        validation_error=card.validation_error,
        inputs=plan.layers[0],
    )


def _layers(plan: Architecture, state: Sequence[tuple[str, Array]]) -> list[tuple[Array, Array]]:
    """Weights (out, in) and biases (out,) in the order of the layers."""
    weights = [(key, value) for key, value in state if key.endswith("weight")]
    biases = [(key, value) for key, value in state if key.endswith("bias")]
    others = [key for key, _ in state if not key.endswith(("weight", "bias"))]
    wanted = len(plan.layers) - 1
    if others or len(weights) != wanted or len(biases) != wanted:
        raise TeacherError(
            f"layers {list(plan.layers)} need {wanted} weights and {wanted} biases and nothing "
            f"else; the file has {', '.join(key for key, _ in state) or 'no tensors'}.",
            hint="only plain multilayer perceptrons can be read; give another network as a "
            "function (`package.module:function`).",
        )
    sizes = zip(plan.layers[:-1], plan.layers[1:], strict=True)
    for (before, after), weight, bias in zip(sizes, weights, biases, strict=True):
        for (key, value), shape in ((weight, (after, before)), (bias, (after,))):
            if value.shape != shape:
                raise TeacherError(
                    f"`{key}` has shape {list(value.shape)}; layers {list(plan.layers)} need "
                    f"{list(shape)}.",
                    hint="correct `layers`: the widths from inputs to outputs.",
                )
            if not np.isfinite(value).all():
                raise TeacherError(
                    f"`{key}` holds values that are not finite.", hint="train the network again."
                )
    return [(w, b) for (_, w), (_, b) in zip(weights, biases, strict=True)]


def _float64(state: Mapping[str, torch.Tensor]) -> list[tuple[str, Array]]:
    for key, tensor in state.items():
        if not tensor.is_floating_point():
            raise TeacherError(
                f"`{key}` holds {tensor.dtype}, not floating-point numbers.",
                hint="only plain multilayer perceptrons can be read so; for another network name "
                "the module (`teacher.options.module=package.module:Class`).",
            )
    return [(key, cast(Array, tensor.detach().double().numpy())) for key, tensor in state.items()]


def not_supported(path: Path, kind: str) -> TeacherError:
    """The error for a format that is known but not read."""
    return TeacherError(
        f"{kind} cannot be read yet: opening one can run code that is in the file.",
        where=str(path),
        hint="save the weights as safetensors, or give a function that asks the model "
        "(`package.module:function`).",
    )
