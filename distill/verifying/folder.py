"""The files of a bundle: read without trusting them, and held against the record's hashes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.errors import ExportError
from distill.firmware.bundle import FORMAT, MADE_FROM, RECORD, VERSION
from distill.firmware.evidence import Check
from distill.reading import json_of

LARGEST = 1 << 28
"""Bytes of one file; the C of the largest forests has a hundredth of it."""

MOST_FILES = 10_000
"""Files and folders that are looked at in a folder."""

HINT = "give the folder that `distill export` wrote; it holds bundle.json."


@dataclass(frozen=True)
class Folder:
    """A bundle on disk.

    Attributes
    ----------
    record : what ``bundle.json`` says.
    texts : the files that the record lists and that are there, and ``bundle.json``, by name.
    checks : one that failed for every file that is missing, added, changed or no plain file.
    """

    path: Path
    record: Mapping[str, Any]
    texts: Mapping[str, str]
    checks: tuple[Check, ...]


def read_folder(path: Path) -> Folder:
    """Read a bundle: ``bundle.json`` and the files that it lists, and nothing else.

    Raises
    ------
    ExportError : when the folder is no bundle, or one of another version.
    """
    if not path.is_dir():
        raise ExportError("there is no such folder.", where=str(path), hint=HINT)
    found = dict(_entries(path))
    data = _plain_bytes(path / RECORD)
    if data is None:
        raise ExportError("the folder is not a bundle.", where=str(path), hint=HINT)
    record = _record(data, path / RECORD)
    listed: dict[str, str] = record["files"]
    texts, checks = {RECORD: data.decode(errors="replace")}, []
    for name, wanted in listed.items():
        raw = _plain_bytes(path / name) if name in found else None
        if raw is None:
            gone = "is missing" if name not in found else "is no plain file, or cannot be read"
            checks.append(Check(name, False, f"{gone}; bundle.json lists it"))
            continue
        texts[name] = raw.decode(errors="replace")
        if hashlib.sha256(raw).hexdigest() != wanted:
            checks.append(Check(name, False, "is not the file that bundle.json lists (SHA-256)"))
    for name, why in found.items():
        if name not in listed and name != RECORD:
            checks.append(Check(name, False, f"was added: bundle.json does not list it{why}"))
    return Folder(path, record, texts, tuple(checks))


def _entries(top: Path) -> Iterator[tuple[str, str]]:
    """Every file by its path in the folder, and what is odd about it; links are not followed."""
    folders, seen = [top], 0
    while folders:
        for entry in sorted(os.scandir(folders.pop()), key=lambda e: e.name):
            seen += 1
            if seen > MOST_FILES:
                raise ExportError(
                    f"the folder holds more than {MOST_FILES:,} files.", where=str(top), hint=HINT
                )
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
                continue
            name = Path(entry.path).relative_to(top).as_posix()
            yield name, " (a link)" if entry.is_symlink() else ""


def _plain_bytes(path: Path) -> bytes | None:
    """The bytes of a plain file of a usual size; None for links, pipes and what cannot be read."""
    try:
        # A link is refused by the system itself, so that none can be put there in between; a pipe
        # would keep an opener waiting.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or state.st_size > LARGEST:
            return None
        try:
            return file.read(LARGEST)
        except OSError:
            return None


def _record(data: bytes, path: Path) -> dict[str, Any]:
    """The record, which must list files of the folder by their hashes."""
    try:
        record = json_of(data)
    except ValueError as error:
        raise ExportError(
            f"the record is not JSON: {error}.", where=str(path), hint="export it again."
        ) from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ExportError("the folder is not a bundle.", where=str(path), hint=HINT)
    if record.get("version") != VERSION:
        raise ExportError(
            f"the bundle is of version {record.get('version')!r}; this distill verifies {VERSION}.",
            where=str(path),
            hint="export it again with this distill, or verify it with the one that wrote it.",
        )
    listed = record.get("files")
    if not isinstance(listed, dict) or not all(
        isinstance(wanted, str) and _inside(name) for name, wanted in listed.items()
    ):
        raise ExportError(
            "the record does not list the bundle's files.", where=str(path), hint="export it again."
        )
    if MADE_FROM not in listed:
        raise ExportError(
            f"the record does not list {MADE_FROM}, from which the rest is written again.",
            where=str(path),
            hint="export it again.",
        )
    return record


def _inside(name: str) -> bool:
    """Whether a name is of a file in the folder."""
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\0" in part for part in parts)
