"""The C of every kind of function of arrays answers what Python says, for any input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.firmware.policy import Policy
from distill.firmware.vector.spec import VectorSpec, evaluate_vector, labels_vector
from distill.firmware.vector.verify import allowed_rounding
from distill.teachers.labels import labels_of
from tests.firmware.vector.conftest import any_points


def test_outputs_are_pythons_to_the_bit_or_within_rounding(spec: VectorSpec, c_results) -> None:
    x = any_points(spec)
    wanted = evaluate_vector(spec, x)
    found = c_results(spec, x)[:, : len(spec.outputs)]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    if spec.exact:
        np.testing.assert_array_equal(found, wanted)
    else:
        apart = np.nanmax(np.abs(found - wanted), axis=0)
        assert (apart <= allowed_rounding(spec)).all()
        assert (allowed_rounding(spec) > 0).all()


def test_labels_follow_from_the_scores_of_the_c(spec: VectorSpec, c_results) -> None:
    if not spec.classes:
        assert c_results(spec, any_points(spec, 16)).shape[1] == len(spec.outputs)
        return
    x = any_points(spec)
    found = c_results(spec, x)
    assert spec.exact
    np.testing.assert_array_equal(found[:, -1], labels_vector(spec, x))
    assert len(np.unique(found[:, -1])) >= 2


def test_fixed_formulas_stay_within_their_accuracy(specs) -> None:
    spec = specs["whole"]
    x = spec.domain.sample(2000)
    steps = np.array([form.step for form in spec.output_formats])
    found = evaluate_vector(spec, spec.numbers.numbers(x)) * steps
    wanted = np.column_stack([formula(x) for formula in spec.formulas])
    assert np.abs(found - wanted).max() <= 0.01
    assert len({form.fraction for form in spec.output_formats}) == 3


@pytest.mark.parametrize("costs", [None, "pic32"])
def test_of_equal_scores_the_first_wins_and_zero_is_the_lower_class(
    specs, c_results, target, costs
) -> None:
    """Scores x, x and 4 - x: they tie in pairs and at 2 all together; -0 is no less than 0."""
    from distill.firmware.passes.functions import machine_costs

    known = None if costs is None else machine_costs(target(costs))
    weights = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, -1.0]])
    chain = Chain(2, (Affine(weights, np.array([0.0, 0.0, 4.0])),))
    three = replace(specs["iris"], name="ties", chain=chain, costs=known)
    x = np.array([[5, 1], [5, 2], [5, 3], [5, np.nextafter(np.float32(2), np.float32(0))]])
    assert c_results(three, x)[:, -1].tolist() == [2, 0, 0, 2]
    assert labels_vector(three, x).tolist() == [2, 0, 0, 2]
    one = Chain(3, (Affine(np.array([[1.0, 0.0, 0.0]]), np.zeros(1)),))
    two = replace(specs["mixed"], chain=one, arithmetic="float32", costs=known)
    values = np.array([0.0, -0.0, 1e-45, -1e-45, np.nan, 6.0])
    x = np.column_stack([values, np.zeros(6), np.zeros(6)])
    assert c_results(two, x)[:, -1].tolist() == [0, 0, 1, 0, 0, -1]


def test_labels_of_scores() -> None:
    assert labels_of(np.array([[1.0], [0.0], [-0.0], [np.nan]])).tolist() == [1, 0, 0, -1]
    rows = [[1.0, 2.0, 2.0], [3.0, 3.0, 1.0], [np.nan, 1.0, 0.0], [-np.inf, -np.inf, -np.inf]]
    assert labels_of(np.array(rows)).tolist() == [1, 0, -1, 0]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy("clamp", "propagate"), [5.0, np.nan, -5.0]),
        (Policy("clamp", "low"), [5.0, -5.0, -5.0]),
        (Policy("nan", "propagate"), [np.nan, np.nan, np.nan]),
        (Policy("nan", "low"), [np.nan, -5.0, np.nan]),
    ],
)
@pytest.mark.parametrize("costs", [None, "pic32"])
def test_one_bad_input_of_an_array_is_dealt_with_as_the_policy_says(
    specs, c_results, target, policy: Policy, expected: list[float], costs
) -> None:
    from distill.firmware.passes.functions import machine_costs

    known = None if costs is None else machine_costs(target(costs))
    chain = Chain(3, (Affine(np.array([[1.0, 0.0, 0.0]]), np.zeros(1)),))
    spec = replace(
        specs["mixed"], chain=chain, policy=policy, arithmetic="float32", costs=known, classes=()
    )
    x = np.array([[9.0, 0, 0], [np.nan, 0, 0], [-np.inf, 0, 0]])
    np.testing.assert_array_equal(c_results(spec, x)[:, 0], expected)
    # A NaN of the other sign, and one in an input that the answer does not depend on.
    x = np.array([[-np.nan, 0, 0], [1.0, np.nan, 0]])
    second = np.nan if policy.nan_input == "propagate" else 1.0
    np.testing.assert_array_equal(c_results(spec, x)[:, 0], [expected[1], second])


def test_a_function_without_checks_takes_the_array_as_it_is(specs) -> None:
    from distill.firmware.vector.render import render_vector_code

    source = render_vector_code(specs["loose"])["loose.c"]
    assert "held" not in source
    assert "loose_chain(x, y);" in source
