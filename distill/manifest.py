"""What a finished folder holds, so that damage done to it later is found and never believed.

``files.json`` lists every other file with its size and its SHA-256. It is written last. What is
added to the folder afterwards is none of its business.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from distill.files import disk_errors, write_whole

MANIFEST = "files.json"


def write_manifest(folder: Path) -> None:
    """List the files of a folder.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(folder):
        files = {
            file.relative_to(folder).as_posix(): _facts(file)
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.name != MANIFEST
        }
    write_whole(folder / MANIFEST, json.dumps(files, indent=1))


def damage(folder: Path) -> str:
    """In words, why a folder does not hold what was written into it; empty where it does."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {str(name): list(facts) for name, facts in listed.items()}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return f"{MANIFEST} is missing or broken"
    for name, facts in files.items():
        file = folder / name
        try:
            if [file.stat().st_size] != facts[:1] or _facts(file) != facts:
                return f"{name} is not what was written"
        except FileNotFoundError:
            return f"{name} is missing"
        except (OSError, ValueError) as error:
            return f"{name} cannot be read: {error}"
    return ""


def _facts(file: Path) -> list[object]:
    """Size in bytes and SHA-256."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return [file.stat().st_size, digest]
