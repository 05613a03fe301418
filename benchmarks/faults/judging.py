"""What a study has left, in a form that two runs of it share: everything but times and ids."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from distill.manifest import damage

OF_THE_CALL = ("mlflow.user", "mlflow.source.", "mlflow.artifact", "distill.digest")
"""Tags with ids or names of the machine in them."""

TIMED = ("report.html", "MLmodel")
"""Artifacts with the time and the id under which they were written: that they are there counts."""

_TIMED_FIELDS = ("created", "history")


def judged(root: Path, build: Path) -> dict[str, str]:
    """Names and contents of all that counts: stages, record, bundle, MLflow."""
    return {**_stages(root), **_record(root), **_bundle(build), **_mlflow(root)}


def leftovers(*folders: Path) -> list[str]:
    """Temporary files that nobody writes any more, and finished folders that are broken."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            inside = path.relative_to(folder).as_posix()
            if re.search(r"\.distill-|\.partial|-journal$|-wal$", inside):
                found.append(inside)
            if path.name == "stage.json" and (why := damage(path.parent)):
                found.append(f"{inside}: {why}")
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _stages(root: Path) -> dict[str, str]:
    """Every file of every finished stage, to the byte."""
    found = {}
    for record in sorted(root.glob("*/*/*/stage.json")):
        stage = record.parents[1].name
        for file in sorted(f for f in record.parent.rglob("*") if f.is_file()):
            name = file.relative_to(record.parent).as_posix()
            found[f"{stage}/{name}"] = _content(stage, file)
    return found


def _content(stage: str, file: Path) -> str:
    if stage == "fit" and file.name == "candidates.json":
        data = json.loads(file.read_text())
        data["history"] = [[row[0], *row[2:]] for row in data["history"]]  # without seconds
        return _hash(json.dumps(data).encode())
    if file.name == "files.json":  # has the hash of the one above
        return ", ".join(json.loads(file.read_text()))
    return _hash(file.read_bytes())


def _record(root: Path) -> dict[str, str]:
    found = {}
    for file in sorted(root.glob("*/study/*/study.json")):
        data = json.loads(file.read_text())
        kept = {key: value for key, value in data.items() if key not in _TIMED_FIELDS}
        found["study/study.json"] = _hash(json.dumps(kept).encode())
        for other in ("points.npz", "slices.npz"):
            found[f"study/{other}"] = _hash((file.parent / other).read_bytes())
        for part in sorted(f for f in (file.parent / "bundle").rglob("*") if f.is_file()):
            found[f"study/bundle/{part.name}"] = _hash(part.read_bytes())
    return found


def _bundle(build: Path) -> dict[str, str]:
    files = sorted(f for f in build.rglob("*") if f.is_file())
    return {f"build/{f.relative_to(build).as_posix()}": _hash(f.read_bytes()) for f in files}


def _mlflow(root: Path) -> dict[str, str]:
    """Runs that are not deleted, with what they hold; registered models and aliases."""
    file = root / "mlflow" / "mlflow.db"
    if not file.exists():
        return {}
    found: dict[str, str] = {}
    with closing(sqlite3.connect(file)) as store:

        def rows(query: str, *values: str) -> list[tuple[Any, ...]]:
            return store.execute(query, values).fetchall()

        names = {}
        query = "select run_uuid, name, status from runs where lifecycle_stage = 'active'"
        active = rows(query)
        for run, name, status in active:
            tags = dict(rows("select key, value from tags where run_uuid = ?", run))
            names[run] = f"{tags.get('distill.kind')} {tags.get('distill.candidate', '')} {name}"
            found.setdefault(f"mlflow/{names[run]}/status", status)
        if len(set(names.values())) != len(names):
            found["mlflow/twice"] = str(sorted(names.values()))
        for run, _, _ in active:
            at = f"mlflow/{names[run]}"
            for key, value in rows("select key, value from tags where run_uuid = ?", run):
                if not key.startswith((*OF_THE_CALL, "distill.search")):
                    found[f"{at}/tag {key}"] = _named(value, names)
            for key, value in rows("select key, value from params where run_uuid = ?", run):
                found[f"{at}/param {key}"] = value
            query = "select key, value from latest_metrics where run_uuid = ?"
            for key, value in rows(query, run):
                if not key.startswith("live/") and "seconds" not in key:
                    found[f"{at}/metric {key}"] = repr(value)
            (place,) = rows("select artifact_uri from runs where run_uuid = ?", run)[0]
            folder = Path(str(place).removeprefix("file://"))
            for artifact in sorted(f for f in folder.rglob("*") if f.is_file()):
                known = _named(artifact.read_text(errors="replace"), names).encode()
                content = "there" if artifact.name in TIMED else _hash(known)
                found[f"{at}/file {artifact.relative_to(folder).as_posix()}"] = content
        for name, version, run in rows("select name, version, run_id from model_versions"):
            found[f"mlflow/model {name} {version}"] = names.get(run, run)
        for alias in rows("select name, alias, version from registered_model_aliases"):
            found[f"mlflow/alias {alias[0]} {alias[1]}"] = str(alias[2])
    return found


def _named(text: str, names: dict[str, str]) -> str:
    for run, name in names.items():
        text = text.replace(run, name)
    return text
