"""Ending a search: whatever iterator an engine returns can be closed."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from distill.engines.base import Candidate


def closable(search: Iterator[Candidate]) -> Generator[Candidate]:
    """A generator around any iterator, so that closing it closes the engine's."""
    try:
        yield from search
    finally:
        close = getattr(search, "close", None)
        if close is not None:
            close()
