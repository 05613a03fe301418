"""Tables of answers as Parquet."""

from __future__ import annotations

import io

from fuzz.seeds import asked, given_as
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load the table and ask for its first rows."""
    with given_as(data, "rows.parquet") as path:
        asked(path)


def seeds() -> list[bytes]:
    """Small tables of several types and compressions."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = {"a": [1.0, 2.0, 3.0], "b": [1, 5, 2], "y": [0.5, None, 2.5]}
    tables = [
        (pa.table(columns), "none"),
        (pa.table({**columns, "y": [1.5, 2.5, 3.5]}), "snappy"),
        (pa.table({**columns, "s": ["u", "v", "w"], "y": [True, False, True]}), "gzip"),
    ]
    found = []
    for table, compression in tables:
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression=compression)
        found.append(buffer.getvalue())
    return found


TARGET = Target("tables as Parquet", once, seeds)
