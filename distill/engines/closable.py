"""Ending a search: whatever an engine is or returns can be closed."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from distill.engines.base import Candidate, Engine


def closable(search: Iterator[Candidate]) -> Generator[Candidate]:
    """A generator around any iterator, so that closing it closes the engine's."""
    try:
        yield from search
    finally:
        _close(search)


@contextmanager
def ended(engine: Engine) -> Generator[Engine]:
    """The engine, without what it kept between searches afterwards."""
    try:
        yield engine
    finally:
        _close(engine)


def _close(thing: object) -> None:
    close = getattr(thing, "close", None)
    if close is not None:
        close()
