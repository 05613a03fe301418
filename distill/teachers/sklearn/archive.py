"""The archive of a skops file, looked through before anything is made of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any

import numpy as np

from distill.errors import TeacherError

MAX_BYTES = 2**30
"""What the members of a file may unpack to, all together and as often as they are used."""

MAX_SCHEMA = 2**27
MAX_MEMBERS = 200_000
MAX_RATIO = 200
"""Above 16 MiB: times that a file may grow when it is unpacked."""

PROTOCOL = 2
"""The layout of skops since version 0.6; older ones were checked less strictly."""

DAMAGED = "save it again with skops.io.dump(model, path)."


@dataclass(frozen=True)
class Contents:
    """What a skops file says about itself.

    Attributes
    ----------
    types : every type that it names.
    versions : of scikit-learn that the estimators in it were trained with.
    skops : the version of skops that wrote it.
    """

    types: frozenset[str]
    versions: tuple[str, ...]
    skops: str


def look_through(path: Path) -> Contents:
    """Judge sizes, names and arrays of a skops file without making an object of it.

    Raises
    ------
    TeacherError : for what is no skops file, is damaged, or would unpack to absurd sizes.
    """
    where = str(path)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            start = file.read(2)
        if start[:1] == b"\x80":
            raise TeacherError(
                "the file is called .skops but is a pickle; it is not opened: it can run any code "
                "when it is.",
                where=where,
                hint="ask for a real skops file, written with skops.io.dump(model, path).",
            )
        raise TeacherError("the file is no skops file, or damaged.", where=where, hint=DAMAGED)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = _members(archive, path)
            schema = _schema(archive, where)
            return _Walk(archive, sizes, where).through(schema)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise TeacherError(f"the file is damaged: {error}.", where=where, hint=DAMAGED) from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, int]:
    """The size of each member, unpacked."""
    infos = archive.infolist()
    where = str(path)
    names = [info.filename for info in infos]
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name or "\\" in name:
            raise TeacherError(
                f"the file has a member with the path `{name}`, which leaves its folder.",
                where=where,
                hint="it was not written by skops; do not use it.",
            )
    if len(set(names)) < len(names) or len(names) > MAX_MEMBERS:
        raise TeacherError(
            "the file has a member twice, or far too many.", where=where, hint=DAMAGED
        )
    total = sum(info.file_size for info in infos)
    packed = path.stat().st_size
    if total > MAX_BYTES or (total > 2**24 and total > MAX_RATIO * packed):
        raise _too_large(total, packed, where)
    return {info.filename: info.file_size for info in infos}


def _too_large(total: int, packed: int, where: str) -> TeacherError:
    return TeacherError(
        f"the file of {packed} bytes would unpack to {total}; it is not read.",
        where=where,
        hint=f"a model may unpack to {MAX_BYTES} bytes and to {MAX_RATIO} times its file.",
    )


def _schema(archive: zipfile.ZipFile, where: str) -> dict[str, Any]:
    try:
        info = archive.getinfo("schema.json")
    except KeyError:
        raise TeacherError(
            "the file has no schema.json, so it is no skops file.", where=where, hint=DAMAGED
        ) from None
    if info.file_size > MAX_SCHEMA:
        raise _too_large(info.file_size, info.compress_size, where)
    try:
        schema = json.loads(archive.read(info))
    except (ValueError, RecursionError) as error:
        raise TeacherError(
            f"the file's schema.json cannot be read: {error}.", where=where, hint=DAMAGED
        ) from None
    if not isinstance(schema, dict) or not isinstance(schema.get("__loader__"), str):
        raise TeacherError("the file's schema.json is none.", where=where, hint=DAMAGED)
    if schema.get("protocol") != PROTOCOL:
        raise TeacherError(
            f"the file has the layout {schema.get('protocol')!r} of skops "
            f"{schema.get('_skops_version', 'of an unknown version')}; {PROTOCOL} is read.",
            where=where,
            hint="load it in its old environment, save it again with the current skops.",
        )
    return schema


_UNREADABLE = (ValueError, SyntaxError, TypeError, TokenError, RecursionError, MemoryError)
"""What NumPy's reader of headers, which are Python literals, raises for other text."""


class _Walk:
    """One way through a schema, without recursion: how deep it is is the file's choice."""

    def __init__(self, archive: zipfile.ZipFile, sizes: Mapping[str, int], where: str) -> None:
        self.archive, self.sizes, self.where = archive, sizes, where
        self.types: set[str] = set()
        self.versions: set[str] = set()
        self.used = 0
        self.inner: dict[tuple[str, str], int] = {}

    def through(self, schema: dict[str, Any]) -> Contents:
        """Everything that the schema names, each array looked at."""
        waiting: list[Any] = [schema]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                self._node(node)
                waiting += node.values()
        return Contents(
            frozenset(self.types),
            tuple(sorted(self.versions)),
            str(schema.get("_skops_version", "?")),
        )

    def _node(self, node: dict[str, Any]) -> None:
        loader = node.get("__loader__")
        if loader is not None and loader != "JsonNode":
            self.types.add(f"{node.get('__module__')}.{node.get('__class__')}")
        version = node.get("_sklearn_version")
        if isinstance(version, dict) and isinstance(version.get("content"), str):
            self.versions.add(version["content"].strip('"')[:40])
        if isinstance(name := node.get("file"), str) and loader is not None:
            self._member(name, str(loader))

    def _member(self, name: str, loader: str) -> None:
        if name not in self.sizes:
            raise TeacherError(
                f"the file lacks its member `{name[:80]}`.", where=self.where, hint=DAMAGED
            )
        self.used += self.sizes[name]
        if self.used > MAX_BYTES:
            raise _too_large(self.used, sum(self.sizes.values()), self.where)
        if (name, loader) not in self.inner:
            self.inner[name, loader] = 0
            if loader == "NdArrayNode":
                with self.archive.open(name) as stream:
                    self._array(stream, self.sizes[name])
            elif loader == "SparseMatrixNode":
                self.inner[name, loader] = self._sparse(name)
        self.used += self.inner[name, loader]

    def _sparse(self, name: str) -> int:
        """A sparse matrix is an archive of arrays itself; what they unpack to."""
        with zipfile.ZipFile(io.BytesIO(self.archive.read(name))) as inner:
            total = sum(info.file_size for info in inner.infolist())
            if total > MAX_BYTES:
                raise _too_large(total, self.sizes[name], self.where)
            for info in inner.infolist():
                with inner.open(info) as stream:
                    self._array(stream, info.file_size)
        return total

    def _array(self, stream: Any, size: int) -> None:
        """An array must be as large as it says, and hold numbers or text."""
        try:
            version = np.lib.format.read_magic(stream)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(stream)
        except _UNREADABLE as error:
            raise TeacherError(
                f"an array of the file cannot be read: {error}.", where=self.where, hint=DAMAGED
            ) from None
        count = 1
        for length in shape:
            count *= int(length)
        if dtype.hasobject or min(shape, default=0) < 0 or count * dtype.itemsize > size:
            raise TeacherError(
                f"an array of the file says it has the shape {shape} of {dtype}, but its {size} "
                "bytes cannot be that.",
                where=self.where,
                hint=DAMAGED,
            )
