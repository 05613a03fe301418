"""The readers of formulas, chains and domains as JSON."""

from __future__ import annotations

import json

from distill.chain.expression import read_expression
from distill.errors import FormulaError
from fuzz.mutating import json_bytes
from fuzz.seeds import closed_form, formula
from fuzz.target import Target, Wrong


def once(data: bytes) -> None:
    """Read it, write it, read that: the same data."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(parsed, dict):
        return
    expression = read_expression(parsed)
    written = json.dumps(expression.to_data())
    try:
        again = json.dumps(read_expression(json.loads(written)).to_data())
    except FormulaError as error:
        raise Wrong("what was written is not read again") from error
    if again != written:
        raise Wrong("what was written is read as something else")
    expression(expression.domain.corners()[:4])


def seeds() -> list[bytes]:
    """A formula and chains of every kind."""
    return [json.dumps(formula().to_data()).encode()] + [
        json.dumps(closed_form(kind).to_data()).encode()
        for kind in ("network", "forest", "classes", "image", "machine", "logic")
    ]


TARGET = Target("formulas and closed forms as JSON", once, seeds, json_bytes)
