"""What every stage gets alike: a key, a folder written whole or not at all, reuse, and progress.

A stage's key is the hash of its config, its inputs' keys and the code of this package. Its result
lies in ``<root>/<stage>/<first 16 digits of the key>/`` together with ``stage.json``, which says
what it was made from, and a manifest of its files: a result that was damaged since is made again,
and never believed. Two runs that want the same result meet at a lock: the second one waits and then
reuses it. The operating system drops the lock of a killed process.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock, Timeout

import distill
from distill.errors import StorageError
from distill.files import disk_errors, left_of, remove, whole_folder, write_whole
from distill.interrupts import end_if_interrupted
from distill.journal import Journal
from distill.manifest import damage, write_manifest
from distill.progress import Progress

R = TypeVar("R")

VERSION = 1


@dataclass(frozen=True)
class Stage(Generic[R]):
    """One arrow of the pipeline: how its result is described, written and read."""

    name: str
    save: Callable[[R, Path], None]
    load: Callable[[Path], R]
    describe: Callable[[R], str]


@dataclass(frozen=True)
class Done(Generic[R]):
    """A stage's result, with the key and the folder it is kept under."""

    key: str
    folder: Path
    result: R
    reused: bool


@dataclass(frozen=True)
class Work:
    """What a working stage may use of its runner."""

    progress: Progress
    journal: Journal


@functools.cache
def code_fingerprint() -> str:
    """Hash of the package's own source: results of other code are not reused."""
    folder = Path(distill.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".py", ".j2", ".css", ".safetensors"}:
            digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def key_of(stage: str, config: Mapping[str, object], inputs: Sequence[str]) -> str:
    """The key of a stage's result, hexadecimal."""
    text = json.dumps(
        {"stage": stage, "config": config, "inputs": list(inputs), "code": code_fingerprint()},
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Runner:
    """Runs stages, keeping their results below ``root``."""

    root: Path
    progress: Progress

    def has(self, stage: Stage[R], config: Mapping[str, object], inputs: Sequence[str]) -> bool:
        """Whether the stage's result is there, as it was written."""
        return not damage(self._folder(stage, key_of(stage.name, config, inputs)))

    def run(
        self,
        stage: Stage[R],
        config: Mapping[str, object],
        inputs: Sequence[str],
        doing: str,
        produce: Callable[[Work], R],
    ) -> Done[R]:
        """The stage's result: read back when it is there, produced and kept when not.

        A result that was damaged is produced again, which the user is told.

        Raises
        ------
        StorageError : when the folder cannot be written or read.
        """
        end_if_interrupted()
        key = key_of(stage.name, config, inputs)
        folder = self._folder(stage, key)
        if damage(folder):
            with disk_errors(folder):
                folder.parent.mkdir(parents=True, exist_ok=True)
            with self._lock(folder):
                if why := damage(folder):
                    if os.path.lexists(folder):
                        self.progress.warn(
                            f"the kept result of the {stage.name} stage was damaged ({why}): "
                            "it is made again."
                        )
                        remove(folder)
                    self.progress.begin(stage.name, doing)
                    return self._produce(stage, config, inputs, key, folder, produce)
        elif left := _left(folder):
            # Where results are for reading only, it stays.
            with suppress(StorageError), self._lock(folder):
                for path in left:
                    if os.path.lexists(path):
                        remove(path)
        result = self._load(stage, folder)
        self.progress.end(stage.name, stage.describe(result), reused=True)
        return Done(key, folder, result, reused=True)

    def _folder(self, stage: Stage[R], key: str) -> Path:
        return self.root / stage.name / key[:16]

    def _lock(self, folder: Path) -> FileLock:
        lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        with disk_errors(folder):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.progress.warn(
                    f"another run is computing this {folder.parent.name} result; waiting for it."
                )
                lock.acquire(poll_interval=0.2)
        return lock

    def _produce(
        self,
        stage: Stage[R],
        config: Mapping[str, object],
        inputs: Sequence[str],
        key: str,
        folder: Path,
        produce: Callable[[Work], R],
    ) -> Done[R]:
        partial = _partial(folder)
        if partial.is_file():
            remove(partial)
        result = produce(Work(self.progress, Journal(partial / "journal.jsonl")))
        end_if_interrupted()  # a result in which an interrupt was lost may lack something
        with whole_folder(folder) as temporary:
            stage.save(result, temporary)
            record = {
                "version": VERSION,
                "stage": stage.name,
                "key": key,
                "config": config,
                "inputs": list(inputs),
            }
            write_whole(temporary / "stage.json", json.dumps(record, indent=1))
            write_manifest(temporary)
        if partial.exists():
            remove(partial)
        self.progress.end(stage.name, stage.describe(result), reused=False)
        return Done(key, folder, result, reused=False)

    def _load(self, stage: Stage[R], folder: Path) -> R:
        try:
            return stage.load(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the kept result of the {stage.name} stage cannot be read: {error}.",
                where=str(folder),
                hint="delete that folder and repeat the command; it will be computed again.",
            ) from error


def _partial(folder: Path) -> Path:
    """Where an unfinished result keeps what is to survive a kill."""
    return folder.with_name(f".{folder.name}.partial")


def _left(folder: Path) -> list[Path]:
    """What lies beside a result while it is made, and after a kill."""
    partial = _partial(folder)
    return [*left_of(folder), *([partial] if partial.exists() else [])]
