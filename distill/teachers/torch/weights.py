"""Tensors by name from safe files: safetensors, or what ``torch.save`` wrote of a state_dict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from distill.errors import TeacherError
from distill.teachers.torch.archive import open_archive

if TYPE_CHECKING:
    import torch


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, on the CPU as they were saved; nothing in it is run.

    Those of safetensors come in the natural order of their names, those of a state_dict in its own.

    Raises
    ------
    TeacherError : when the file is damaged or holds anything else than plain tensors by name.
    """
    return _safetensors(path) if path.suffix.lower() == ".safetensors" else _state_dict(path)


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise TeacherError(
            f"not a safetensors file, or a damaged one: {error}.",
            where=str(path),
            hint="write or copy it again.",
        ) from error
    parts = {
        key: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", key)] for key in tensors
    }
    return {key: tensors[key] for key in sorted(tensors, key=parts.__getitem__)}


def _state_dict(path: Path) -> dict[str, torch.Tensor]:
    import torch

    open_archive(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or hostile file makes the reader raise
        raise TeacherError(
            "the file holds more than weights, or is damaged, and was not opened "
            f"({type(error).__name__}): pickled objects can run any code.",
            where=str(path),
            hint="save only the weights: torch.save(model.state_dict(), path), or as safetensors.",
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise TeacherError(
            f"the file holds a {type(state).__name__}, not a state_dict of tensors by name.",
            where=str(path),
            hint="save model.state_dict() itself.",
        )
    for key, value in state.items():
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            raise TeacherError(
                f"`{key}` is no plain tensor ({value.layout}, {value.dtype}, {value.device}).",
                where=str(path),
                hint="save the weights of the float network, dense.",
            )
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise TeacherError(
                f"`{key}` states the shape {list(value.shape)}, but there are "
                f"{value.untyped_storage().nbytes():,} bytes for it.",
                where=str(path),
                hint="save the weights again, each contiguous.",
            )
    return dict(state)
