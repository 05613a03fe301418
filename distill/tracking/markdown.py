"""Text of users (names, units, formulas) in Markdown: shown as it is, never read as HTML."""

from __future__ import annotations

import html
import re

_SIGNS = re.compile(r"([\\`*_\[\]|#~])")
_LEADING = re.compile(r"(?m)^(\s*)([-+=])(?=[-=\s]|$)")
_NUMBERED = re.compile(r"(?m)^(\s*\d+)([.)])(?=\s|$)")
"""At the start of a line: lists, rules, and what makes the line above a heading."""


def prose(text: str) -> str:
    r"""Text within a sentence, without any markup of its own.

    >>> print(prose("a <b> in *m* | s"))
    a &lt;b&gt; in \*m\* \| s
    """
    escaped = _SIGNS.sub(r"\\\1", html.escape(text, quote=False))
    return _NUMBERED.sub(r"\1\\\2", _LEADING.sub(r"\1\\\2", escaped))


def cell(text: str) -> str:
    r"""Text in a cell of a table: on one line.

    >>> print(cell("a\nb|c"))
    a b\|c
    """
    return prose(" ".join(text.split()))


def code(text: str) -> str:
    """Text in a monospaced face, on one line; HTML in it stays text in every renderer.

    >>> code("x < y"), code("a`b")
    ('`x < y`', '`` a`b ``')
    """
    line = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    room = " " if "`" in line else ""
    return f"{fence}{room}{line}{room}{fence}"
