"""Writing files so that a kill at any moment leaves the old one or the new one, never half of one.

Also the one place where errors of the disk become errors for people.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distill.errors import StorageError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space; the same command then goes on from here."),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then repeat the command."),
    errno.EROFS: ("the file system is read-only", "choose another folder with root=FOLDER."),
    errno.EACCES: ("permission denied", "choose a folder you may write to with root=FOLDER."),
    errno.EPERM: ("permission denied", "choose a folder you may write to with root=FOLDER."),
    errno.ENOENT: ("the folder cannot be made", "choose another folder with root=FOLDER."),
    errno.EEXIST: ("a part of the path is a file", "choose another folder with root=FOLDER."),
    errno.ENOTDIR: ("a part of the path is a file", "choose another folder with root=FOLDER."),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter folder with root=FOLDER."),
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system about ``path`` into :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        reason, hint = _REASONS[error.errno]
        raise StorageError(
            f"cannot write: {reason}.", where=str(error.filename or path), hint=hint
        ) from error


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """A temporary folder beside ``final`` that takes its name when the block ends well.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    sync(file)
            temporary.chmod(0o755)
            if final.exists():
                shutil.rmtree(final)
            temporary.rename(final)
            sync(final.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file by a temporary name and a rename.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def sync(path: Path) -> None:
    """Force a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
