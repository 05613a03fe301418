from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from side_by_side import peers
from side_by_side.bench import Bench
from side_by_side.measuring import Accuracy, Emitted, Judge, float_interface, on_chip
from side_by_side.ours import FIXED, emit, specify
from side_by_side.problems import PROBLEMS, Problem
from side_by_side.report import Row, Section, markdown, table_verdict, verdicts

from distill.config.folder import read_option
from distill.firmware.cost import Cost
from distill.firmware.target import Target, load_target


@pytest.fixture(scope="module")
def thermistor() -> Problem:
    return PROBLEMS["thermistor"]()


@pytest.fixture(scope="module")
def pic32() -> Target:
    return load_target(read_option("target", "pic32"))


def c_of(problem: Problem, body: str) -> Emitted:
    text = f"float {problem.name}(float x);\nfloat {problem.name}(float x) {{ {body} }}\n"
    return Emitted(problem.name, {"peer.c": text}, float_interface(problem))


def test_fixed_point_is_measured_on_the_chip_and_within_the_tolerance(
    thermistor: Problem, pic32: Target
) -> None:
    emitted = emit(specify(thermistor, FIXED, pic32))
    assert 0 < Judge(thermistor).accuracy(emitted).worst <= thermistor.tolerance
    found = on_chip(emitted, thermistor.domain, pic32)
    assert found.differs == 0.0
    assert found.cost.measured
    assert found.cost.ram_bytes == 0
    assert 10 < found.cost.instructions < 500


def test_sympys_c_has_the_formulas_answers_at_a_many_times_higher_price(
    thermistor: Problem, pic32: Target
) -> None:
    emitted = peers.ccode(thermistor)
    assert "log(" in emitted.files["thermistor.c"]
    assert Judge(thermistor).accuracy(emitted).worst < 1e-4
    assert on_chip(emitted, thermistor.domain, pic32).cost.instructions > 2000


def test_the_worst_error_is_found_where_it_is(thermistor: Problem) -> None:
    hottest = float(np.abs(thermistor.truth(thermistor.domain.corners())).max())
    off = Judge(thermistor).accuracy(c_of(thermistor, "(void)x; return 0.0f;")).worst
    assert off == pytest.approx(hottest, rel=1e-6)
    assert Judge(thermistor).accuracy(c_of(thermistor, "return x / 0.0f;")).worst == np.inf


def test_labels_are_judged_by_how_many_are_wrong() -> None:
    problem = PROBLEMS["bayes"]()
    names = ", ".join(f"float {name}" for name in problem.domain.names)
    text = f"float benign({names});\nfloat benign({names}) {{ return radius > 0.0f; }}\n"
    always = Emitted("benign", {"peer.c": text}, float_interface(problem), label=True)
    accuracy = Judge(problem).accuracy(always)
    share = float(np.mean(problem.truth(problem.domain.sample(4096)) <= 0))
    assert accuracy.label
    assert accuracy.worst == pytest.approx(share, abs=0.1)
    assert 0 < accuracy.worst < 1


def test_a_generator_that_is_missing_or_refuses_is_a_row_that_says_so(
    thermistor: Problem, pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    row = Bench(thermistor).peer("m2cgen", [pic32])
    assert row.accuracy is None
    assert not row.cells
    assert row.notes == ["is not installed: python -m pip install 'distill[bench]'"]


def test_c_that_does_not_compile_is_a_row_that_says_so(
    thermistor: Problem, pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(peers.PEERS, "broken", lambda problem: c_of(problem, "return y;"))
    row = Bench(thermistor).peer("broken", [pic32])
    assert row.accuracy is None
    assert row.cells == {"pic32": "does not run"}
    assert "peer.c" in row.notes[0]
    assert "/" not in row.notes[0]


def test_c_for_this_machine_only_says_so_for_the_chip(
    thermistor: Problem, pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "\n#ifdef __mips__\n#error not for this chip\n#endif\nreturn x;"
    monkeypatch.setitem(peers.PEERS, "broken", lambda problem: c_of(problem, body))
    row = Bench(thermistor).peer("broken", [pic32])
    assert row.accuracy is not None
    assert row.cells == {"pic32": "does not run"}
    assert "not for this chip" in row.notes[0]


def cost(target: str, instructions: float, flash: int) -> Cost:
    return Cost(
        target, "cc", "fixed", "instructions", instructions, instructions, flash, 0, 0,
        measured=True,
    )  # fmt: skip


def test_promises_are_judged_by_the_figures(thermistor: Problem, pic32: Target) -> None:
    ours = Row(FIXED.name, Accuracy(0.09), {"pic32": cost("pic32", 250, 900)})
    network = Row("emlearn", Accuracy(0.3), {"pic32": cost("pic32", 250_000, 7_199)})
    alone, against = verdicts(Section(thermistor, [pic32], [network, ours]))
    assert alone.holds
    assert alone.measured == "250 instructions, 900 B"
    assert not against.holds  # of flash it is 7.999 times less
    ours.accuracy = Accuracy(0.11)
    assert not any(v.holds for v in verdicts(Section(thermistor, [pic32], [network, ours])))
    assert table_verdict(400).holds
    assert not table_verdict(401).holds


def test_a_section_shows_figures_refusals_and_notes(thermistor: Problem, pic32: Target) -> None:
    rows = [
        Row("a", Accuracy(0.0123456), {"pic32": cost("pic32", 1234.4, 567)}),
        Row("b", Accuracy(0.002, label=True), {"pic32": "does not run"}, ["pic32: no room"]),
    ]
    assert Section(thermistor, [pic32], rows).text().splitlines() == [
        "| emitter | largest error in degC |               pic32 |",
        "| ------- | --------------------: | ------------------: |",
        "| a       |                0.0123 | 1,234 / 567 / 0 / 0 |",
        "| b       |   0.200% wrong labels |        does not run |",
        "",
        "- b: pic32: no room",
    ]
    assert markdown(["x"], [["y"]]) == "| x |\n| - |\n| y |"
