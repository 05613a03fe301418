"""What an archive of torch's is, by what stands in it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal


def kind_of_archive(path: Path) -> Literal["weights", "exported", "script"]:
    """Weights, a ``torch.export`` archive or a TorchScript one; weights where nothing tells.

    Only names of entries are looked at: suffixes are not to be relied on, all three are ``.pt``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "exported" if path.suffix.lower() == ".pt2" else "weights"
    inside = [name.partition("/")[2] for name in names]
    if any(name.startswith("code/") for name in inside):
        return "script"
    if (
        "archive_format" in inside
        or "serialized_exported_program.json" in names  # the first versions'
        or any(name.startswith(("models/", "data/aotinductor/")) for name in inside)
    ):
        return "exported"
    return "exported" if path.suffix.lower() == ".pt2" else "weights"
