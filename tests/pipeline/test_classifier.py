"""Classifiers from the model to labels in C: two classes by a margin, three by their scores."""

import ctypes
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from distill.config.folder import read_option
from distill.config.schema import SelectConfig, StudyConfig
from distill.delivery import shipping
from distill.domain import Domain
from distill.firmware.target import load_target
from distill.pipeline import all_outputs, one_output
from distill.progress import Silent
from distill.teachers.load import load_teacher

DOMAIN = Domain.box(width=(0, 4, "cm"), height=(0, 4, "cm"))


def floats(n: int, seed: int) -> np.ndarray:
    """Points of the domain that float32 holds."""
    return DOMAIN.sample(n, seed=seed).astype(np.float32).astype(float)


@pytest.fixture
def classes() -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping groups of points, (150, 2) and their labels."""
    random = np.random.default_rng(5)
    centres = np.array([[1.0, 1.0], [3.0, 1.5], [2.0, 3.0]])
    labels = np.repeat(np.arange(3), 50)
    return np.clip(centres[labels] + 0.5 * random.normal(size=(150, 2)), 0, 4), labels


@pytest.fixture
def sorting(quick: StudyConfig) -> StudyConfig:
    """The quick study, with one toolchain of the chip."""
    quick.target = {**quick.target, "native": None}
    quick.export.verify_points = 1000
    quick.engine.keep = 4
    quick.score.starts = 4
    return quick


def test_the_margin_of_two_classes_gives_the_label_in_c(sorting, classes, built) -> None:
    x, y = classes
    model = LogisticRegression().fit(x[y < 2], np.array(["narrow", "wide"])[y[y < 2]])
    teacher = load_teacher(model, domain=DOMAIN, name="margin_of")
    sorting.select = SelectConfig(**read_option("select", "agrees"))
    study = one_output.search(sorting, Silent(), teacher, DOMAIN)
    chosen = study.chosen
    assert chosen is not None
    assert chosen.score.labels.agreement >= sorting.select.min_agreement
    assert chosen.score.labels.points == sorting.score.points
    assert study.front["agreement"].iloc[-1] == 1.0
    shipped = shipping.ship(
        study.context, chosen.candidate, chosen.score.max_error,
        load_target(sorting.target), Path("build"), Silent(),
    )  # fmt: skip
    assert shipped.evidence.passed
    label = built(shipped.bundle.source).margin_of_label
    label.argtypes = [ctypes.c_float, ctypes.c_float]
    points = floats(3000, 8)
    found = np.array([label(*row) for row in points.tolist()])
    wanted = (model.predict(points) == "wide").astype(int)
    assert np.mean(found == wanted) >= sorting.select.min_agreement
    # The closed form stands beside the formulas, and its labels are all right.
    closed = [c for c in study.choices if c.candidate.engine == "exact"]
    assert closed
    assert all(c.score.labels.agreement == 1.0 for c in closed)


def test_a_tree_of_three_classes_has_its_own_labels_in_c(sorting, classes, built) -> None:
    x, y = classes
    model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(x, y)
    teacher = load_teacher(model, domain=DOMAIN, name="tree_of")
    sorting.teacher.output = "all"
    sorting.engine.name, sorting.engine.options = "exact", {}
    sorting.engine.max_complexity = 10**9
    studies = all_outputs.search_all(sorting, Silent(), teacher, DOMAIN)
    assert studies.labels.agreement == 1.0
    assert np.array(studies.labels.confusion).shape == (3, 3)
    target = load_target(sorting.target)
    shipped = shipping.ship_all(studies, target, Path("build"), Silent())
    assert shipped.evidence.passed
    # Every threshold, and one unit in the last place to either side.
    cuts = np.unique(model.tree_.threshold[model.tree_.feature >= 0]).astype(np.float32)
    edges = np.concatenate(
        [cuts, np.nextafter(cuts, np.float32(-9)), np.nextafter(cuts, np.float32(9))]
    )
    along = [np.column_stack([edges, np.full_like(edges, v)]) for v in (0.5, 2)]
    across = [np.column_stack([np.full_like(edges, v), edges]) for v in (1, 3)]
    points = np.vstack([floats(2000, 9), *along, *across])
    np.testing.assert_array_equal(
        labels_in_c(built(shipped.bundle.source), "tree_of", points), model.predict(points)
    )


def test_three_formulas_give_a_label_together(sorting, classes, built) -> None:
    x, y = classes
    model = GaussianNB().fit(x, y)
    teacher = load_teacher(model, domain=DOMAIN, name="bayes_of")
    sorting.teacher.output = "all"
    sorting.tolerance = 0.05
    sorting.export.verify = False
    sorting.engine.options = {"max_terms": 8, "max_degree": 2}
    studies = all_outputs.search_all(sorting, Silent(), teacher, DOMAIN)
    assert 0.98 <= studies.labels.agreement <= 1.0
    assert studies.labels.points == sorting.score.points
    target = load_target(sorting.target)
    shipped = shipping.ship_all(studies, target, Path("build"), Silent())
    points = floats(3000, 10)
    found = labels_in_c(built(shipped.bundle.source), "bayes_of", points)
    assert abs(np.mean(found == model.predict(points)) - studies.labels.agreement) < 0.01
    # A column of the study's own front says nothing of labels, which need all three scores.
    assert studies.front["agreement"].isna().all()


def labels_in_c(library: ctypes.CDLL, name: str, points: np.ndarray) -> np.ndarray:
    """What ``NAME_label`` answers at points (n, 2)."""
    label = getattr(library, f"{name}_label")
    row = ctypes.c_float * points.shape[1]
    return np.array([label(row(*point)) for point in points.tolist()])
