"""``distill report``: which study is meant, where the page goes, and what a mistake is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from distill import cli
from distill.reporting import with_other_targets
from distill.tracking.record import load_record, save_record
from distill.tracking.recorded import find_study
from tests.tracking.conftest import make_study

OLD, NEW, OTHER = "0a" * 32, "0b" * 32, "c0ffee" + "00" * 29


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies of one teacher, the second one newer, and one of another that is the oldest."""
    root = tmp_path_factory.mktemp("studies")
    study = make_study((1, 4))
    for name, key, created in (
        ("wet_bulb", OLD, 2.0), ("wet_bulb", NEW, 3.0), ("thrust", OTHER, 1.0),
    ):  # fmt: skip
        record = replace(study, key=key, created=created, teacher_name=name)
        if key == OLD:
            cost = {"avr": {"instructions": 4321.0, "compiler": "avr-gcc"}}
            rows = tuple(replace(c, cost=cost) for c in record.candidates)
            record = replace(record, candidates=rows, target="avr")
        save_record(record, root / name / "study" / key[:16])
    return root


@pytest.mark.parametrize(("name", "key"), [
    ("", NEW),
    ("wet_bulb", NEW),
    ("thrust", OTHER),
    ("0a0a", OLD),
    (OTHER, OTHER),
    (f"wet_bulb/study/{OLD[:16]}", OLD),
])  # fmt: skip
def test_a_study_is_found_by_teacher_key_folder_or_as_the_newest(root, name, key):
    assert find_study(root, name).folder.name == key[:16]


def test_the_page_lies_beside_the_record_or_where_it_is_wanted(root, tmp_path, capsys):
    assert cli.main(["report", "thrust", f"root={root}"]) == 0
    file = Path(capsys.readouterr().out.strip())
    assert file == root / "thrust/study" / OTHER[:16] / "report.html"
    out = tmp_path / "new" / "page.html"
    assert cli.main(["report", f"out={out}", f"root={root}"]) == 0
    assert NEW in out.read_text(encoding="utf-8")
    assert cli.main(["report", f"out={tmp_path}", f"root={root}"]) == 3
    assert "out=report.html" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "told"), [
    (["wet_bulb/operon"], 2, "close to it:"),
    (["zzz"], 2, "the newest:"),
    (["a", "b"], 2, "one study at a time"),
    (["roott=x"], 2, "did you mean `root`"),
])  # fmt: skip
def test_mistakes_are_told_with_what_is_close(root, capsys, words, code, told):
    assert cli.main(["report", *words, f"root={root}"]) == code
    assert told in capsys.readouterr().err


def test_the_start_of_several_keys_is_not_enough(tmp_path, capsys):
    study = make_study((1,))
    for key in ("abcd1" + "0" * 59, "abcd2" + "0" * 59):
        save_record(replace(study, key=key), tmp_path / "wet_bulb" / "study" / key[:16])
    assert cli.main(["report", "abcd", f"root={tmp_path}"]) == 2
    assert "give more of the key" in capsys.readouterr().err


def test_without_any_study(tmp_path, capsys):
    assert cli.main(["report", f"root={tmp_path}"]) == 2
    assert "no study is recorded here yet" in capsys.readouterr().err


def test_what_a_formula_costs_elsewhere_comes_from_the_teachers_other_studies(root):
    folder = find_study(root, "wet_bulb").folder
    (folder.parent / "broken").mkdir()
    (folder.parent / "broken" / "study.json").write_text("[1]")
    record = with_other_targets(load_record(folder), folder)
    assert all(set(c.cost) == {"pic32", "avr"} for c in record.candidates)
    assert record.candidates[0].cost["avr"]["instructions"] == 4321.0
