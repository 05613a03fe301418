"""The story of exclusive or: critical points, the bound of 4/3, and the exact solution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polynomial_networks as story
import pytest

from distill.critical.network import XOR, squared_loss
from distill.critical.points import critical_set


def test_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(story, "OUT", tmp_path)
    monkeypatch.setattr(story, "STEPS", 400)
    monkeypatch.setattr(story, "ORDERS", 3)
    story.main()
    text = capsys.readouterr().out
    linear, square, both = text.split(" terms\n")[1:]
    assert "loss 4/3: 1 real, in a set of dimension 4" in linear
    assert "the loss is at least 4/3 (pivots 2, 3/2)" in linear
    assert "the same in 3 of 3 orders" in linear
    assert "best loss 1.3333333333" in linear
    assert square.count("alone in its box by interval Newton") == 5
    assert "the same in 2 of 2 orders" in square
    assert "loss 16/9" in both
    assert text.count("has one of these losses: True") == 3
    assert "exclusive or = square(x1 - x2)" in text
    assert "return t0 * t0;" in (tmp_path / "exclusive_or.c").read_text()
    assert (tmp_path / "losses.png").stat().st_size > 10_000


def test_solutions_that_differ_are_told_apart() -> None:
    found = critical_set(squared_loss(story.NETWORKS["one square"], XOR))
    first = found.values[0]
    fewer = replace(found, values=(replace(first, points=first.points[:1]), *found.values[1:]))
    turned = replace(found, values=(replace(first, points=first.points[::-1]), *found.values[1:]))
    assert story.same(found, found)
    assert not story.same(found, fewer)
    assert not story.same(found, turned)
