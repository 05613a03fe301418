"""In which views a curve is looked at, and in what order: as data."""

from __future__ import annotations

from distill.engines.structure.curves.views import COORDINATES, LINKS, View, view

FIRST = (
    view(),
    view(coordinate="log"),
    view(link="inverse"),
    view(link="log"),
    view(link="square"),
    view(link="exp"),
    view(link="inverse square"),
    view(power=1),
    view(power=-1),
    view(power=1, link="inverse"),
    view(link="log of minus"),
    view(link="minus square"),
    view(link="sqrt"),
    view(link="sin"),
    view(link="cos"),
    view(link="tan"),
    view(link="atanh"),
)
"""Looked at in every search."""


def second() -> tuple[View, ...]:
    """The rest: every link, powers in front, other coordinates."""
    found = [view(link=name) for name in LINKS]
    for power in (1, -1, 2, -2, 3, -3):
        for link in ("identity", "inverse", "square", "inverse square", "log", "exp", "sqrt"):
            found.append(view(power, link))
    for name in COORDINATES:
        for link in ("identity", "inverse", "log", "square", "inverse square", "exp", "sin", "tan"):
            found.append(view(0, link, name))
        for power in (1, -1):
            for link in ("identity", "inverse", "square", "inverse square"):
                found.append(view(power, link, name))
    return tuple(look for look in dict.fromkeys(found) if look not in FIRST)


DEEP = (
    view(),
    view(link="inverse"),
    view(link="log"),
    view(coordinate="log"),
    view(link="exp"),
    view(link="square"),
    view(power=1),
    view(power=-1),
    view(power=2),
    view(power=-2),
    view(link="inverse square"),
    view(power=1, link="inverse"),
    view(power=-1, link="inverse"),
    view(power=3, link="inverse"),
    view(link="log of minus"),
)
"""Where sums of several forms are looked for."""

FEW = 3
"""In so many of these with little effort."""
