from __future__ import annotations

from pathlib import Path

import predict_on_a_pic32 as story
import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(story, "OUT", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_naive_bayes_is_exact_on_the_chip_and_nearly_so_in_less_code(folder: Path) -> None:
    exact, rough = story.small_rows("naive_bayes", 3_000, 300)
    assert (exact.way, rough.way) == ("exact", "approximate")
    assert exact.test == exact.fresh == 1.0
    assert rough.test > 0.95
    assert rough.fresh > 0.95
    assert rough.flash < exact.flash
    assert rough.instructions < exact.instructions
    assert (folder / "naive_bayes" / "exact" / "naive_bayes.c").is_file()
    story.figure([exact, rough], folder / "predict.png")
    assert (folder / "predict.png").stat().st_size > 1_000


@pytest.mark.slow
def test_a_regression_keeps_its_tolerance() -> None:
    exact, rough = story.small_rows("linear_regression", 3_000, 200)
    assert not exact.labels
    assert max(exact.test, exact.fresh) < 1e-3
    assert max(rough.test, rough.fresh) <= story.TOLERANCE
    assert rough.instructions < exact.instructions


@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "logistic_regression"])
def test_labels_of_the_exact_c_are_the_models_own(name: str) -> None:
    teacher, content, test = story.exact_content(name)
    bundle = story.written(teacher, "exact", content, 0.0, story.EXACT, story.OUT)
    exact = story.row(teacher, bundle, name, test, 200)
    assert exact.test == exact.fresh == 1.0


@pytest.mark.slow
def test_digits_lose_less_than_one_part_in_a_hundred_with_formulas_in_the_head() -> None:
    rows, loss = story.digit_rows(12, 2, 8)
    exact, rough = rows
    assert loss.before > 0.93
    assert loss.lost < 0.01
    assert exact.test == exact.fresh == 1.0
    assert rough.test >= 0.75
    assert rough.flash < exact.flash
    assert rough.instructions < exact.instructions
