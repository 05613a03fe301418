"""`distill compare`: the measures against their definitions, and what a person reads."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from distill import cli
from distill.comparing.files import as_csv
from distill.comparing.fronts import Entry, compare, coverage, hypervolume
from distill.comparing.questions import by_question
from distill.comparing.tables import show_comparison
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ConfigError
from distill.formula import Formula
from distill.scoring.score import Errors, Score
from distill.tracking.record import CandidateRecord, Milestone, StudyRecord
from distill.tracking.record_folder import save_record

DOMAIN = Domain.box(x=(0, 1, "<b>m</b>"))


def candidate(complexity: int, error: float, offset: float, engine: str = "operon"):
    """A sum of so many nodes (an odd number of them)."""
    formula = Formula.parse(" + ".join(["x"] * (complexity // 2) + [repr(offset)]), DOMAIN)
    assert formula.complexity == complexity
    found = Candidate(formula, engine, "")
    errors = Errors(error / 2, 0.1, 0.9, error, (0.5,), 0, 100)
    return CandidateRecord(
        found.id, engine, "", formula, Score(errors, None), {}, False, True, True, "",
        found.to_data(),
    )  # fmt: skip


def study(key: str, points: list[tuple[int, float]], **changes) -> StudyRecord:
    offset = changes.pop("offset", int(key[0], 16) + 0.5)
    rows = tuple(candidate(c, e, offset + 0.125 * i) for i, (c, e) in enumerate(points))
    return StudyRecord(
        **{
            "key": key * 32,
            "teacher_name": "line",
            "teacher_fingerprint": "f" * 64,
            "output_name": "y",
            "output_unit": "V",
            "domain": DOMAIN,
            "tolerance": 0.1,
            "engine": "operon",
            "target": "host",
            "candidates": rows,
            "selection": "",
            "config": {"engine": {"seed": 7}, "sampling": {"points": 256}},
            "history": (Milestone(1, 2.5, 3, 1.0),),
            "created": 1.7e9,
            "points": np.zeros((2, 1)),
            "truth": np.zeros(2),
            **changes,
        }
    )


A = study("a1", [(1, 10.0), (5, 1.0), (9, 0.1)])
B = study("b2", [(3, 1.0), (9, 0.2)], engine="structure")


def test_who_beats_whom():
    (found,) = compare([A, B])
    a, b = found.fronts
    assert (a.letter, a.engine, a.seed, a.seconds, a.points) == ("A", "operon", 7, 2.5, 256)
    pairs = [(d.better.study, d.better.label, d.worse.study, d.worse.label)
             for d in found.dominations]  # fmt: skip
    assert pairs == [("B", "c01", "A", "c02"), ("A", "c03", "B", "c02")]
    joint = [(j.entry.study, j.entry.complexity, j.found_by) for j in found.joint]
    assert joint == [("A", 1, ("A",)), ("B", 3, ("B",)), ("A", 9, ("A",))]
    assert found.coverage == {("A", "B"): 1 / 2, ("B", "A"): 1 / 3}
    assert found.reference == (10, 2.0)
    assert a.hypervolume == pytest.approx((10 - 1) * 1 + (10 - 5) * 1 + (10 - 9) * 1)
    assert b.hypervolume == pytest.approx((10 - 3) * 2 + math.log10(5))
    assert found.hypervolume == pytest.approx(9 + 7 + 1)
    assert [a.within(c) and a.within(c).max_error for c in (0, 1, 4, 5, 99)] == [
        None, 10.0, 10.0, 1.0, 0.1
    ]  # fmt: skip


def test_a_formula_that_several_found_is_said_to_be_of_all():
    again = replace(A, key="c3" * 32, engine="structure")
    (found,) = compare([A, again])
    assert [j.found_by for j in found.joint] == [("A", "B")] * 3
    assert found.dominations == ()
    assert found.coverage == {("A", "B"): 1.0, ("B", "A"): 1.0}


def test_what_is_exact_published_or_not_finite():
    exact = study("d4", [(1, math.inf), (3, 0.0), (5, 0.0)])
    published = candidate(1, 0.01, 99.0, engine="published")
    exact = replace(exact, candidates=(*exact.candidates, published))
    (found,) = compare([exact, study("e5", [(3, 1e-9)])])
    assert [(e.complexity, e.max_error) for e in found.fronts[0].entries] == [(3, 0.0)]
    assert found.fronts[0].candidates == 3
    # Below a millionth of the tolerance nobody is better.
    assert found.fronts[0].hypervolume == found.fronts[1].hypervolume
    assert found.smallest == pytest.approx(1e-7)


def test_a_study_that_found_nothing_is_compared_all_the_same(capsys):
    (found,) = compare([A, study("d4", [(1, math.inf)])])
    assert found.fronts[1].hypervolume == 0
    assert math.isnan(found.coverage["A", "B"])
    assert found.coverage["B", "A"] == 0


fronts = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12)


@given(fronts, st.integers(0, 13), st.integers(0, 13))
@settings(deadline=None)
def test_the_hypervolume_is_the_area_that_is_dominated(points, right, top):
    cells = {
        (x, y)
        for x in range(right)
        for y in range(top)
        if any(px <= x and py <= y for px, py in points)
    }
    assert hypervolume(points, (right, top)) == len(cells)


errors = st.lists(
    st.tuples(st.sampled_from([1, 3, 5, 7, 9]), st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0])),
    min_size=1,
    max_size=5,
)


@given(st.lists(errors, min_size=2, max_size=4))
@settings(deadline=None, max_examples=60)
def test_dominations_and_coverage_are_those_of_the_definitions(several):
    (found,) = compare([study(f"{i}{i}", points) for i, points in enumerate(several)])

    def beats(a: Entry, b: Entry) -> bool:
        one, other = (a.complexity, a.max_error), (b.complexity, b.max_error)
        return one != other and one[0] <= other[0] and one[1] <= other[1]

    every = [entry for front in found.fronts for entry in front.entries]
    beaten = {(e.study, e.label) for e in every if any(beats(a, e) for a in every)}
    assert beaten == {(d.worse.study, d.worse.label) for d in found.dominations}
    assert all(beats(d.better, d.worse) for d in found.dominations)
    for one in found.fronts:
        for other in found.fronts:
            if one is not other:
                covered = [
                    any(
                        a.complexity <= b.complexity and a.max_error <= b.max_error
                        for a in one.entries
                    )
                    for b in other.entries
                ]
                share = sum(covered) / len(covered)
                assert found.coverage[one.letter, other.letter] == share
                assert coverage(one.entries, other.entries) == share


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tolerance": 0.3}, ["tolerances", "0.1 V", "0.3 V"]),
        ({"output_unit": "mV"}, ["tolerances", "0.1 mV"]),
        ({"domain": Domain.box(x=(0, 2))}, ["domains", "x 0 to 1", "x 0 to 2"]),
        ({"output_name": "z"}, ["outputs", "y: operon", "z: operon"]),
        ({"teacher_fingerprint": "0" * 64}, ["teachers", "ffffffff", "00000000"]),
    ],
)
def test_only_the_same_question_can_be_compared(changes, says):
    with pytest.raises(ConfigError) as caught:
        compare([A, replace(B, engine="operon", **changes)])
    for text in says:
        assert text in caught.value.what


def test_one_study_is_no_comparison():
    with pytest.raises(ConfigError, match="no comparison"):
        compare([A, A])
    with pytest.raises(ConfigError, match="no study is given"):
        compare([])


def test_studies_are_grouped_by_what_they_were_asked():
    other = replace(A, key="c3" * 32, tolerance=0.5)
    second = replace(A, key="d4" * 32, output_name="z")
    assert by_question([A, other, B, second, A]) == [[A, B, second], [other]]
    assert by_question([A, second]) == [[A, second]]
    third = replace(B, key="e5" * 32, tolerance=0.5)
    assert by_question([other, A, third, B]) == [[other, third], [A, B], []]


def test_different_targets_are_told(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (found,) = compare([A, replace(B, target="avr")])
    assert found.targets == ("host", "avr")
    show_comparison(Console(), found)
    assert "for different targets (host, avr)" in capsys.readouterr().out
    show_comparison(Console(), compare([A, B])[0])
    assert "different targets" not in capsys.readouterr().out


def test_outputs_are_compared_one_by_one():
    other = {"output_name": "z", "outputs": 2, "tolerance": 0.2}
    found = compare([A, replace(A, key="aa" * 32, **other), B, replace(B, key="bb" * 32, **other)])
    assert [(c.output, [f.letter for f in c.fronts]) for c in found] == [
        ("y", ["A", "C"]),
        ("z", ["B", "D"]),
    ]


def test_a_thousand_candidates_and_many_studies():
    points = [(2 * i + 1, 1 / (i + 1)) for i in range(8)]
    many = [study(f"{i:02x}", points, offset=float(i)) for i in range(130)]
    (found,) = compare(many)
    assert sum(len(f.entries) for f in found.fronts) == 1040
    assert found.fronts[-1].letter == "DZ"
    assert len(found.coverage) == 130 * 129


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    for each in (A, B, replace(A, key="c3" * 32, tolerance=0.5)):
        save_record(each, root / "line" / "study" / each.key[:16])
    broken = root / "line" / "study" / "ff"
    broken.mkdir()
    (broken / "study.json").write_text("{")
    return root


def run(root: Path, *arguments: str) -> int:
    return cli.main(["compare", f"root={root}", *arguments])


@pytest.mark.parametrize(
    "wanted",
    [
        ("a1a1", "b2b2b2b2"),
        ("operon host a1a1a1a1", "line/structure host b2b2b2b2"),
        ("*a1a1a1a1", "line/structure*"),
        ("line/study/" + "a1" * 8, "b2b2"),
        ("*[1]", "*b2"),
    ],
)
def test_studies_are_found_by_what_they_are_called(root, wanted, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    assert run(root, *wanted) == 0
    shown = capsys.readouterr().out
    assert "y of line, tolerance 0.1 V" in shown
    for text in ("operon host a1a1a1a1", "structure host b2b2b2b2", "hypervolume", "B c01"):
        assert text in shown


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("structre host b2b2b2b2", "a1a1"), "line/structure host b2b2b2b2"),
        (("d9d9", "a1a1"), "there is no study `d9d9`"),
        (("*",), "different tolerances"),
        (("nothing*",), "there is no study `nothing*`"),
        ((), "no study is given"),
        (("a1a1", "b2b2", "out=front.txt"), "neither a .csv nor a .json"),
    ],
)
def test_mistakes_are_told_with_what_is_there(root, wanted, says, capsys):
    assert run(root, *wanted) == 2
    assert says in capsys.readouterr().err


def test_an_empty_folder_says_what_makes_a_study(tmp_path, capsys):
    assert run(tmp_path, "a", "b") == 2
    assert "`distill run` makes one" in capsys.readouterr().err


def test_the_start_of_several_keys_lists_them(tmp_path, capsys):
    for each in (A, replace(A, key="a1a1" + "0" * 60)):
        save_record(each, tmp_path / "line" / "study" / each.key[:16])
    assert run(tmp_path, "a1a1", "a1a1a1") == 2
    error = capsys.readouterr().err
    assert "a1a10000" in error
    assert "a1a1a1a1" in error


def test_files_hold_everything(root, tmp_path, capsys):
    table, data = tmp_path / "c.csv", tmp_path / "c.json"
    assert run(root, "a1a1", "b2b2", f"out={table}") == 0
    rows = list(csv.DictReader(table.open()))
    assert [(r["study"], r["candidate"], r["beaten_by"]) for r in rows] == [
        ("A", "c01", ""), ("A", "c02", "B c01"), ("A", "c03", ""), ("B", "c01", ""),
        ("B", "c02", "A c03"),
    ]  # fmt: skip
    assert run(root, "a1a1", "b2b2", f"out={data}") == 0
    read = json.loads(data.read_text())
    (comparison,) = read["comparisons"]
    assert read["version"] == 1
    assert comparison["coverage"] == {"A": {"B": 0.5}, "B": {"A": 1 / 3}}
    assert comparison["fronts"][0]["entries"][2]["max_error"] == 0.1
    assert comparison["reference"] == {"complexity": 10, "log10_max_error": 2.0}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep over engines and tolerances, and a study that is not of it."""
    root = tmp_path_factory.mktemp("swept")
    studies = [
        replace(A, sweep_id="engines"),
        replace(B, sweep_id="engines"),
        replace(A, key="c3" * 32, sweep_id="engines", tolerance=0.5),
        replace(B, key="d4" * 32, engine="pysr"),
    ]
    for created, each in enumerate(studies):
        record = replace(each, created=float(created))
        save_record(record, root / "line" / "study" / each.key[:16])
    return root


def test_a_sweep_is_compared_question_by_question(swept, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    out = tmp_path / "sweep.json"
    assert run(swept, "sweep=engines", f"out={out}") == 0
    shown = capsys.readouterr().out
    assert "y of line, tolerance 0.1 V" in shown
    assert "tolerance 0.5 V" not in shown
    assert "Nothing to compare these with:\n    operon host c3c3c3c3" in shown
    (comparison,) = json.loads(out.read_text())["comparisons"]
    assert [front["name"] for front in comparison["fronts"]] == [
        "operon host a1a1a1a1", "structure host b2b2b2b2",
    ]  # fmt: skip


def test_an_unknown_sweep_names_those_that_are_there(swept, root, capsys):
    assert run(swept, "sweep=engine") == 2
    error = capsys.readouterr().err
    assert "no study of a sweep `engine`" in error
    assert "sweeps here, the newest first: engines" in error
    assert run(root, "sweep=any") == 2
    assert "`distill run -m KEY=V1,V2` makes a sweep" in capsys.readouterr().err


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_table_is_computed_by_a_spreadsheet(sign):
    evil = sign + "cmd|' /C calc'!A0"
    negative = Formula.parse("-x - 1.5", DOMAIN)
    assert negative.readable().startswith("-")
    rows = (replace(A.candidates[0], formula=negative), *A.candidates[1:])
    one = replace(A, teacher_name=evil, engine=evil, target=evil, candidates=rows)
    text = as_csv(compare([one, replace(one, key="c3" * 32)]))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    shown = evil if sign.strip() else evil[1:]
    assert cells.count(shown if shown == "cmd|' /C calc'!A0" else f"'{evil}") >= 3
    read = Formula.parse(next(csv.DictReader(io.StringIO(text)))["formula"], DOMAIN)
    assert read.complexity == negative.complexity
