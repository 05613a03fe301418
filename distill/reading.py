"""Plain data from text that anybody may have written."""

from __future__ import annotations

import json
from typing import Any


def json_of(text: str | bytes) -> Any:
    """What JSON says.

    Raises
    ------
    ValueError : when it is none, has a number of thousands of digits, or is nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
