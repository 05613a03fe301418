import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from distill.domain import Domain
from distill.formula import Formula
from distill.scoring.score import Errors, Score
from distill.tracking.front_figure import front_figure, front_images
from distill.tracking.plots import CandidatePlots


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def small(study, domain, text, truth):
    """A study of one candidate over another domain."""
    x = domain.sample(1024, seed=2)
    y = Formula.parse(truth, domain)(x)
    formula = Formula.parse(text, domain)
    residual = formula(x) - y
    finite = np.isfinite(residual)
    worst = int(np.nanargmax(np.abs(residual)))
    error = float(np.abs(residual[worst])) if finite.all() else np.inf
    score = Score(
        Errors(0.1, 0.1, 0.9, error, tuple(x[worst].tolist()), int((~finite).sum()), len(x))
    )
    one = replace(study.candidates[0], formula=formula, score=score)
    return replace(study, domain=domain, points=x, truth=y, candidates=(one,))


def test_each_candidate_gets_its_own_pictures(study):
    plots = CandidatePlots(study)
    first, second = (plots.draw(c) for c in study.candidates[1:3])
    assert set(first) == {"parity.png", "residuals.png"}
    for name in first:
        assert pixels(first[name]).shape == pixels(second[name]).shape
        assert (pixels(first[name]) != pixels(second[name])).mean() > 0.01
    # Nothing of a candidate stays in the figures that the next one reuses.
    assert CandidatePlots(study).draw(study.candidates[1]) == first


def test_captions_are_drawn_where_they_belong(study):
    plots = CandidatePlots(study)
    c = study.candidates[1]
    shown = pixels(plots._parity.draw(c, c.formula(plots._points)))
    plots._parity._sheet._captions = ()
    bare = pixels(plots._parity._sheet.png(plots._parity._axes.get_ylim()))
    rows, columns = np.nonzero((shown != bare).any(axis=2))
    height, width = shown.shape[:2]
    # The title: above the axes, in one line, in the middle of them.
    assert 0.02 * height < rows.min() < rows.max() < 0.10 * height
    assert (columns.min() + columns.max()) / 2 == pytest.approx(0.56 * width, abs=3)


def test_what_a_picture_shares_with_others_is_drawn_once(study, monkeypatch):
    drawn = []
    plots = CandidatePlots(study)
    canvas = plots._residuals._sheet._figure.canvas
    draw = canvas.draw
    monkeypatch.setattr(canvas, "draw", lambda: drawn.append(draw()))
    for c in study.candidates:
        plots.draw(c)
    assert len(drawn) == 1


def test_a_formula_far_off_gets_a_longer_axis(study):
    plots = CandidatePlots(study)
    near = plots._parity._axes.get_ylim()
    far = Formula.parse("100*temperature", study.domain)
    plots.draw(replace(study.candidates[0], formula=far))
    low, high = plots._parity._axes.get_ylim()
    assert low == near[0]
    assert high == pytest.approx(near[1] + 2 * (near[1] - near[0]))


@pytest.mark.parametrize("count", [39, 200])
def test_a_long_front_bears_few_names_and_the_chosen_ones(study, count):
    best = replace(study.candidates[0], chosen=False, on_front=True)
    rows = [replace(best, id=str(i), chosen=i == count - 2) for i in range(count)]
    axes = front_figure(replace(study, candidates=tuple(rows))).axes[0]
    names = [text.get_text() for text in axes.texts]
    assert len(names) <= 41
    assert names.count(f"c{count - 1:02d}") == 1


def test_the_map_marks_the_worst_point_and_scales_to_it(study):
    plots = CandidatePlots(study)
    c = study.candidates[2]
    plots.draw(c)
    maps = plots._residuals
    at = (maps._marks[0].get_xdata()[0], maps._marks[0].get_ydata()[0])
    assert at == c.score.teacher.max_error_at
    assert maps._norm.vmax == pytest.approx(c.score.max_error)
    assert maps._norm.vmin == -maps._norm.vmax
    assert f"{c.score.max_error:.4g} degC, beyond the tolerance 0.1" in maps._title.text


def test_one_input_gives_a_curve_with_the_worst_point_on_it(study):
    domain = Domain.box(x=(0, 2, "m"))
    one = small(study, domain, "x^2 + 0.05", "x^2 + 0.3*x")
    plots = CandidatePlots(one)
    assert pixels(plots.draw(one.candidates[0])["residuals.png"]).std() > 5
    curve = plots._residuals
    worst = one.candidates[0].score.teacher
    assert list(curve._worst.get_xdata()) == [worst.max_error_at[0]]
    assert list(curve._worst.get_ydata()) == [pytest.approx(-worst.max_error)]
    assert curve._axes.get_xlabel() == "x [m]"


def test_three_inputs_give_three_panels(study):
    domain = Domain.box(a=(0, 1), b=(1, 100), c=(0, 1))
    one = small(study, domain, "a + c", "a*b + c")
    plots = CandidatePlots(one)
    plots.draw(one.candidates[0])
    assert len(plots._residuals._cells) == 3


def test_points_without_a_value_are_crossed_out_and_said(study):
    domain = Domain.box(a=(-1, 1), b=(0, 1))
    one = small(study, domain, "sqrt(a) + b", "a + b")
    plots = CandidatePlots(one)
    plots.draw(one.candidates[0])
    maps = plots._residuals
    assert len(maps._voids[0].get_xdata()) == (one.points[:, 0] < 0).sum() > 400
    assert len(maps._marks[0].get_xdata()) == 0
    assert "no finite value at" in maps._title.text


def test_the_front_shows_tolerance_chosen_and_published(study):
    axes = front_figure(study).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines["tolerance 0.1"].get_ydata()) == {0.1}
    chosen, published = study.chosen, study.candidates[-1]
    assert lines["chosen"].get_xdata()[0] == chosen.formula.complexity
    assert lines["chosen"].get_ydata()[0] == chosen.score.max_error
    assert lines["published"].get_xdata()[0] == published.formula.complexity
    assert axes.get_yscale() == "log"


def test_the_front_over_instructions(study):
    axes = front_figure(study, "pic32").axes[0]
    chosen = next(line for line in axes.lines if line.get_label() == "chosen")
    assert chosen.get_xdata()[0] == study.chosen.cost["pic32"]["instructions"]
    assert axes.get_xlabel() == "instructions a call on pic32"


@pytest.mark.parametrize(("cost", "names"), [
    ({}, {"front.png"}),
    ({"pic32": {"instructions": 5.0}}, {"front.png", "front_instructions.png"}),
])  # fmt: skip
def test_a_front_over_instructions_needs_instructions(study, cost, names):
    rows = tuple(replace(c, cost=cost) for c in study.candidates)
    assert set(front_images(replace(study, candidates=rows))) == names
