"""What PySR found: the files of its hall of fame, and its equations as our trees."""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.engines.pysr.custom import Custom, define
from distill.formula.parse import parse
from distill.formula.tree import Node, substitute

MAX_BYTES = 16_000_000
"""More of a file is not read; a hall of fame of two thousand rows has less than one."""

MAX_ROWS = 1000
"""More equations are not read; PySR has at most one for each complexity, and seldom beyond 100."""

MAX_COMPLEXITY = 1_000_000
"""PySR has no dearer equations; what says so is no file of its own."""

_OWN = tuple(
    define(text)
    for text in (
        "neg(x) = -x",
        "plus(x, y) = x + y",
        "sub(x, y) = x - y",
        "mult(x, y) = x*y",
        "relu(x) = max(x, 0)",
        "cond(x, y) = ifless(0, x, y, 0)",
        "greater(x, y) = ifless(y, x, 1, 0)",
        "less(x, y) = ifless(x, y, 1, 0)",
        "greater_equal(x, y) = ifless(x, y, 0, 1)",
        "less_equal(x, y) = ifless(y, x, 0, 1)",
        "logical_or(x, y) = ifless(0, max(x, y), 1, 0)",
        "logical_and(x, y) = ifless(0, min(x, y), 1, 0)",
        "sign(x) = ifless(x, 0, -1, ifless(0, x, 1, 0))",
        "clamp(x, low, high) = min(max(x, low), high)",
        "fma(x, y, z) = x*y + z",
        "muladd(x, y, z) = x*y + z",
        "exp2(x) = 2^x",
        "exp10(x) = 10^x",
        "expm1(x) = exp(x) - 1",
        "log2(x) = log(x)/0.6931471805599453",
        "log10(x) = log(x)/2.302585092994046",
        "log1p(x) = log(1 + x)",
        # Written so that no large numbers of opposite signs meet.
        "asinh(x) = ifless(x, 0, -1, 1)*log(abs(x) + sqrt(square(x) + 1))",
        "acosh(x) = log(x + sqrt(square(x) - 1))",
        "atanh(x) = 0.5*log((1 + x)/(1 - x))",
        "sec(x) = 1/cos(x)",
        "csc(x) = 1/sin(x)",
        "cot(x) = cos(x)/sin(x)",
    )
)
"""PySR's and Julia's own functions that our operators can say; what cannot be said is refused."""

_FLOAT32 = re.compile(r"(?<![\w.])(\d+\.?\d*|\.\d+)f(?=[+-]?\d)", re.ASCII)
_NEGATIVE = re.compile(r"(^|[(,+\-*/^])(\s*)(-(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One equation of a hall of fame, with PySR's own figures for it."""

    complexity: int
    loss: float
    equation: str
    score: float


def read_hall_of_fame(path: Path) -> tuple[Row, ...]:
    """The equations of a hall of fame that may be being written this moment; none where none is.

    PySR writes ``path`` and then the same again beside it with ``.bak``: where ``path`` does not
    end as written, the other is whole. Lines that are none of a hall of fame are skipped, and rows
    whose loss is not finite are left out: they are worth nothing whatever they say.
    """
    backup = path.with_name(f"{path.name}.bak")
    texts = [_text(file) for file in (path, backup)]
    whole = [_rows(text) for text in texts if text.endswith("\n")]
    return next(filter(None, whole), ()) or max(map(_rows, texts), key=len)


def read_equation(text: str, names: Mapping[str, Node], custom: Sequence[Custom] = ()) -> Node:
    """The tree of one equation; its constants are PySR's to the bit.

    ``names`` says what the variables of the search stand for, ``custom`` the operators of the
    user's own.

    Raises
    ------
    FormulaError : for what is not in PySR's grammar, or is but cannot be said in ours.
    """
    functions = {own.name: own.macro for own in (*_OWN, *custom)}
    tree = parse(_in_our_grammar(text), tuple(names), functions)
    return substitute(tree, dict(names))


def _in_our_grammar(text: str) -> str:
    """Julia's numbers as ours: no Float32 mark, and a sign is part of the number before any `^`."""
    return _NEGATIVE.sub(r"\1\2(\3)", _FLOAT32.sub(r"\1e", text))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _rows(text: str) -> tuple[Row, ...]:
    read = list(itertools.islice(_read(text), MAX_ROWS))
    scores = _scores([c for c, _, _ in read], [loss for _, loss, _ in read])
    return tuple(
        Row(complexity, loss, equation, score)
        for (complexity, loss, equation), score in zip(read, scores, strict=True)
        if math.isfinite(loss)
    )


def _read(text: str) -> Iterator[tuple[int, float, str]]:
    lines = text.split("\n")
    columns = [name.strip().lower() for name in _cells(lines[0])]
    if not {"complexity", "loss", "equation"} <= set(columns):
        return
    for line in lines[1:]:
        cells = _cells(line)
        if len(cells) != len(columns):
            continue
        row = dict(zip(columns, cells, strict=True))
        try:
            complexity, loss = int(row["complexity"]), read_number(row["loss"])
        except ValueError:
            continue
        if 0 < complexity <= MAX_COMPLEXITY:
            yield complexity, loss, row["equation"]


def _cells(line: str) -> list[str]:
    """One line's cells; none where it is no line of a table."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def read_number(text: str) -> float:
    """A number as Julia writes it.

    Raises
    ------
    ValueError : for other text.
    """
    return float(_FLOAT32.sub(r"\1e", text))


def _scores(complexities: Sequence[int], losses: Sequence[float]) -> list[float]:
    """By how much the logarithm of the loss falls for each complexity more, as PySR says it."""
    scores = [0.0] if losses else []
    with np.errstate(all="ignore"):
        for i in range(1, len(losses)):
            ratio = np.float64(losses[i]) / np.float64(losses[i - 1])
            more = np.float64(complexities[i] - complexities[i - 1])
            scores.append(float(-np.log(ratio) / more) if losses[i] > 0 else math.inf)
    return scores
