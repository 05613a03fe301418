"""Certificates that hold are accepted; edited, damaged and hostile ones are not."""

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.data import chain_data
from distill.chain.steps.affine import Affine
from distill.chain.steps.trees import Trees
from distill.checking import chains
from distill.checking.certificate import parse_certificate
from distill.checking.check import check
from distill.checking.refusals import CannotCheck, CertificateError, Rejected
from distill.domain import Domain
from distill.errors import DistillError
from distill.formula import Formula

from .making import DOMAIN, FORMULA, certificate, halved, largest, network, plain, raw


@pytest.fixture(scope="module")
def good():
    return plain()


def edited(data, **changes):
    return raw(copy.deepcopy(data) | changes)


def with_claim(data, number=0, **changes):
    copied = copy.deepcopy(data)
    copied["claims"][number] |= changes
    return copied


def test_a_certificate_that_holds_is_accepted(good):
    certificate_read, verdict = check(raw(good))
    assert verdict.leaves == 64
    assert verdict.boxes >= 64
    assert verdict.bound == good["bound"]
    assert verdict.checked == (("formula", good["claims"][0]["bound"]),)
    assert verdict.believed == (("rounding", 0.001),)
    assert certificate_read.unit == "degC"


def test_without_boxes_the_checker_makes_its_own(good):
    _, verdict = check(raw(with_claim(good, splits=None)))
    assert verdict.leaves == 1
    assert verdict.boxes > 10


def test_processes_find_the_same(good):
    data = with_claim(good, splits=halved(8))
    one, two = check(raw(data))[1], check(raw(data), jobs=2)[1]
    assert (one.leaves, one.boxes) == (two.leaves, two.boxes)
    assert one.leaves == 256


def lowered(data, share):
    bound = data["claims"][0]["bound"] * share
    return with_claim(data, bound=bound) | {"bound": bound + 0.01}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_lowered_bound_is_rejected_with_the_box_that_fails(good, jobs):
    data = lowered(good, 0.9)
    if jobs == 2:
        data["claims"][0]["splits"] = halved(8)
    with pytest.raises(Rejected) as caught:
        check(raw(data), jobs=jobs)
    told = str(caught.value)
    assert "formula - teacher| is " in told
    assert "t = " in told
    assert "degC" in told
    assert f"claims {data['claims'][0]['bound']:.6g}" in told


def test_the_point_that_fails_fails(good):
    data = lowered(good, 0.9)
    with pytest.raises(Rejected) as caught:
        check(raw(data))
    at = dict(part.split(" = ") for part in caught.value.where.split(", "))
    x = np.array([[float(at["t"]), float(at["h"])]])
    teacher, formula = ClosedForm(network(8), DOMAIN), Formula.parse(FORMULA, DOMAIN)
    assert abs(formula(x) - teacher(x))[0] > data["claims"][0]["bound"]


def test_a_changed_weight_is_rejected(good):
    chain = network(8)
    last = chain.steps[-1]
    changed = Chain(2, (*chain.steps[:-1], Affine(last.weights, last.bias - 0.5)))
    data = copy.deepcopy(good)
    data["teacher"]["expression"]["chain"] = chain_data(changed)
    with pytest.raises(Rejected, match="is "):
        check(raw(data))


def test_a_changed_formula_is_rejected(good):
    data = copy.deepcopy(good)
    data["formula"]["text"] = FORMULA.replace("- 0.3*", "+ 3*")
    with pytest.raises(Rejected):
        check(raw(data))


def test_a_removed_split_is_no_tree(good):
    splits = good["claims"][0]["splits"]
    for at in (0, 3, len(splits) - 1):
        with pytest.raises(CertificateError, match="tree of boxes"):
            check(raw(with_claim(good, splits=[*splits[:at], *splits[at + 1 :]])))


def test_a_box_left_out_without_a_guard_is_refused(good):
    splits = list(good["claims"][0]["splits"])
    splits[splits.index(-1)] = -2
    with pytest.raises(CertificateError, match="no guard"):
        check(raw(with_claim(good, splits=splits)))


def test_a_sum_that_is_too_small_is_rejected(good):
    total = good["claims"][0]["bound"]
    with pytest.raises(Rejected, match="add up"):
        check(edited(good, bound=total))
    exact = copy.deepcopy(good)
    exact["claims"][0]["bound"], exact["claims"][1]["bound"] = 1e6, 1e-20
    with pytest.raises(Rejected, match="add up"):
        check(edited(exact, bound=1e6))
    assert check(edited(exact, bound=math.nextafter(1e6, 1e9)))[1].bound > 1e6


def test_a_budget_that_ends_says_what_it_found(good):
    bound = 1.0005 * largest(Formula.parse(FORMULA, DOMAIN), ClosedForm(network(8), DOMAIN), DOMAIN)
    tight = with_claim(good, splits=[-1], bound=bound) | {"bound": bound + 0.01}
    with pytest.raises(Rejected, match="could only be bounded by") as caught:
        check(raw(tight), budget=3)
    assert "budget=N" in caught.value.hint
    assert " in [" in caught.value.where


def test_a_teacher_that_is_the_formula_is_no_distance_away():
    teacher = ClosedForm(network(8), DOMAIN)
    _, verdict = check(raw(certificate(teacher, teacher, 0.0, None)))
    assert verdict.boxes == 0


def test_what_may_be_undefined_is_rejected():
    teacher = ClosedForm(network(4), DOMAIN)
    formula = Formula.parse("log(t - 20)", DOMAIN)
    with pytest.raises(Rejected, match="could not be bounded"):
        check(raw(certificate(formula, teacher, 1e6, halved(2))), budget=50)


def test_a_step_that_is_not_known_is_named(good, monkeypatch):
    monkeypatch.delitem(chains.PUT, Affine)
    with pytest.raises(CannotCheck, match=r"cannot check.*`Affine`"):
        check(raw(good))


def stump(cut, low, high):
    """A tree of one question."""
    whole = np.array([0, 0, 0])
    return Trees(
        1, np.array([0]), whole, np.array([cut, 0.0, 0.0]), np.array([1, -1, -1]),
        np.array([2, 0, 1]), np.array([[low], [high]]), np.ones(1), np.zeros(1), "at_most",
    )  # fmt: skip


class TestTrees:
    domain = Domain.box(x=(0, 1))

    def made(self, bound, splits, text="x"):
        teacher = ClosedForm(Chain(1, (stump(0.3, 0.25, 0.75),)), self.domain)
        return raw(certificate(Formula.parse(text, self.domain), teacher, bound, splits))

    def test_a_split_at_the_threshold_proves_the_true_maximum(self):
        # |x - 0.25| up to 0.3, |x - 0.75| above it: 0.45 next to 0.3.
        _, verdict = check(self.made(0.45, [[0, 0.3], -1, -1]))
        assert verdict.boxes == 2
        with pytest.raises(Rejected, match=r"0\.45"):
            check(self.made(0.44999999, [[0, 0.3], -1, -1]))

    def test_the_neighbour_of_the_threshold_is_not_the_threshold(self):
        beside = math.nextafter(0.3, 1)
        with pytest.raises(Rejected) as caught:
            check(self.made(0.45, [[0, beside], -1, -1], "ifless(0.3, x, 0.75, 0.25) + 5*x - 5*x"))
        assert "x" in caught.value.where

    def test_conditions_of_formulas_are_as_exact(self):
        same = "ifless(0.3, x, 0.75, 0.25)"
        _, verdict = check(self.made(0.0, [[0, 0.3], -1, -1], same))
        assert verdict.boxes == 2
        with pytest.raises(Rejected):
            check(self.made(0.1, [[0, 0.3], -1, -1], "ifless(0.31, x, 0.75, 0.25)"))


class TestGuard:
    """The table answers left of 3/8, the formula right of it."""

    domain = Domain.box(x=(0, 1), y=(0, 1))
    formula = "ifless(x, 0.3, 9, x*y)"
    teacher = Affine(np.array([[0.5, 0.5]]), np.array([-0.125]))

    def made(self, bounds=(0.13, 0.126), formula_splits=None, table_splits=None, **changes):
        teacher = ClosedForm(Chain(2, (self.teacher,)), self.domain)
        data = certificate(Formula.parse(self.formula, self.domain), teacher, 0.2, None)
        splits = formula_splits or [0, [0, 0.3749], -2, -1, -1]
        others = table_splits or [0, -1, [0, 0.5], -1, -2]
        claims = [
            {"name": "formula", "says": "", "bound": 0.39, "splits": splits},
            {"name": "rounding", "says": "", "bound": 0.01, "splits": None},
            {"name": "table", "says": "", "bound": 0.126, "splits": others},
            {"name": "table rounding", "says": "", "bound": 0.3, "splits": None},
        ]
        table = {
            "version": 1,
            "axes": [
                {"kind": "linear", "breakpoints": [0.0, 0.5, 1.0]},
                {"kind": "linear", "breakpoints": [0.0, 1.0]},
            ],
            "offset": -0.25, "scale": 0.25, "values": [0, 2, 1, 3, 2, 4],
        }  # fmt: skip
        return data | {
            "table": table, "guard": [[[0, 0], [0.375, 1]]], "margin": [1e-9, 1e-9],
            "claims": claims, "bound": 0.4260001,
        } | changes  # fmt: skip

    def test_both_sides_are_verified(self):
        _, verdict = check(raw(self.made()))
        assert [name for name, _ in verdict.checked] == ["formula", "table"]
        assert verdict.leaves == 4

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"formula_splits": [0, -2, -1]}, "left out of the claim `formula`"),
            ({"formula_splits": [0, [0, 0.375], -2, -1, -1]}, "left out of the claim `formula`"),
            ({"table_splits": [0, [0, 0.3], -1, -2, -2]}, "left out of the claim `table`"),
            ({"table_splits": [0, -2, -2]}, "left out of the claim `table`"),
            ({"formula_splits": [-1]}, "formula - teacher"),
            ({"guard": [[[0, 0], [0.3, 1]]]}, "left out of the claim `formula`"),
        ],
    )
    def test_what_is_left_out_must_be_the_others(self, changes, what):
        with pytest.raises(Rejected, match=what):
            check(raw(self.made(**changes)))

    def test_outside_begins_behind_the_margin(self):
        beside = [[0, 0.375], -1, -2]
        with pytest.raises(Rejected, match="left out of the claim `table`"):
            check(raw(self.made(table_splits=beside)))
        assert check(raw(self.made(table_splits=[[0, 0.376], -1, -2])))[1].leaves == 3

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"table": None}, "no table behind"),
            ({"formula": None}, "no formula before"),
            ({"guard": []}, "never answers"),
            ({"guard": [[[0, 0], [0.375, 1.5]]]}, "out of the domain"),
            ({"guard": [[[0, 0.5], [0.375, 0.25]]]}, "is empty"),
            ({"guard": [[[0, 0]]]}, "two lists"),
            ({"guard": [[[0], [1]]]}, "2 inputs"),
            ({"margin": [1e-9]}, "2 numbers"),
            ({"margin": [-1e-9, 0]}, "2 numbers"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, changes, what):
        with pytest.raises(CertificateError, match=what):
            check(raw(self.made(**changes)))

    def test_a_changed_value_of_the_table_is_rejected(self):
        data = self.made()
        data["table"]["values"][2] = 3
        with pytest.raises(Rejected, match="table - teacher"):
            check(raw(data))


class TestTables:
    """A table alone, linear, cubic, and read at whole numbers."""

    def test_a_cubic_spline_of_a_line_is_the_line(self):
        domain = Domain.box(x=(0, 2))
        teacher = ClosedForm(Chain(1, (Affine(np.array([[3.0]]), np.array([1.0])),)), domain)
        points = [0.0, 0.5, 1.0, 1.5, 2.0]
        values = [1 + 3 * (0.5 * k) for k in range(-1, 6)]
        axis = {"kind": "cubic", "breakpoints": points}
        table = {"version": 1, "axes": [axis], "offset": 0.0, "scale": 1.0, "values": values}
        claims = [{"name": "table", "says": "", "bound": 1e-25, "splits": None}]
        claims[0]["splits"] = [0, 0, -1, -1, 0, -1, -1]
        parts = {"formula": None, "table": table, "claims": claims, "bound": 1e-9}
        data = certificate(Formula.parse("x", domain), teacher, 1.0, None) | parts
        assert check(raw(data))[1].boxes == 4
        values[3] += 0.06
        with pytest.raises(Rejected, match="table - teacher"):
            check(raw(data))

    def test_whole_numbers_are_read_one_by_one(self):
        teacher_domain = Domain.box(n=(0, 3))
        domain = json.loads(teacher_domain.to_json())
        domain["variables"][0]["kind"] = "integer"
        whole = Domain.from_data(domain)
        teacher = ClosedForm(Chain(1, (Affine(np.array([[2.0]]), np.array([0.0])),)), whole)
        axis = {"kind": "whole", "first": 0, "count": 4}
        table = {"version": 1, "axes": [axis], "offset": 0, "scale": 2, "values": [0, 1, 2, 3]}
        splits = [[0, 1], [0, 0], -1, -1, [0, 2], -1, -1]
        claims = [{"name": "table", "says": "", "bound": 0.0, "splits": splits}]
        parts = {"formula": None, "table": table, "claims": claims, "bound": 0.0}
        data = certificate(Formula.parse("n", whole), teacher, 1.0, None) | parts
        assert check(raw(data))[1].boxes == 4


DAMAGED = [
    ({"version": 2}, "version 1"),
    ({"version": True}, "version 1"),
    ({"kind": "distill formula"}, "does not say"),
    ({"claims": []}, "`formula` is missing"),
    ({"claims": {}}, "not a list"),
    ({"claims": [{"name": "formula"}]}, "`bound` is missing"),
    ({"bound": "1"}, "number"),
    ({"bound": True}, "number"),
    ({"bound": 10**400}, "finite"),
    ({"more": 1}, "`more` is not known"),
    ({"rests_on": "all"}, "list of sentences"),
    ({"rests_on": [1]}, "text"),
    ({"output": {"name": "y"}}, "`unit` is missing"),
    ({"domain": {"version": 1, "variables": [{"name": "t", "low": 0, "high": "x"}]}}, "number"),
    ({"domain": []}, "object"),
    ({"teacher": {"name": "n"}}, "missing"),
    ({"formula": {"version": 1, "text": "t +"}}, "domain"),
    ({"formula": {"version": 1, "text": "__import__('os')", "domain": {}}}, "version 1"),
    ({"guard": [[1, 2]]}, "list of numbers"),
    ({"tolerance": []}, "number"),
]


@pytest.mark.parametrize(("changes", "what"), DAMAGED, ids=range(len(DAMAGED)))
def test_what_is_no_certificate_is_refused(good, changes, what):
    with pytest.raises(CertificateError, match=what) as caught:
        check(edited(good, **changes))
    assert caught.value.exit_code == 2
    assert caught.value.where


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "not JSON"),
        (b"[1, 2]", "object"),
        (b'{"bound": NaN}', "NaN"),
        (b'{"bound": -Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 200_000, "nested"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not JSON"),
    ],
)
def test_hostile_text_is_refused(text, what):
    with pytest.raises(CertificateError, match=what):
        parse_certificate(text)


def test_sizes_that_are_stated_are_not_believed(good):
    data = copy.deepcopy(good)
    weights = data["teacher"]["expression"]["chain"]["steps"][1]["weights"]
    weights["shape"] = [10**9, 2]
    with pytest.raises(CertificateError, match="Affine"):
        check(raw(data))
    axis = {"kind": "whole", "first": 0, "count": 10**12}
    table = {"version": 1, "axes": [axis] * 2, "offset": 0, "scale": 1, "values": []}
    with pytest.raises(CertificateError, match="too many"):
        check(edited(good, table=table))
    wide = Domain.box(**{f"x{i}": (0, 1) for i in range(129)})
    with pytest.raises(CannotCheck, match="129 inputs"):
        check(edited(good, domain=json.loads(wide.to_json())))


JUNK = [None, True, -1, 2**70, 1.5, "", "tanh", [], [[]], {}, {"version": 1}, "A" * 50, [0, "x"]]


def places(data, path=()):
    """The path of everything in plain data."""
    yield path
    if isinstance(data, dict | list):
        for key in list(data if isinstance(data, dict) else range(len(data)))[:8]:
            yield from places(data[key], (*path, key))


def refusal(changed):
    """Why a certificate is not accepted; None where it is."""
    try:
        check(raw(changed), budget=2)
    except DistillError as error:
        return error
    return None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_ends_in_a_verdict(good, data):
    """Any value replaced by any other: accepted, rejected or refused, never an error of ours."""
    changed = copy.deepcopy(data.draw(st.sampled_from([good, TestGuard().made()])))
    path = data.draw(st.sampled_from(list(places(changed))[1:]))
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = data.draw(st.sampled_from(JUNK))
    why = refusal(changed)
    assert why is None or (why.exit_code == 2 and why.where)


def test_other_inputs_than_the_domain_s_are_refused(good):
    other = Domain.box(t=(10, 50), hum=(5, 99))
    with pytest.raises(CertificateError, match="not those of the domain"):
        check(edited(good, domain=json.loads(other.to_json())))
