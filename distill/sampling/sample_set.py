"""The sample: points, the teacher's answers, and which of them could be used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import DomainError, StorageError
from distill.files import disk_errors
from distill.reading import json_of

VERSION = 1

_ANSWER, _USE = "_answer", "_use"  # no variable can be called so: names start with a letter
_FIT, _HELD_OUT, _REJECTED = 0, 1, 2


@dataclass(frozen=True)
class SampleSet:
    """Points x (n, d) inside ``domain`` with the finite answers y (n,) of one output.

    ``rejected`` (m, d) holds the points at which the teacher's answer was not finite.
    ``held_out`` holds the rows of a table that no engine sees; None for teachers that can be asked.
    """

    domain: Domain
    x: Array
    y: Array
    rejected: Array
    held_out: SampleSet | None = None

    def __len__(self) -> int:
        return len(self.x)

    def to_parquet(self, path: Path) -> None:
        """Write one row for each point, exact to the bit; the metadata holds the domain.

        Raises
        ------
        StorageError : when the disk is full or the folder cannot be written.
        """
        import pyarrow
        from pyarrow import parquet

        parts = [(_FIT, self.x, self.y)]
        if self.held_out is not None:
            parts.append((_HELD_OUT, self.held_out.x, self.held_out.y))
        parts.append((_REJECTED, self.rejected, np.full(len(self.rejected), np.nan)))
        x = np.vstack([part[1] for part in parts])
        columns = {name: x[:, i] for i, name in enumerate(self.domain.names)}
        columns[_ANSWER] = np.concatenate([part[2] for part in parts])
        use = np.repeat([part[0] for part in parts], [len(part[1]) for part in parts])
        about = {
            "version": VERSION,
            "domain": json.loads(self.domain.to_json()),
            "held_out": self.held_out is not None,
        }
        table = pyarrow.table({**columns, _USE: use.astype(np.int8)})
        with disk_errors(path):
            parquet.write_table(
                table.replace_schema_metadata({"distill.sample": json.dumps(about)}), path
            )

    @classmethod
    def from_parquet(cls, path: Path) -> SampleSet:
        """Read what :meth:`to_parquet` wrote.

        Raises
        ------
        StorageError : when the file is missing, damaged, of another version or no sample.
        """
        import pyarrow
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(path) as file:
                table = file.read()
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise StorageError(
                f"the sample cannot be read: {str(error).splitlines()[0]}",
                where=str(path),
                hint="delete it; the same command draws it again.",
            ) from error
        try:
            about = json_of((table.schema.metadata or {})[b"distill.sample"])
            if about["version"] != VERSION:
                raise ValueError(f"version {about['version']}, not {VERSION}")
            domain = Domain.from_data(about["domain"])
            x = np.column_stack([table[name].to_numpy() for name in domain.names])
            y, use = table[_ANSWER].to_numpy(), table[_USE].to_numpy()
        except (KeyError, ValueError, TypeError, DomainError) as error:
            raise StorageError(
                f"the file is no sample of this version of distill ({error!r}).",
                where=str(path),
                hint="delete it; the same command draws it again.",
            ) from error
        held = None
        if about["held_out"]:
            rows = use == _HELD_OUT
            held = cls(domain, x[rows], y[rows], np.empty((0, len(domain))))
        fit = use == _FIT
        return cls(domain, x[fit], y[fit], x[use == _REJECTED], held)
