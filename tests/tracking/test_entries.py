import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.tracking import entries
from distill.tracking.front_table import front_table
from distill.tracking.log import log_study
from distill.tracking.record import Milestone


def test_run_name_starts_with_the_label_and_is_short(study):
    first, *_, published = study.candidates
    assert entries.run_name(study, first) == "c01 22"
    name = entries.run_name(study, published)
    assert name.startswith("p01 Stull 2011: temperature*atan(0.152*sqrt(humidity + 8.314))")
    assert len(name) == entries.LONGEST_NAME
    assert name.endswith("…")


def test_metrics_of_a_candidate(study):
    c = study.candidates[2]
    metrics = entries.candidate_metrics(c)
    assert metrics["complexity"] == c.formula.complexity
    assert metrics["accuracy/max_error"] == c.score.max_error
    assert metrics["reference/max_error"] == c.score.reference.max_error
    assert 10 ** metrics["accuracy/log10_max_error"] == pytest.approx(c.score.max_error)
    assert metrics["cost/pic32/instructions"] == c.cost["pic32"]["instructions"]
    assert "cost/pic32/compiler" not in metrics
    assert entries.candidate_params(c)["cost/pic32/compiler"] == "zig 0.17 -Os"


def test_what_is_not_finite_is_no_metric(study):
    c = study.candidates[0]
    errors = replace(c.score.teacher, max_error=math.inf, rmse=math.nan, non_finite=3)
    metrics = entries.candidate_metrics(replace(c, score=replace(c.score, teacher=errors)))
    assert metrics["accuracy/non_finite"] == 3
    assert not {"accuracy/max_error", "accuracy/rmse", "accuracy/log10_max_error"} & set(metrics)


def test_an_exact_formula_has_no_logarithm_of_its_error(study):
    c = study.candidates[0]
    errors = replace(c.score.teacher, max_error=0.0)
    metrics = entries.candidate_metrics(replace(c, score=replace(c.score, teacher=errors)))
    assert metrics["accuracy/max_error"] == 0.0
    assert "accuracy/log10_max_error" not in metrics


def test_config_is_flat_and_bounded(study):
    config = {"a": {"b": None, "c": [1, 2]}, "Stull (2011), §2": "x" * 9000}
    params = entries.study_params(replace(study, config=config))
    assert params["a.b"] == "None"
    assert params["a.c"] == "1, 2"
    assert params["Stull _2011__ _2"] == "x" * 499 + "…"


@given(st.text(max_size=400))
@settings(max_examples=50, deadline=None)
def test_any_key_becomes_a_name_that_mlflow_takes(name):
    from mlflow.utils.validation import _validate_param_name

    safe = entries.safe_name(f"k{name}")
    _validate_param_name(safe.replace("/", "_"))


def test_best_error_only_falls_and_reaches_the_end(study):
    news = [(10, 1.0, 5, 3.0), (20, 2.0, 9, 1.0), (30, 3.0, 5, 2.0), (40, 4.0, 9, math.inf)]
    news.append((50, 5.0, 9, 1.5))
    points = entries.search_points(replace(study, history=tuple(Milestone(*n) for n in news)))
    best = [(value, step) for name, value, _, step in points if name == "search/best_error"]
    assert best == [(3.0, 10), (1.0, 20), (1.0, 50)]
    at_nine = [value for name, value, *_ in points if name == "search/complexity_009"]
    assert at_nine == [1.0, 1.5]
    times = [time for _, _, time, _ in points]
    assert min(times) == round(1000 * (study.created + 1))


def test_a_study_without_news_has_no_points(study):
    assert entries.search_points(replace(study, history=())) == []


def test_front_table_is_sorted_by_complexity(study):
    table = front_table(study)
    assert table["complexity"] == sorted(table["complexity"])
    assert table["candidate"][0] == "c01"
    assert sum(table["chosen"]) == 1


def test_notes_and_names_keep_to_what_a_server_takes(study):
    long = "<b>" * 3000
    c = replace(study.chosen, kept=(long,) * 30)
    wide = replace(study, output_unit=long, selection=long * 3, overrides=(long,))
    assert len(entries.candidate_tags(wide, c)["mlflow.note.content"]) == entries.LONGEST_NOTE
    assert len(entries.study_tags(wide)["mlflow.note.content"]) == entries.LONGEST_NOTE


def test_a_run_of_a_long_name_is_logged_under_its_start(own_store, study):
    wide = replace(study, overrides=("engine.options.names=" + "x" * 400,))
    logged = log_study(wide, own_store)
    name = own_store.client().get_run(logged.parent_run_id).info.run_name
    assert name == wide.name[: entries.LONGEST_STUDY_NAME - 1] + "…"
