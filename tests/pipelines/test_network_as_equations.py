"""The story of 16 logic functions: formulas, C and a student, right on every input."""

from __future__ import annotations

from pathlib import Path

import network_as_equations as story
import numpy as np
import pytest

from distill.chain.expansion import growth


def test_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(story, "OUT", tmp_path)
    story.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "the network is right on 16 of 16 functions"
    sums = dict(line.split(" = ")[:2] for line in lines if line.startswith("  f"))
    found = {name.strip(): text.strip() for name, text in sums.items()}
    assert len(found) == 16
    assert (found["f0"], found["f15"]) == ("0", "1")
    assert (found["f6"], found["f8"]) == ("~a & b | a & ~b", "a & b")
    rows = [line.split() for line in lines if line.startswith(("logic ", "table ", "network "))]
    assert [row[0] for row in rows] == ["logic", "table", "network"]
    assert {row[-1] for row in rows} == {"100.0%"}
    code = {row[0]: int(row[-2]) for row in rows}
    assert 2 * max(code["logic"], code["table"]) < code["network"]
    assert (tmp_path / "equations.png").stat().st_size > 10_000
    assert (tmp_path / "all_logic.c").read_text().count("y[") == 16


def test_a_student_learns_from_the_network_alone() -> None:
    answers = story.TRUTH * 0.9 + 0.05
    student = story.as_chain(story.trained(story.STUDENT, answers))
    asked = student.evaluate(story.INPUTS)
    assert np.abs(asked - answers).max() < 0.3
    assert student.steps[0].outputs == 3


def test_writing_a_network_out_grows_with_its_width_to_the_depth() -> None:
    nodes = {hidden: growth(story.deep(hidden))[-1][0] for hidden in (8, 16, 32)}
    # Three products of two widths: twice as wide, eight times as many.
    assert 6 < nodes[16] / nodes[8] < 9
    assert 6 < nodes[32] / nodes[16] < 9
