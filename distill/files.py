"""Writing files so that a kill at any moment leaves the old one or the new one, never half of one.

Also the one place where errors of the disk become errors for people.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distill.errors import StorageError

if sys.platform != "win32":
    import fcntl

_MARK = ".distill-"
"""What is written under a temporary name has this in it, so that nothing else is ever deleted."""

_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space; the same command then goes on from here."),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then repeat the command."),
    errno.EFBIG: (
        "the file is larger than allowed",
        "raise the limit (ulimit -f), then repeat it.",
    ),
    errno.EIO: ("the disk fails", "look after it, or choose another folder with root=FOLDER."),
    errno.EROFS: ("the file system is read-only", "choose another folder with root=FOLDER."),
    errno.EACCES: ("permission denied", "choose a folder you may write to with root=FOLDER."),
    errno.EPERM: ("permission denied", "choose a folder you may write to with root=FOLDER."),
    errno.ENOENT: ("the folder cannot be made", "choose another folder with root=FOLDER."),
    errno.EEXIST: ("a part of the path is a file", "choose another folder with root=FOLDER."),
    errno.ENOTDIR: ("a part of the path is a file", "choose another folder with root=FOLDER."),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter folder with root=FOLDER."),
}


def disk_reason(error: OSError) -> str | None:
    """What the disk or the rights to it had against writing; None for an error of another kind."""
    reason, _ = _REASONS.get(error.errno or 0, (None, ""))
    return reason


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

    Of several processes that want the same name one goes after the other; what a killed one left
    is taken away.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(final.parent) as alone:
            if alone:
                forget_left(final)
            temporary = _beside(final)
            try:
                yield temporary
                for file in temporary.rglob("*"):
                    if file.is_file():
                        sync(file)
                temporary.chmod(0o755)
                if final.exists():
                    # Moved first: a folder half deleted by a kill could be taken for another's.
                    old = _beside(final)
                    final.rename(old)
                    temporary.rename(final)
                    shutil.rmtree(old)
                else:
                    temporary.rename(final)
                sync(final.parent)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise


def left_of(final: Path) -> list[Path]:
    """What writing a file or folder whole left beside it when it was killed."""
    return sorted(final.parent.glob(f".{glob.escape(final.name)}{_MARK}*"))


def forget_left(final: Path) -> None:
    """Take that away; only for who knows that nobody is writing now.

    Raises
    ------
    StorageError : when it cannot be deleted.
    """
    for left in left_of(final):
        remove(left)


def remove(path: Path) -> None:
    """Delete a file or a whole folder.

    Raises
    ------
    StorageError : when it cannot be deleted.
    """
    with disk_errors(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _beside(final: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{final.name}{_MARK}", dir=final.parent))


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """One process at a time, as far as the file system has locks; whether it has."""
    if sys.platform == "win32":
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """Write a text file by a temporary name and a rename.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}{_MARK}", dir=path.parent)
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


def is_inside(path: Path, *folders: Path) -> bool:
    """Whether a path lies in one of the folders, links followed."""
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)
