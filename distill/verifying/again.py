"""The bundle written again from what it was made from, and how the files differ from that."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TypeAlias

from distill.errors import DistillError, ExportError
from distill.firmware.bundle import MADE_FROM, RECORD, record_text, render_bundle
from distill.firmware.evidence import Check
from distill.firmware.proven import CERTIFICATE
from distill.firmware.spec import BundleSpec
from distill.firmware.spec_file import spec_of
from distill.firmware.vector.bundle import render_vector
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.spec_file import vector_spec_of
from distill.reading import json_of
from distill.verifying.folder import Folder

Spec: TypeAlias = BundleSpec | VectorSpec

SHOWN = 4
"""Differing lines of a file that are told."""

MOST_LINES = 4000
"""Lines of both texts together in which inserted ones are told from changed ones."""

LONGEST = 120
"""Characters of a line that are told."""

BROKEN = (
    DistillError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError,
    AssertionError, RecursionError, MemoryError,
)  # fmt: skip
"""What reading a record that anybody may have written may end with."""


@dataclass(frozen=True)
class Again:
    """What a bundle was made from, and the text of every file by its name."""

    spec: Spec
    texts: Mapping[str, str]


def write_again(folder: Folder) -> Again:
    """Write the bundle again, in memory.

    Raises
    ------
    ExportError : when it cannot be read what the bundle was made from.
    """
    text = folder.texts.get(MADE_FROM)
    where = str(folder.path / MADE_FROM)
    if text is None:
        raise ExportError("it is not there, or no plain file.", where=where, hint="export again.")
    certificates = {n: t for n, t in folder.texts.items() if n.startswith("certificate")}
    try:
        data = json_of(text)
        if not isinstance(data, dict):
            raise ValueError("it is no object")
        if data.get("kind") == "vector":
            vector = vector_spec_of(data, certificates)
            return Again(vector, render_vector(vector))
        spec = spec_of(data, certificates.get(CERTIFICATE, ""))
        return Again(spec, render_bundle(spec))
    except BROKEN as error:
        what = error.what if isinstance(error, DistillError) else f"{type(error).__name__}: {error}"
        raise ExportError(
            f"it cannot be read what the bundle was made from: {what.rstrip('.')}.",
            where=where,
            hint="the file was changed, or belongs to another version; export it again.",
        ) from error


def differences(folder: Folder, again: Again) -> list[Check]:
    """A failed check for every file that is not what is written again, with the lines."""
    checks = _listing(folder, again)
    for name, text in again.texts.items():
        # The record's hashes are held against the files themselves.
        wanted = _with_hashes(text, folder) if name == RECORD else text
        there = folder.texts.get(name)
        if there is not None and there != wanted:
            checks.append(Check(name, False, "\n".join(_lines(there, wanted))))
    return checks


def _with_hashes(record: str, folder: Folder) -> str:
    """The record written again, with the hashes that stand in the one that is there."""
    return record_text({**json_of(record), "files": folder.record["files"]})


def _listing(folder: Folder, again: Again) -> list[Check]:
    """Whether the record lists the files that such a bundle has."""
    listed, wanted = set(folder.record["files"]), set(again.texts) - {RECORD}
    told = [f"`{name}` is not listed" for name in sorted(wanted - listed)]
    told += [
        f"`{name}` is listed, but belongs to no such bundle" for name in sorted(listed - wanted)
    ]
    return [Check(RECORD, False, "\n".join(told))] if told else []


def _lines(there: str, wanted: str) -> Iterator[str]:
    """The lines that differ: what stands there, and what should."""
    old, new = there.splitlines(), wanted.splitlines()
    pairs = list(_pairs(old, new))
    if not pairs:
        yield "differs in the ends of its lines alone"
    for number, one, other in islice(pairs, SHOWN):
        yield f"line {number}: {_short(one)}, written again {_short(other)}"
    if len(pairs) > SHOWN:
        yield f"and {len(pairs) - SHOWN:,} more lines"


def _pairs(old: list[str], new: list[str]) -> Iterator[tuple[int, str | None, str | None]]:
    """The numbers of lines that differ, from 1, with the line there and the line wanted."""
    if len(old) == len(new) or len(old) + len(new) > MOST_LINES:
        # Lines that moved are not looked for: of long files that would take for ever.
        for number, (there, wanted) in enumerate(zip_longest(old, new), 1):
            if there != wanted:
                yield number, there, wanted
        return
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            for k, (there, wanted) in enumerate(zip_longest(old[a:b], new[c:d])):
                yield min(a + k, b) + 1, there, wanted


def _short(line: str | None) -> str:
    if line is None:
        return "nothing"
    line = line.strip()
    return f"`{line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}`"
