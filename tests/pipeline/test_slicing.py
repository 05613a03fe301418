"""What the report draws besides scores: teacher, C and table along lines, and the guard."""

from dataclasses import replace

import numpy as np
import pytest

from distill.config.folder import read_option
from distill.delivery.shipping import ship
from distill.firmware.target import load_target
from distill.pipeline import one_output
from distill.progress import Silent
from distill.study.slicing import draw


@pytest.fixture
def study(quick):
    quick.export.verify = False
    return one_output.search(quick, Silent())


def points_of(slices):
    shape = slices.teacher.shape
    return np.array([[slices.points(k, s) for s in range(shape[1])] for k in range(shape[0])])


def test_teacher_and_c_are_asked_along_lines_through_the_worst_points(study):
    slices = draw(study, None).slices
    assert slices.teacher.shape[:2] == (len(study.shown), 2)
    points = points_of(slices)
    flat = points.reshape(-1, 2)
    np.testing.assert_array_equal(slices.teacher.ravel(), study.context.truth(flat))
    for k, choice in enumerate(study.shown):
        assert tuple(slices.anchors[k]) == choice.score.teacher.max_error_at
        assert choice.cost is not None
        off = np.abs(slices.c[k] - choice.formula(points[k].reshape(-1, 2)).reshape(2, -1))
        assert 0 < off.max() < 0.2  # float32, within what the tolerance leaves
    assert np.isnan(slices.table).all()
    assert draw(study, None).guard is None


def test_where_the_formula_misses_the_tolerance_the_c_follows_the_table(study, tmp_path):
    coarse = min(study.choices, key=lambda c: (c.formula.complexity, c.candidate.id))
    chosen = replace(study, selection=replace(study.selection, id=coarse.candidate.id))
    target = load_target(read_option("target", "pic32"))
    error = coarse.score.max_error
    shipped = ship(study.context, coarse.candidate, error, target, tmp_path / "c", Silent())
    drawn = draw(chosen, shipped.bundle)
    k = chosen.shown.index(chosen.chosen)
    guard, slices = shipped.bundle.spec.guard, drawn.slices
    np.testing.assert_array_equal(drawn.guard.flags, guard.flags)
    assert not np.isnan(slices.table).any()
    points = points_of(slices)[k].reshape(-1, 2)
    guarded = guard(points)
    assert guarded.any()
    np.testing.assert_array_equal(slices.c[k].ravel()[guarded], slices.table[k].ravel()[guarded])
    assert np.abs(slices.c[k] - slices.teacher[k]).max() <= study.context.config.tolerance


def test_a_teacher_with_a_limit_is_not_asked_again(study):
    class Limited:
        calls_left = 3

        def __getattr__(self, name):
            return getattr(study.context.teacher, name)

        def predict(self, x):
            raise AssertionError("asked")

    context = replace(study.context, teacher=Limited())
    choices = tuple(replace(c, study=context) for c in study.choices)
    slices = draw(replace(study, context=context, choices=choices), None).slices
    assert np.isnan(slices.teacher).all()
    assert not np.isnan(slices.c).all()
