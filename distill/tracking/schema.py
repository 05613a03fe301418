"""Which MLflow a database belongs to: only that of the installed one can be used."""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from distill.errors import TrackingError

_VERSIONS = Path("store", "db_migrations", "versions")
_REVISION = re.compile(r"""(?m)^revision\s*=\s*["'](\w+)["']""")
_DOWN = re.compile(r"""(?m)^down_revision\s*=\s*["'](\w+)["']""")


def check_schema(path: Path) -> None:
    """Refuse a database that another MLflow wrote.

    MLflow itself calls every other one out of date, and a newer one cannot be upgraded.

    Raises
    ------
    TrackingError : when its revision is not that of the installed MLflow.
    """
    revision = _revision(path)
    before = _before()
    if revision is None or (revision in before and revision not in before.values()):
        return
    if revision in before:
        raise TrackingError(
            f"the store was written by an older MLflow than {version('mlflow')}, which is "
            f"installed here (its schema is {revision}).",
            where=str(path),
            hint=f"take a copy of it, then `mlflow db upgrade sqlite:///{path}`.",
        )
    raise TrackingError(
        f"the store was written by a newer MLflow than {version('mlflow')}, which is installed "
        f"here (its schema is {revision}).",
        where=str(path),
        hint="use the MLflow that wrote it, start that one's server and give its address with "
        "uri=http://..., or choose another folder with root=FOLDER.",
    )


def _revision(path: Path) -> str | None:
    """What the database says it is; None where it says nothing (another error will tell)."""
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            database.close()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


@cache
def _before() -> dict[str, str]:
    """The revisions of the installed MLflow, each with the one before it; imports no MLflow."""
    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    texts = [
        file.read_text(encoding="utf-8")
        for file in Path(spec.submodule_search_locations[0], _VERSIONS).glob("*.py")
    ]
    found = [(_REVISION.search(text), _DOWN.search(text)) for text in texts]
    return {own[1]: down[1] if down else "" for own, down in found if own}
