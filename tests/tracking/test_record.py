from dataclasses import replace

import numpy as np
import pytest

from distill.engines.findings import Finding
from distill.errors import StorageError
from distill.tracking.record import VERSION, digest
from distill.tracking.record_folder import RECORD, load_record, save_record


def test_a_record_comes_back_from_disk_as_it_was(study, tmp_path):
    save_record(study, tmp_path)
    back = load_record(tmp_path)
    assert back.to_data() == study.to_data()
    assert back.candidates == study.candidates
    assert back.history == study.history
    np.testing.assert_array_equal(back.points, study.points)
    np.testing.assert_array_equal(back.truth, study.truth)


def test_an_infinite_error_survives(study, tmp_path):
    first = study.candidates[0]
    errors = replace(first.score.teacher, max_error=np.inf, non_finite=7, max_error_at=())
    bad = replace(first, score=replace(first.score, teacher=errors))
    save_record(replace(study, candidates=(bad,)), tmp_path)
    back = load_record(tmp_path).candidates[0].score.teacher
    assert (back.max_error, back.non_finite, back.max_error_at) == (np.inf, 7, ())


def test_findings_come_back(study, tmp_path):
    part = Finding("f(a)", "unknown", "open", np.inf)
    found = replace(study, findings=Finding("f", "a sum", "believed", 0.1, parts=(part,)))
    save_record(found, tmp_path)
    assert load_record(tmp_path).findings == found.findings


def test_saving_again_replaces_the_record(study, tmp_path):
    save_record(study, tmp_path)
    save_record(replace(study, selection="another"), tmp_path)
    assert load_record(tmp_path).selection == "another"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["files.json", "points.npz", "study.json"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / RECORD).unlink(), "no study is recorded"),
        (lambda folder: (folder / "points.npz").unlink(), "no study is recorded"),
        (lambda folder: (folder / RECORD).write_text("{"), "broken"),
        (lambda folder: (folder / RECORD).write_text("[]"), "version"),
        (lambda folder: (folder / RECORD).write_text('{"version": 99}'), "version"),
        (lambda folder: (folder / RECORD).write_text(f'{{"version": {VERSION}}}'), "broken"),
        (lambda folder: (folder / "points.npz").write_bytes(b"PK\3\4 cut"), "broken"),
    ],
)
def test_a_missing_or_damaged_record_names_its_folder(study, tmp_path, damage, says):
    save_record(study, tmp_path)
    damage(tmp_path)
    with pytest.raises(StorageError, match=says) as caught:
        load_record(tmp_path)
    assert str(tmp_path) in caught.value.where
    assert caught.value.hint


def test_names_and_labels(study):
    labels = [study.label(c) for c in study.candidates]
    assert labels == ["c01", "c02", "c03", "c04", "p01"]
    assert study.name == "operon pic32 5a5a5a5a"
    swept = replace(study, overrides=("sampling.points=256",))
    assert swept.name == "operon pic32 sampling.points=256 5a5a5a5a"
    assert study.chosen is not None
    assert study.label(study.chosen) == "c04"


def test_figures_are_finite_numbers_or_nothing(study):
    c = replace(study.candidates[0], cost={"pic32": {"a": 2, "b": None, "c": "x", "d": np.nan}})
    assert [c.figure("pic32", n) for n in "abcde"] == [2.0, None, None, None, None]
    assert c.figure("avr", "a") is None


def test_digest_depends_on_content_and_not_on_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
