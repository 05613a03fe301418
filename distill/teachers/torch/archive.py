"""Torch's zip archives, opened so that no entry can be larger than the file that states it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from distill.errors import TeacherError


@dataclass(frozen=True)
class Archive:
    """The entries of an archive of torch's, by their names below its one top folder."""

    path: Path
    entries: Mapping[str, zipfile.ZipInfo]

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def folder(self, name: str) -> list[str]:
        """The entries in a folder, ``name`` with its slash."""
        return [entry for entry in self.entries if entry.startswith(name)]

    def read(self, name: str) -> bytes:
        """The bytes of an entry.

        Raises
        ------
        TeacherError : when there is none of that name, or it is damaged.
        """
        if name not in self.entries:
            raise TeacherError(
                f"the archive lacks `{name}`.", where=str(self.path), hint="write or copy it again."
            )
        try:
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(self.entries[name])
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise TeacherError(
                f"the entry `{name}` is damaged: {error}.",
                where=str(self.path),
                hint="write or copy it again.",
            ) from None


def open_archive(path: Path) -> Archive:
    """The archive at ``path``; nothing but its directory is read.

    Torch stores entries as they are. Compressed or overlapping ones, by which a small file unfolds
    into a huge one, are refused.

    Raises
    ------
    TeacherError : when it is no zip archive, or one that torch did not write.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise TeacherError(
            "not a file that `torch.save` of PyTorch 1.6 or later wrote, or a damaged one: "
            f"{error}.",
            where=str(path),
            hint="save it again with torch.save(model.state_dict(), path), or as safetensors.",
        ) from None
    stated = sum(info.file_size for info in infos)
    there = path.stat().st_size
    packed = [info.filename for info in infos if info.compress_type != zipfile.ZIP_STORED]
    if packed or stated > there:
        raise TeacherError(
            f"the archive unfolds: {there:,} bytes state contents of {stated:,}"
            + (f", and `{packed[0]}` is compressed." if packed else "."),
            where=str(path),
            hint="torch writes archives without compression; save the model again with torch.",
        )
    places = [info.filename.partition("/") for info in infos]
    names = [inside if slash else name for name, slash, inside in places]
    folders = {name if slash else "" for name, slash, _ in places}
    if len(folders) > 1 or len(set(names)) < len(names):
        raise TeacherError(
            "the archive has several top folders, or an entry twice: torch did not write it.",
            where=str(path),
            hint="save the model again with torch.",
        )
    return Archive(path, dict(zip(names, infos, strict=True)))
