"""What a target of fuzzing is, and what counts as a finding."""

from __future__ import annotations

import hashlib
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distill.errors import DistillError

Mutate = Callable[[bytes, int, int], bytes]
"""Bytes, how many there may be, a seed: other bytes."""


@dataclass(frozen=True)
class Target:
    """Something that reads bytes of a stranger.

    Attributes
    ----------
    reads : what it reads, for people.
    once : reads one input. A :class:`DistillError` is an answer; any other exception is a finding.
    seeds : makes the inputs to start from, real ones.
    mutate : changes an input so that it stays well formed; None leaves that to libFuzzer.
    words : pieces of its language.
    """

    reads: str
    once: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutate | None = None
    words: tuple[str, ...] = field(default=())


class Wrong(AssertionError):
    """A reader accepted what is false."""


def failure(once: Callable[[bytes], None], data: bytes) -> BaseException | None:
    """What is wrong about reading ``data``, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            once(data)
        except DistillError:
            return None
        except Exception as error:
            return error
    return None


def signature(error: BaseException) -> str:
    """Which mistake an exception shows: its kind and the innermost place of ours on its way."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/distill/" in f.filename] or frames
    place = Path(ours[-1].filename).stem
    return f"{type(error).__name__}-{place}.{ours[-1].name}"


class Findings:
    """A folder of inputs, one for each mistake that was found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = {path.stem for path in folder.glob("*.bin")}

    def keep(self, data: bytes, error: BaseException) -> None:
        """Write the input down if its mistake is a new one, with the traceback beside it."""
        name = signature(error)
        if name in self._known:
            return
        self._known.add(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{name}.bin").write_bytes(data)
        text = "".join(traceback.format_exception(error))
        (self._folder / f"{name}.txt").write_text(text, encoding="utf-8")


def digest(data: bytes) -> str:
    """A short name of an input."""
    return hashlib.sha256(data).hexdigest()[:16]
