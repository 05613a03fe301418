"""What came out again against what was logged: the same bytes, or which of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distill.firmware.evidence import Check

SHOWN = 4
"""Differences that are told one by one."""

LONGEST = 160
"""Characters of a formula or a figure that are told."""

Results = Mapping[str, Any]


def compared(logged: Results, again: Results) -> list[Check]:
    """One check for formulas, scores, costs, the C of the candidates, the choice and the bundle."""
    before, after = logged["candidates"], again["candidates"]
    checks = [_formulas(before, after)]
    pairs = [
        (one, other)
        for one in before
        for other in after
        if (one["id"], one["engine"]) == (other["id"], other["engine"])
    ]
    checks += [_figures(what, key, pairs) for what, key in _PARTS.items()]
    chosen = [r["chosen"] for r in (logged, again)]
    names = [_called(r) for r in (logged, again)]
    detail = names[0] if chosen[0] == chosen[1] else f"logged {names[0]}\nnow    {names[1]}"
    checks.append(Check("choice", chosen[0] == chosen[1], detail))
    checks.append(_files(logged["files"], again["files"]))
    return checks


_PARTS = {"scores": "score", "costs": "cost", "C of the candidates": "c"}


def _formulas(before: Sequence[Results], after: Sequence[Results]) -> Check:
    """Formulas in their order, to the last bit of every constant."""
    one, other = ([c["data"] for c in side] for side in (before, after))
    if one == other:
        return Check("formulas", True, f"{len(before)} formulas, every constant to the last bit")
    same = len(set(one) & set(other))
    lines = [f"{same} of {len(before)} came out again to the last bit"]
    gone = [c["formula"] for c in before if c["data"] not in other]
    new = [c["formula"] for c in after if c["data"] not in one]
    lines += [f"logged {_short(text)}" for text in gone[:SHOWN]]
    lines += [f"now    {_short(text)}" for text in new[:SHOWN]]
    if not gone and not new:
        lines.append("in another order")
    return Check("formulas", False, "\n".join(lines))


def _figures(what: str, key: str, pairs: Sequence[tuple[Results, Results]]) -> Check:
    """Figures of the formulas that came out again."""
    differing = [(a, b) for a, b in pairs if _text(a[key]) != _text(b[key])]
    if not pairs:
        return Check(what, None, "there is no formula of both to compare them of")
    if not differing:
        return Check(what, True, f"the same of {len(pairs)} formulas")
    lines = [f"{len(differing)} of {len(pairs)} differ"]
    for a, b in differing[:SHOWN]:
        apart = list(_leaves(a[key], b[key]))
        told = "; ".join(f"{name} {_short(x)} is now {_short(y)}" for name, x, y in apart[:SHOWN])
        lines.append(f"{_short(a['formula'])}: {told}" if key != "c" else _short(a["formula"]))
    return Check(what, False, "\n".join(lines))


def _files(before: Mapping[str, str], after: Mapping[str, str]) -> Check:
    if not before and not after:
        return Check("C", None, "none was made")
    names = sorted({*before, *after})
    differing = [name for name in names if before.get(name) != after.get(name)]
    if not differing:
        return Check("C", True, f"{len(names)} files, byte for byte")
    told = []
    for name in differing:
        how = "differs" if name in before and name in after else "is new"
        told.append(f"{name} {how if name in after else 'was not made'}")
    return Check("C", False, "\n".join(told))


def _leaves(one: Any, other: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The values in nested data that differ, by dotted names."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in {**one, **other}:
            yield from _leaves(one.get(key), other.get(key), f"{name}.{key}" if name else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _leaves(a, b, f"{name}[{i}]")
    elif _text(one) != _text(other):
        yield name, one, other


def _called(results: Results) -> str:
    """The chosen formula, for people."""
    for candidate in results["candidates"]:
        if candidate["id"] == results["chosen"]:
            return _short(candidate["formula"])
    return "no formula"


def _text(data: Any) -> str:
    """Data as text, in which not a number is equal to itself."""
    return json.dumps(data, sort_keys=True)


def _short(data: Any) -> str:
    text = str(data)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
