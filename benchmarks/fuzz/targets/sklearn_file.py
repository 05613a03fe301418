"""Estimators as skops files, looked through before they are loaded."""

from __future__ import annotations

from fuzz.mutating import archive_bytes
from fuzz.seeds import asked, estimators, given_as
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load and ask it."""
    with given_as(data, "model.skops") as path:
        asked(path)


def seeds() -> list[bytes]:
    """Estimators of several families."""
    import skops.io

    return [skops.io.dumps(model) for model in estimators()]


TARGET = Target(
    "estimators as skops files", once, seeds, archive_bytes(lambda name: name.endswith(".json"))
)
