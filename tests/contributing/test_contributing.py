"""What CONTRIBUTING.md shows is run as it stands, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import distill
from distill.engines.base import Budget, Problem
from distill.engines.registry import ENGINES, make_engine
from distill.errors import ConfigError, FormulaError
from distill.firmware.graph import build_graph
from distill.formula import Formula
from distill.formula.parse import parse
from distill.sampling.sample_set import SampleSet

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BOX = distill.Domain.box(x=(1, 3), y=(-2, 2))


def block(file: str) -> dict[str, object]:
    """What the block of Python that begins with this file's name defines."""
    (text,) = (
        b for b in re.findall(r"```python\n(.*?)```", PAGE, re.S) if b.startswith(f"# {file}")
    )
    names: dict[str, object] = {"__name__": "shown"}
    exec(compile(text, file, "exec", dont_inherit=True), names)
    return names


def test_the_engine_finds_a_plane_with_the_digits_it_was_told(monkeypatch):
    monkeypatch.setitem(ENGINES, "plane", block("distill/engines/plane.py")["ENTRY"])
    x = BOX.sample(50, seed=0)
    y = 2 * x[:, 0] - x[:, 1] / 3 + 1
    sample = SampleSet(BOX, x, y, np.empty((0, 2)))
    problem = Problem(sample, 0.1, {"add": 1.0, "mul": 1.0}, 40, Budget(evaluations=1000), seed=0)
    (found,) = make_engine("plane", {"digits": 3}).search(problem)
    assert found.formula.text == Formula.parse("2*x + (-0.333)*y + 1", BOX).text
    assert np.abs(found.formula(x) - y).max() < 1e-3
    with pytest.raises(ConfigError, match="digit"):
        make_engine("plane", {"digit": 3})


def test_the_pass_takes_away_what_does_nothing_and_nothing_else():
    bare = block("distill/firmware/passes/squares.py")["bare_squares"]
    graph = build_graph(Formula.parse("abs(square(x)) + abs(y)", BOX))
    names = [o.name for o in bare(graph).operations]
    assert [names.count(name) for name in ("abs", "square", "add")] == [1, 1, 1]
    x = np.vstack([BOX.sample(20, seed=1), [[np.nan, -1]]])
    assert np.array_equal(bare(graph).evaluate(x), graph.evaluate(x), equal_nan=True)


def test_the_printer_prints_and_refuses():
    to_basic = block("distill/formula/to_basic.py")["to_basic"]
    assert to_basic(parse("sqrt(x)*-y + 0.5", ("x", "y"))) == "((SQR(X) * (-Y)) + 0.5)"
    with pytest.raises(FormulaError, match="`tanh`"):
        to_basic(parse("x + tanh(y)", ("x", "y")))


def test_every_file_it_names_is_there():
    examples = {"distill/engines/plane.py", "conf/engine/plane.yaml", "distill/formula/to_basic.py",
                "distill/firmware/passes/squares.py"}  # fmt: skip
    quoted = re.findall(
        r"`((?:distill|conf|tests|docs|tools|locks|benchmarks|\.ci)/[\w./-]*)`", PAGE
    )
    linked = re.findall(r"\]\(([\w./-]+)\)", PAGE)
    assert len(quoted) > 15
    named = {name for name in {*quoted, *linked} - examples if "NAME" not in name}
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_every_make_target_it_names_is_one():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^ +)make ([a-z-]+)", PAGE, re.M)) <= targets
