"""TorchScript archives: programs, opened only by someone who trusts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from distill.errors import TeacherError

if TYPE_CHECKING:
    import torch


def load_script(path: Path, trusted: bool) -> torch.nn.Module:
    """The module in a TorchScript archive, on the CPU.

    What such a file holds is no Python pickle, but it is a program: torch's interpreter runs its
    ``__setstate__`` while it is loaded, and operators like ``aten::from_file`` open and create
    files. So it takes a word of trust.

    Raises
    ------
    TeacherError : without that word, or when torch cannot read the file.
    """
    import warnings

    import torch

    if not trusted:
        raise TeacherError(
            "a TorchScript archive is a program, and loading it runs it: it could create or "
            "overwrite files.",
            where=str(path),
            hint="if you made the file or trust who did, say `teacher.options.trust_torchscript="
            "true`; otherwise ask for the weights as safetensors, or for a torch.export archive.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the format's, not the file's
            module: torch.nn.Module = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise TeacherError(
            f"torch cannot read the TorchScript archive: {str(error).strip().splitlines()[0]}.",
            where=str(path),
            hint="save it again with torch.jit.save, by the version of PyTorch installed here.",
        ) from error
    return module
