"""The rules: whom they choose, what they say, and which key they name when they cannot."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.errors import ConfigError
from distill.scoring.select import RULES, Row, Selection, Wish, choose

ROWS = [
    Row("aaaa00000001", 3, 40.0, 0.9),
    Row("aaaa00000002", 9, 90.0, 0.080),
    Row("bbbb00000003", 12, 60.0, 0.090),
    Row("cccc00000004", 25, 300.0, 0.070),
    Row("dddd00000005", 40, 500.0, 0.001),
]
WISH = Wish(0.1, unit="degC")


def _chosen(rule, rows=ROWS, **options):
    return choose(rows, rule, Wish(**{"tolerance": 0.1, "unit": "degC", **options}))


def test_the_cheapest_counts_instructions_not_nodes():
    selection = _chosen("cheapest")
    assert selection.id == "bbbb00000003"
    assert selection.reason == (
        "The cheapest formula within the tolerance: found to be off by up to 0.09 degC, "
        "12 nodes, 60 instructions a call."
    )


def test_without_costs_nodes_count():
    rows = [Row(r.id, r.complexity, None, r.max_error) for r in ROWS]
    selection = _chosen("cheapest", rows)
    assert selection.id == "aaaa00000002"
    assert selection.reason.endswith("found to be off by up to 0.08 degC, 9 nodes.")


def test_what_was_not_measured_comes_after_what_was():
    rows = [Row("a", 2, None, 0.01), Row("b", 30, 900.0, 0.01), Row("c", 3, None, 0.01)]
    assert _chosen("cheapest", rows).id == "b"
    assert _chosen("cheapest", [rows[2], rows[0]]).id == "a"


def test_ties_go_to_fewer_nodes_and_then_to_the_smaller_error():
    rows = [Row("a", 9, 50.0, 0.05), Row("b", 8, 50.0, 0.07), Row("c", 8, 50.0, 0.06)]
    assert _chosen("cheapest", rows).id == "c"


def test_an_error_equal_to_the_tolerance_is_within_it_and_the_margin_is_kept_back():
    rows = [Row("a", 9, 50.0, 0.1)]
    assert _chosen("cheapest", rows).id == "a"
    selection = _chosen("cheapest", rows, margin=0.01)
    assert selection.id is None
    assert "the tolerance of 0.1 degC less the margin of 1 %" in selection.reason


@pytest.mark.parametrize("rule", ["cheapest", "knee"])
def test_nothing_within_the_tolerance_is_said_plainly(rule):
    selection = _chosen(rule, tolerance=0.0005)
    assert selection.id is None
    assert selection.rule == rule
    assert "Nothing is within the tolerance of 0.0005 degC" in selection.reason
    assert "the best formula is off by 0.001 degC" in selection.reason
    assert "Next: raise the tolerance" in selection.reason


@pytest.mark.parametrize("rule", ["cheapest", "knee"])
@pytest.mark.parametrize("rows", [[], [Row("a", 1, None, math.inf)]])
def test_no_usable_formula_at_all(rule, rows):
    selection = _chosen(rule, rows)
    assert selection.id is None
    assert "finite values everywhere" in selection.reason


def test_the_knee():
    rows = [Row("a", 1, None, 1.0), Row("b", 5, None, 0.01), Row("c", 30, None, 0.009)]
    assert _chosen("knee", rows).id == "b"
    assert _chosen("knee", rows).reason.startswith("Where the front bends most")
    tight = _chosen("knee", rows, tolerance=0.0095)
    assert tight.id == "c"
    assert "bends most at an error of 0.01 degC, which misses the tolerance" in tight.reason


def test_the_most_accurate_within_a_budget():
    assert _chosen("most_accurate", max_complexity=30).id == "cccc00000004"
    assert _chosen("most_accurate", max_complexity=40).id == "dddd00000005"
    assert _chosen("most_accurate", max_cost=100).id == "aaaa00000002"
    assert _chosen("most_accurate", max_cost=70, max_complexity=20).id == "bbbb00000003"
    assert "within 20 nodes and 70 instructions" in (
        _chosen("most_accurate", max_cost=70, max_complexity=20).reason
    )
    missed = _chosen("most_accurate", max_complexity=3)
    assert missed.id is None
    assert "Within the budget of 3 nodes" in missed.reason
    assert "off by 0.9 degC" in missed.reason
    nothing = _chosen("most_accurate", max_complexity=2)
    assert nothing.id is None
    assert "No formula is within the budget of 2 nodes" in nothing.reason


def test_a_person_may_choose_what_misses_the_tolerance():
    selection = _chosen("by_id", candidate="aaaa00000001")
    assert selection.id == "aaaa00000001"
    assert "It misses the tolerance of 0.1 degC" in selection.reason
    assert "misses" not in _chosen("by_id", candidate="dddd").reason


def test_the_most_accurate_needs_a_budget():
    with pytest.raises(ConfigError, match="needs a budget") as caught:
        _chosen("most_accurate")
    assert "`select.max_instructions`" in caught.value.where


@pytest.mark.parametrize(
    ("rule", "options", "where", "words"),
    [
        ("best", {}, "select.rule", "allowed: cheapest, knee, most_accurate, agrees, by_id"),
        ("most_accurate", {"max_complexity": 0}, "select.max_complexity", "at most 0 nodes"),
        ("by_id", {}, "select.candidate", "needs the id of a candidate"),
        ("by_id", {"candidate": ""}, "select.candidate", "needs the id of a candidate"),
        ("by_id", {"candidate": "bbbb00000008"}, "select.candidate", "mean bbbb00000003"),
        ("by_id", {"candidate": "aaaa"}, "select.candidate", "aaaa00000001 or aaaa00000002"),
        ("by_id", {"candidate": "zzzz"}, "select.candidate", "MLflow show the ids"),
        ("cheapest", {"tolerance": 0.0}, "tolerance", "must be a positive number, not 0.0"),
        ("cheapest", {"tolerance": -1.0}, "tolerance", "must be a positive number"),
        ("cheapest", {"tolerance": math.nan}, "tolerance", "must be a positive number"),
        ("cheapest", {"tolerance": math.inf}, "tolerance", "must be a positive number"),
        ("cheapest", {"margin": 1.0}, "select.margin", "at least 0 and below 1"),
        ("cheapest", {"margin": -0.1}, "select.margin", "at least 0 and below 1"),
    ],
)
def test_errors_name_the_key(rule, options, where, words):
    with pytest.raises(ConfigError) as caught:
        _chosen(rule, **options)
    assert caught.value.where == f"config key `{where}`"
    assert words in str(caught.value)


rows = st.lists(
    st.builds(
        lambda c, cost, error: (c, cost, error),
        st.integers(1, 50),
        st.none() | st.floats(1, 1e4),
        st.floats(0, 1) | st.just(math.inf),
    ),
    max_size=15,
).map(lambda found: [Row(f"{i:012x}", *row) for i, row in enumerate(found)])


@settings(max_examples=200, deadline=None)
@given(rows, st.floats(1e-6, 1), st.sampled_from(["cheapest", "knee", "most_accurate"]))
def test_no_rule_chooses_what_misses_the_tolerance(found, tolerance, rule):
    wish = Wish(tolerance, margin=0.1, max_complexity=30)
    selection = choose(found, rule, wish)
    allowed = {r.id: r for r in found if r.max_error <= 0.9 * tolerance}
    if rule == "most_accurate":
        allowed = {i: r for i, r in allowed.items() if r.complexity <= 30}
    assert (selection.id is None) == (not allowed)
    assert selection.id is None or selection.id in allowed
    if rule == "cheapest" and allowed and all(r.cost is not None for r in allowed.values()):
        assert allowed[selection.id].cost == min(r.cost for r in allowed.values())


def test_every_rule_has_a_line_for_people_and_selections_are_stored():
    assert list(RULES) == ["cheapest", "knee", "most_accurate", "agrees", "by_id"]
    assert all(rule.description and rule.name == name for name, rule in RULES.items())
    for selection in (_chosen("cheapest"), _chosen("cheapest", tolerance=1e-9)):
        assert Selection.from_data(json.loads(json.dumps(selection.to_data()))) == selection


LABELLED = [
    Row("aaaa00000001", 3, 40.0, 5.0, 0.91),
    Row("bbbb00000002", 9, 90.0, 2.0, 0.992),
    Row("cccc00000003", 12, 60.0, 3.0, 0.995),
]


def test_agrees_takes_the_cheapest_that_gives_the_label_often_enough():
    selection = _chosen("agrees", LABELLED, min_agreement=0.99)
    assert selection.id == "cccc00000003"
    assert "99.5000% of the points (asked: 99.0000%)" in selection.reason


def test_agrees_chooses_nobody_where_nobody_agrees_and_says_how_near_the_best_comes():
    selection = _chosen("agrees", LABELLED, min_agreement=0.999)
    assert selection.id is None
    assert "the best one at 99.5000%" in selection.reason


def test_agrees_needs_to_know_how_often_and_a_teacher_with_labels():
    with pytest.raises(ConfigError) as caught:
        _chosen("agrees", LABELLED)
    assert "select.min_agreement" in caught.value.where
    with pytest.raises(ConfigError, match="gives none"):
        _chosen("agrees", min_agreement=0.9)


def test_by_the_proven_bound_the_reason_says_proven_and_never_rounds_down():
    selection = _chosen("cheapest", [Row("a", 9, 50.0, 0.0812341)], certified=True)
    assert selection.reason == (
        "The cheapest formula within the tolerance: proven to be off by at most 0.08124 degC, "
        "9 nodes, 50 instructions a call."
    )
    missed = _chosen("cheapest", [Row("a", 9, 50.0, 0.2)], certified=True)
    assert missed.id is None
    assert "Nothing is proven to be within the tolerance of 0.1 degC" in missed.reason
    assert "the smallest proven bound is 0.2 degC" in missed.reason
    assert "score.proof_boxes" in missed.reason


@pytest.mark.parametrize("rule", RULES)
def test_where_nothing_is_proven_nothing_is_chosen_by_proven_bounds(rule):
    selection = choose([], rule, Wish(0.1, certified=True, unproven="its layer `LSTM` is unknown"))
    assert selection.id is None
    assert "No candidate has a proven bound" in selection.reason
    assert "its layer `LSTM` is unknown" in selection.reason
    assert "select.bound=found" in selection.reason
