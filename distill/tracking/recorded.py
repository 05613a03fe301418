"""Recorded studies on disk, found by what people call them."""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.errors import ConfigError
from distill.tracking.record import StudyRecord
from distill.tracking.record_folder import BROKEN, RECORD, load_record

_KEY = re.compile(r"[0-9a-f]{4,64}\Z")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Recorded:
    """A study on disk: its folder and what it is called; ``created`` in seconds since 1970.

    ``sweep`` is the name of the sweep that it belongs to, empty without.
    """

    folder: Path
    key: str
    name: str
    teacher: str
    created: float
    sweep: str = ""

    @property
    def full_name(self) -> str:
        """The name with the teacher's before it."""
        return f"{self.teacher}/{self.name}"


def recorded_studies(root: Path) -> list[Recorded]:
    """All studies below the folder of the results, the newest first.

    Records that cannot be read (another version's, half deleted ones) are left out.
    """
    found = [_recorded(file.parent) for file in root.glob(f"*/study/*/{RECORD}")]
    return sorted((r for r in found if r is not None), key=lambda r: -r.created)


def find_studies(root: Path, wanted: str) -> tuple[Recorded, ...]:
    """The studies that are meant by a folder, a name, the start of a key, or a ``*`` pattern.

    A pattern is held against names and against ``<teacher>/<name>`` and may mean several studies;
    everything else means one.

    Raises
    ------
    ConfigError : when there is none (with what it is close to), or several where one is meant.
    StorageError : for a folder whose record is broken.
    """
    for folder in (Path(wanted), root / wanted):
        if (folder / RECORD).is_file():
            if (one := _recorded(folder)) is not None:
                return (one,)
            load_record(folder)  # says what is wrong with it
    known = recorded_studies(root)
    if any(sign in wanted for sign in "*?["):
        found = tuple(r for r in known if any(fnmatch.fnmatchcase(n, wanted) for n in _names(r)))
    else:
        found = tuple(r for r in known if _is_called(r, wanted))
        if len(found) > 1:
            raise ConfigError(
                f"`{wanted}` is the start of several studies:\n{_listed(found)}",
                where=str(root),
                hint="give more of the key.",
            )
    if not found:
        raise _unknown(root, wanted, known)
    return found


def find_sweep(root: Path, name: str) -> tuple[Recorded, ...]:
    """The studies of a sweep, the oldest first.

    Raises
    ------
    ConfigError : when there is none; it names the sweeps that are there.
    """
    known = recorded_studies(root)
    found = tuple(r for r in reversed(known) if r.sweep == name)
    if name and found:
        return found
    sweeps = list(dict.fromkeys(r.sweep for r in known if r.sweep))
    listed = ", ".join(sweeps[:_SHOWN])
    raise ConfigError(
        f"no study of a sweep `{name}` is recorded.",
        where=str(root),
        hint=f"sweeps here, the newest first: {listed}."
        if sweeps
        else "`distill run -m KEY=V1,V2` makes a sweep; root=FOLDER looks in another folder.",
    )


def find_study(root: Path, wanted: str) -> Recorded:
    """The one study that is meant; by nothing the newest, by a teacher's name its newest.

    Raises
    ------
    ConfigError : when there is none, or several are meant.
    """
    newest = next((r for r in recorded_studies(root) if wanted in ("", r.teacher)), None)
    return newest or find_studies(root, wanted)[0]


def _names(study: Recorded) -> tuple[str, ...]:
    return study.name, study.full_name


def _is_called(study: Recorded, wanted: str) -> bool:
    key = wanted.lower()
    return wanted in _names(study) or bool(_KEY.match(key) and study.key.startswith(key))


def _recorded(folder: Path) -> Recorded | None:
    try:
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        # Only what names a study: candidates take long to read.
        head = StudyRecord.from_data(
            {**data, "candidates": [], "history": [], "findings": None}, np.empty(0), np.empty(0)
        )
        return Recorded(
            folder,
            str(head.key),
            head.name,
            str(head.teacher_name),
            float(head.created),
            str(head.sweep_id or ""),
        )
    except (OSError, *BROKEN):
        return None


def _unknown(root: Path, wanted: str, known: Sequence[Recorded]) -> ConfigError:
    if not known:
        return ConfigError(
            "no study is recorded here yet.",
            where=str(root),
            hint="`distill run` makes one; root=FOLDER looks in another folder of results.",
        )
    names = [n for r in known for n in (*_names(r), r.key[:8])]
    close = set(difflib.get_close_matches(wanted, names, _SHOWN, 0.5))
    near = [r for r in known if close & {*_names(r), r.key[:8]}] or known
    return ConfigError(
        f"there is no study `{wanted}`; "
        f"{'close to it' if close else 'the newest'}:\n{_listed(near[:_SHOWN])}",
        where=str(root),
        hint="give a study's name, the start of its key or its folder; root=FOLDER looks in "
        "another folder of results.",
    )


def _listed(studies: Sequence[Recorded]) -> str:
    return "\n".join(f"    {r.key[:8]}  {r.full_name}" for r in studies)
