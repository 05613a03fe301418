"""What holds for every step: shapes, counts, both arithmetics, expansions, data."""

import json
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.chain.chain import Chain
from distill.chain.data import STEPS, chain_data, read_chain
from distill.errors import FormulaError
from distill.formula.program import compile_tree
from distill.formula.tree import Symbol, complexity

from .reference import reference
from .strategies import EXAMPLES, by_name, examples, extremes

REALS = ("float32", "double")


def names(step):
    return [f"x{i}" for i in range(step.inputs)]


def same(a, b):
    return np.array_equal(a, b, equal_nan=True)


def test_every_step_has_an_example():
    assert {type(e.step).__name__ for e in EXAMPLES} == set(STEPS)


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_shapes_and_counts(example):
    step, x = example.step, example.points()
    for real in REALS:
        y = step.evaluate(x, real)
        assert y.shape == (len(x), step.outputs)
        assert y.dtype == np.float64
        if real == "float32":
            assert same(y, y.astype(np.float32).astype(float))
    assert step.stored >= 0
    assert step.operations >= 0
    assert type(step.inputs) is type(step.outputs) is type(step.stored) is int
    with pytest.raises(FrozenInstanceError):
        setattr(step, fields(step)[0].name, 3)


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
@pytest.mark.parametrize("real", REALS)
def test_computes_as_a_plain_loop_does(example, real):
    x = example.points()
    kind = np.float32 if real == "float32" else np.float64
    with np.errstate(all="ignore"):
        wanted = np.array([reference(example.step, row, kind) for row in x.astype(kind)])
    found = example.step.evaluate(x, real)
    if example.calls:
        assert np.allclose(found, wanted, rtol=8 * np.finfo(kind).eps, atol=np.finfo(kind).eps)
    else:
        assert same(found, wanted.astype(float))


@settings(max_examples=150, deadline=None)
@given(example=examples, data=st.data(), real=st.sampled_from(REALS))
def test_extreme_numbers_are_computed_as_by_a_plain_loop(example, data, real):
    step = example.step
    row = data.draw(st.lists(extremes, min_size=step.inputs, max_size=step.inputs))
    kind = np.float32 if real == "float32" else np.float64
    with np.errstate(all="ignore"):
        wanted = np.array(reference(step, np.array(row).astype(kind), kind), dtype=float)
    found = step.evaluate(np.array([row]), real)[0]
    if example.calls:
        assert np.allclose(found, wanted, rtol=1e-5, equal_nan=True)
    else:
        assert same(found, wanted)


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_points_do_not_depend_on_each_other(example):
    x = example.points(40)
    together = example.step.evaluate(np.tile(x, (200, 1)), "double")
    alone = example.step.evaluate(x[5:6], "double")
    close = 8 * np.finfo(float).eps if example.calls else 0
    assert np.allclose(together[5::40], alone, rtol=close, atol=0, equal_nan=True)
    assert example.step.evaluate(x[:0], "double").shape == (0, example.step.outputs)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.expands], ids=by_name)
def test_expansions_are_equal_and_as_large_as_said(example):
    step, x = example.step, example.points(200)
    trees = step.expand([Symbol(name) for name in names(step)])
    found = np.stack([compile_tree(tree, names(step))(x) for tree in trees], axis=1)
    wanted = step.evaluate(x, "double")
    scale = np.abs(wanted).max()
    assert np.allclose(found, wanted, rtol=1e-12, atol=1e-14 * max(scale, 1))
    sizes = [complexity(tree) for tree in trees]
    said = step.growth([1] * step.inputs)
    assert all(size <= count for size, count in zip(sizes, said, strict=True))
    if not example.fewer:
        assert sizes == said


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.expands], ids=by_name)
def test_growth_counts_trees_in_place_of_inputs(example):
    step = example.step
    inner = Chain(step.inputs, (_hinge(step.inputs),)).expand([Symbol(n) for n in names(step)])
    trees = step.expand(inner)
    said = step.growth([complexity(tree) for tree in inner])
    found = [complexity(tree) for tree in trees]
    assert all(f <= s for f, s in zip(found, said, strict=True))
    if not example.fewer:
        assert found == said


def _hinge(width):
    return next(e.step for e in EXAMPLES if e.name == "relu").__class__("relu", width)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.expands], ids=by_name)
def test_steps_without_a_formula_say_so(example):
    with pytest.raises(FormulaError, match=r"cannot be written|not written out"):
        example.step.expand([Symbol(name) for name in names(example.step)])


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_data_come_back_to_the_byte(example):
    chain = Chain(example.step.inputs, (example.step,))
    text = json.dumps(chain_data(chain), sort_keys=True)
    again = read_chain(json.loads(text))
    assert json.dumps(chain_data(again), sort_keys=True) == text
    x = example.points()
    assert same(again.evaluate(x), chain.evaluate(x))


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_other_numbers_of_inputs_are_refused(example):
    with pytest.raises(FormulaError):
        Chain(example.step.inputs + 1, (example.step,))
