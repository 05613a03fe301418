"""``distill report``: which study is meant, where the page goes, and what a mistake is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from distill import cli
from distill.config.folder import options_of
from distill.firmware.cost import Cost, Measured
from distill.progress import Silent
from distill.reporting import targets
from distill.reporting.targets import with_every_target, with_other_studies
from distill.tracking.record_folder import load_record, save_record
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


@pytest.fixture
def fresh(root, tmp_path) -> Path:
    """The same studies where nothing was measured elsewhere yet."""
    return shutil.copytree(root, tmp_path / "fresh", ignore=shutil.ignore_patterns("measure"))


@pytest.fixture
def scales(monkeypatch) -> list[str]:
    """Instead of compilers: the targets for which something was weighed."""
    asked = []

    def weigh(specs, points, target, announce):
        asked.append(target.name)
        assert points.shape[1] == 2
        (name,) = specs
        return Measured(
            {name: Cost(target.name, "cc", "float32", target.unit, 77.0, 80.0, 1, 2, 3, True)}
        )

    monkeypatch.setattr(targets, "weigh", weigh)
    return asked


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


def test_the_page_lies_beside_the_record_or_where_it_is_wanted(root, tmp_path, capsys, scales):
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
    record = with_other_studies(load_record(folder), folder)
    assert all(set(c.cost) == {"pic32", "avr"} for c in record.candidates)
    assert record.candidates[0].cost["avr"]["instructions"] == 4321.0


def test_the_chosen_is_measured_on_every_other_target_once_and_others_are_estimated(fresh, scales):
    folder = find_study(fresh, "wet_bulb").folder
    record = with_every_target(load_record(folder), folder, Silent())
    everywhere = set(options_of("target"))
    assert scales == sorted(everywhere - {"pic32", "avr"})
    for candidate in record.candidates:
        assert set(candidate.cost) == everywhere
        elsewhere = candidate.cost["cortex_m4"]
        assert elsewhere["measured"] is candidate.chosen
        assert (elsewhere["instructions"] == 77.0) is candidate.chosen
    again = with_every_target(load_record(folder), folder, Silent())
    assert len(scales) == len(everywhere) - 2
    assert [c.cost for c in again.candidates] == [c.cost for c in record.candidates]


def test_a_target_on_which_it_fails_has_an_estimate(fresh, monkeypatch):
    monkeypatch.setattr(targets, "weigh", lambda *_: Measured({}))
    folder = find_study(fresh, "thrust").folder
    record = with_every_target(load_record(folder), folder, Silent())
    assert record.chosen.cost["riscv32"]["measured"] is False
    assert record.chosen.cost["riscv32"]["instructions"] > 10
    assert record.chosen.cost["pic32"] == load_record(folder).chosen.cost["pic32"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: truncate(f / "study.json", 0.5),
        lambda f: truncate(f / "study.json", 0),
        lambda f: (f / "study.json").write_text("[" * 100_000),
        lambda f: (f / "study.json").write_bytes(b"\xff\xfe{}"),
        lambda f: truncate(f / "points.npz", 0.5),
        lambda f: truncate(f / "points.npz", 0),
        lambda f: (f / "points.npz").unlink(),
        lambda f: flip(f / "points.npz"),
        lambda f: (f / "slices.npz").write_bytes(b""),
        lambda f: (f / "slices.npz").write_bytes(b"PK"),
    ],
)
def test_a_damaged_record_is_told_with_its_file(tmp_path, capsys, damage):
    study = make_study((1, 4))
    folder = tmp_path / "wet_bulb" / "study" / study.key[:16]
    save_record(study, folder)
    damage(folder)
    assert cli.main(["report", str(folder), f"root={tmp_path}"]) in (2, 3)
    error = capsys.readouterr().err
    assert str(folder) in error
    assert "next:" in error


def truncate(file, part):
    data = file.read_bytes()
    file.write_bytes(data[: int(part * len(data))])


def flip(file):
    """Wrong bits in the middle, in what is packed."""
    data = bytearray(file.read_bytes())
    for i in range(len(data) // 2, len(data) // 2 + 64):
        data[i] ^= 0xFF
    file.write_bytes(bytes(data))
