"""Text from outside (units, names, provenance) made safe for comments, Markdown and one-liners."""

from __future__ import annotations

import textwrap


def plain(text: str) -> str:
    """One printable line: white space becomes a blank, what cannot be seen is spelled out.

    Letters of any script stay (``°C``); control and direction characters do not.
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in line)


def comment(text: str) -> str:
    """One line that cannot end or continue a C comment, nor mean anything to the preprocessor."""
    line = plain(text).replace("\\", "/")
    for mark, apart in (("*/", "* /"), ("/*", "/ *"), ("??", "? ?")):
        while mark in line:
            line = line.replace(mark, apart)
    return line


def wrapped(text: str, width: int = 88, indent: str = "") -> list[str]:
    """:func:`comment` text broken into lines; ``indent`` goes before all but the first."""
    return textwrap.wrap(
        comment(text), width, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]


def markdown(text: str) -> str:
    """One line of Markdown in which no character means anything but itself."""
    return "".join(f"\\{c}" if c in "\\`*[]<>|#&" else c for c in plain(text))
