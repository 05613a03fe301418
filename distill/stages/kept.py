"""Plain data as JSON files, in which stages keep their results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distill.files import write_whole


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data as JSON; Python's dialect, in which an infinite error is ``Infinity``."""
    write_whole(path, json.dumps(data, indent=1))


def read_json(path: Path) -> dict[str, Any]:
    """Read what :func:`write_json` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no mapping")
    return data
