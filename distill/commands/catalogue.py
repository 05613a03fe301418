"""What there is to choose from: shipped teachers, engines and targets, for ``distill list``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from distill.config.folder import options_of, read_option


@dataclass(frozen=True)
class Entry:
    """One thing to choose: its name, what it is in one line, and its options."""

    name: str
    description: str
    options: tuple[str, ...] = ()


def teachers() -> list[Entry]:
    """The shipped teachers."""
    from distill.teachers.load import shipped

    return [Entry(t.name, t.description) for t in shipped()]


def engines() -> list[Entry]:
    """The engines, with their own options and defaults."""
    from distill.engines.options import defaults
    from distill.engines.registry import ENGINES

    return [
        Entry(
            e.name,
            e.description,
            tuple(f"engine.options.{k} = {v}" for k, v in defaults(e.options).items()),
        )
        for e in ENGINES.values()
    ]


def targets() -> list[Entry]:
    """The targets in ``conf/target``."""
    return [Entry(n, str(read_option("target", n)["description"])) for n in options_of("target")]


CATALOGUE: dict[str, Callable[[], list[Entry]]] = {
    "teachers": teachers,
    "engines": engines,
    "targets": targets,
}
