"""Tables of answers as CSV."""

from __future__ import annotations

from fuzz.seeds import asked, given_as
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load the table and ask for its first rows."""
    with given_as(data, "rows.csv") as path:
        asked(path)


def seeds() -> list[bytes]:
    """Tables with each separator, with quotes, empty cells, a mark of byte order, and CRLF."""
    return [
        b"a,b,y\n1,2,3\n4,5,6\n2,2,1\n",
        b"a;b;y\r\n1;2;3\r\n4;5;6\r\n",
        b"a\tb\ty\n1e5\t-2\t.5\n4\t5\t6\n",
        b'\xef\xbb\xbf"a b","b","y"\n"1","2","3"\n"4","5","6"\n',
        b"a,b,y\n1,,3\n4,nan,inf\n",
        b"a,b,y\ntrue,2,3\nfalse,3,4\n",
        b"a,b,y\n2020-01-01,2,3\n2021-01-01,3,4\n",
    ]


TARGET = Target("tables as CSV", once, seeds, words=(",", ";", "\n", '"', "nan", "inf", "1e400"))
