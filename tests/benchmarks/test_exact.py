from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from exact import emitting
from exact.emitting import CannotDo, Emitted, emlearn, m2cgen, micromlgen, ours
from exact.judging import cost, judged
from exact.models import MODELS, Model
from exact.report import section

from distill.config.folder import read_option
from distill.firmware.target import Target, load_target


@pytest.fixture(scope="module")
def tree() -> Model:
    return MODELS["tree"]()


@pytest.fixture(scope="module")
def pic32() -> Target:
    return load_target(read_option("target", "pic32"))


def test_points_hold_every_threshold_and_its_neighbours(tree: Model) -> None:
    points = tree.points(500)
    nodes = tree.estimator.tree_
    split = nodes.children_left >= 0
    for feature, threshold in zip(nodes.feature[split], nodes.threshold[split], strict=True):
        seen = set(points[:, feature].tolist())
        # The last float32 that goes left, and the one behind it.
        last = np.float32(threshold)
        if last > threshold:
            last = np.nextafter(last, np.float32(-np.inf))
        for value in (last, *(np.nextafter(last, np.float32(e)) for e in (-np.inf, np.inf))):
            assert float(tree.domain.clip(np.full((1, 10), value))[0, feature]) in seen
    assert len(points) >= 500
    assert (points == points.astype(np.float32)).all()


@pytest.mark.parametrize("way", ["float32", "fixed"])
def test_labels_of_our_trees_are_the_models_own(tree: Model, pic32: Target, way: str) -> None:
    found = judged(tree, ours(tree, way, pic32), tree.points(2000))  # type: ignore[arg-type]
    assert found.wrong == 0
    assert found.points >= 2000
    assert found.ulp is not None
    assert found.ulp < 1


def test_wrong_labels_and_scores_are_counted(tree: Model) -> None:
    text = (
        "void tree(const float *x, float *y);\nint tree_label(const float *x);\n"
        "void tree(const float *x, float *y) { (void)x; y[0] = 3.0f; }\n"
        "int tree_label(const float *x) { (void)x; return 1; }\n"
    )
    x = tree.points(1000)
    always = Emitted("tree", {"tree.c": text}, m2cgen(tree).interface)
    found = judged(tree, always, x)
    assert found.wrong == int((tree.labels(x) == 0).sum()) > 0
    assert found.of_largest == pytest.approx(4 / np.spacing(np.float32(1)))  # 3 for -1


def test_others_are_called_as_the_model_means_it(tree: Model) -> None:
    x = tree.points(1000)
    # emlearn is compiled when it is installed, so that not every machine has it.
    known = [m2cgen, micromlgen, *([emlearn] if find_spec("emlearn") else [])]
    for emit in known:
        # They may miss what lies at a threshold, not more.
        assert judged(tree, emit(tree), x).wrong < 0.05 * len(x), emit.__name__
    if emlearn in known:
        rough = judged(tree, emlearn(tree, "int16_t"), x)
        assert rough.wrong < 0.1 * len(x)
        assert rough.ulp is None


def test_what_a_generator_refuses_is_a_row_that_says_so(pic32: Target) -> None:
    bayes = MODELS["bayes"]()
    with pytest.raises(CannotDo, match="refuses the model"):
        m2cgen(bayes)
    rows = {row.name: row for row in section(bayes, [], 100).rows}
    assert list(rows)[:2] == ["distill, float32", "distill, double"]
    assert set(emitting.PEERS) < set(rows)


def test_costs_are_counted_on_the_chip(tree: Model, pic32: Target) -> None:
    found = cost(tree, ours(tree, "fixed", pic32), pic32)
    assert found.measured
    assert 20 < found.instructions < 2000
    assert found.flash_bytes is not None
    assert 200 < found.flash_bytes < 5000


def test_the_quick_run_prints_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import runpy
    from pathlib import Path

    script = Path(__file__).parents[2] / "benchmarks" / "exact.py"
    program = runpy.run_path(str(script))
    monkeypatch.setattr(sys, "argv", ["exact.py", "--quick"])
    assert program["main"]() == 0
    shown = capsys.readouterr().out
    rows = [line.split("|") for line in shown.splitlines() if line.startswith("| distill")]
    assert [row[2].strip() for row in rows] == ["0"] * 6  # three ways of each of the two models
    assert rows[1][1].strip() == "distill, fixed point, integers"
    assert "distill's labels are the models' own at every point." in shown
