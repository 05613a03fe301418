"""Closed forms: their names, their words, and data that nobody should trust."""

import base64
import json
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.data import DEEPEST, chain_data, read_chain
from distill.chain.expression import read_expression
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.domain import Domain
from distill.errors import DistillError, FormulaError

from .strategies import random_trees

RNG = np.random.default_rng(8)
DOMAIN = Domain.box(a=(-1, 1), b=(0, 5))


def affine(k, d):
    return Affine(RNG.normal(size=(k, d)), RNG.normal(size=k))


NETWORK = Chain(2, (affine(3, 2), Apply("relu", 3), affine(2, 3)))


def test_values_are_those_of_the_chosen_output():
    x = DOMAIN.sample(100)
    for output in (0, 1):
        form = ClosedForm(NETWORK, DOMAIN, output)
        assert np.array_equal(form(x), NETWORK.evaluate(x)[:, output])
    assert form.complexity == NETWORK.stored + NETWORK.operations == 17 + (12 + 3 + 12)


def test_equal_by_what_they_hold():
    form = ClosedForm(NETWORK, DOMAIN)
    same = ClosedForm(read_chain(chain_data(NETWORK)), DOMAIN)
    assert form == same
    assert hash(form) == hash(same)
    assert form.text == same.text
    weights = NETWORK.steps[0].weights.copy()
    weights[0, 0] = np.nextafter(weights[0, 0], 9)
    other = Chain(2, (Affine(weights, NETWORK.steps[0].bias), *NETWORK.steps[1:]))
    forms = {form, same, ClosedForm(other, DOMAIN), ClosedForm(NETWORK, DOMAIN, 1)}
    assert len(forms) == 3
    assert form != "forest"


def test_the_name_is_the_same_in_another_process():
    code = (
        "import sys, json; from distill.chain.closed_form import ClosedForm; "
        "print(ClosedForm.from_data(json.load(sys.stdin)).text)"
    )
    form = ClosedForm(NETWORK, DOMAIN)
    told = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(form.to_data()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == form.text


def test_data_come_back_to_the_byte():
    form = ClosedForm(NETWORK, DOMAIN, 1)
    text = json.dumps(form.to_data())
    again = read_expression(json.loads(text))
    assert again == form
    assert json.dumps(again.to_data()) == text
    assert again.domain == DOMAIN


def test_special_floats_come_back():
    scale = Scale(np.array([-0.0, 5e-324]), np.array([1.7976931348623157e308, 0.1]))
    again = read_chain(json.loads(json.dumps(chain_data(Chain(2, (scale,))))))
    assert again.steps[0].shift.tobytes() == scale.shift.tobytes()
    hot = OneHot((np.array([1.0, np.nan]),))
    again = read_chain(json.loads(json.dumps(chain_data(Chain(1, (hot,))))))
    assert np.isnan(again.steps[0].categories[0][1])


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (NETWORK, "network 2-3-2, relu"),
        (Chain(2, (Scale(np.zeros(2), np.ones(2)), affine(1, 2))), "linear, 2 inputs, 1 output"),
        (Chain(3, (random_trees(1, count=100, depth=1),)), "forest of 100 trees, 300 nodes"),
        (Chain(3, (random_trees(1, count=1, depth=2),)), "tree of 5 nodes, depth 2"),
        (
            Chain(
                16,
                (
                    Convolution((1, 4, 4), np.ones((2, 1, 3, 3)), np.zeros(2)),
                    Apply("relu", 8),
                    Pool((2, 2, 2), "max", (2, 2), (2, 2)),
                    affine(3, 2),
                    Winner(3),
                ),
            ),
            "convolutional network 16-8-3, relu, then winner",
        ),
        (Chain(2, (Gaussians(*RNG.normal(size=(2, 3, 2)), np.zeros(3)),)),
         "3 normal densities of 2 inputs"),
        (Chain(2, (Kernel(RNG.normal(size=(9, 2)), "rbf", 1.0), affine(1, 9))),
         "rbf kernel with 9 vectors, then linear, 9 inputs, 1 output"),
        (Chain(2, (Nearest(np.eye(2), np.eye(2), 1),)), "1 nearest of 2 prototypes"),
        (Chain(2, (Distances(np.eye(2)),)), "distances to 2 prototypes"),
        (Chain(2, (Monomials(np.array([[1, 2], [0, 1]])),)), "2 monomials of degree 3"),
        (Chain(2, (Branches((Chain(2, ()), NETWORK)),)),
         "[the 2 inputs themselves; network 2-3-2, relu]"),
    ],
)  # fmt: skip
def test_words_for_people(chain, words):
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(chain.inputs)})
    form = ClosedForm(chain, domain)
    assert form.readable() == str(form) == words
    assert form.latex() == rf"\text{{{words}}}"
    assert form.text.startswith(words)


def test_what_does_not_fit_is_refused():
    with pytest.raises(FormulaError, match="3 inputs, the domain has 2"):
        ClosedForm(Chain(3, ()), DOMAIN)
    with pytest.raises(FormulaError, match="no output 2"):
        ClosedForm(NETWORK, DOMAIN, 2)
    with pytest.raises(FormulaError, match="step 2 of a chain, `Apply`, takes 4 numbers"):
        Chain(2, (affine(3, 2), Apply("relu", 4)))


GOOD = ClosedForm(NETWORK, DOMAIN).to_data()
TREES = chain_data(Chain(3, (random_trees(1),)))


def changed(path, value, data=GOOD):
    data = deepcopy(json.loads(json.dumps(data)))
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


WEIGHTS = ("chain", "steps", 0, "weights")
RELU = ("chain", "steps", 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("more",), 1),
        (("output",), 9),
        (("output",), True),
        (("output",), "0"),
        (("domain",), None),
        (("domain", "version"), 7),
        (("chain",), []),
        (("chain", "inputs"), 3),
        (("chain", "inputs"), 1e9),
        (("chain", "inputs"), -1),
        (("chain", "steps"), {}),
        (("chain", "steps", 0), "Affine"),
        (("chain", "steps", 0, "step"), "os.system"),
        (("chain", "steps", 0, "step"), "__class__"),
        (("chain", "steps", 0, "step"), ["Affine"]),
        (("chain", "steps", 0, "step"), "Scale"),
        (("chain", "steps", 0, "more"), 1),
        (WEIGHTS, [[1.0, 2.0]]),
        ((*WEIGHTS, "shape"), [10**12, 10**12]),
        ((*WEIGHTS, "shape"), [3, -2]),
        ((*WEIGHTS, "shape"), [3, 2.0]),
        ((*WEIGHTS, "shape"), [1] * 60),
        ((*WEIGHTS, "shape"), 6),
        ((*WEIGHTS, "dtype"), "object"),
        ((*WEIGHTS, "dtype"), "O"),
        ((*WEIGHTS, "dtype"), "i8"),
        ((*WEIGHTS, "dtype"), ["f8"]),
        ((*WEIGHTS, "base64"), "%%%"),
        ((*WEIGHTS, "base64"), "ä"),
        ((*WEIGHTS, "base64"), ""),
        ((*WEIGHTS, "base64"), base64.b64encode(np.full(6, np.nan).tobytes()).decode()),
        ((*RELU, "function"), "eval"),
        ((*RELU, "function"), 3),
        ((*RELU, "width"), 10**15),
        ((*RELU, "width"), 3.0),
        ((*RELU, "parameter"), "0"),
        ((*RELU, "parameter"), float("nan")),
        ((*RELU, "parameter"), True),
    ],
)
def test_hostile_data_are_refused(path, value):
    with pytest.raises(DistillError):
        ClosedForm.from_data(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("steps", 0, "goes"), "sideways"),
        (("steps", 0, "divide"), 1),
        (("steps", 0, "inputs"), 2**62),
        (("steps", 0, "missing", "base64"), base64.b64encode(b"\x02" * 77).decode()),
        (("steps", 0, "left", "dtype"), "f8"),
        (("steps", 0, "roots", "base64"), base64.b64encode(b"\xff" * 24).decode()),
    ],
)
def test_hostile_trees_are_refused(path, value):
    with pytest.raises(FormulaError):
        read_chain(changed(path, value, TREES))


def test_chains_within_chains_end():
    data = {"inputs": 1, "steps": []}
    for _ in range(DEEPEST + 2):
        data = {"inputs": 1, "steps": [{"step": "Branches", "chains": [data]}]}
    with pytest.raises(FormulaError, match="nested deeper"):
        read_chain(data)


def test_unknown_steps_are_not_written():
    class Mine:
        inputs = outputs = 1

    with pytest.raises(FormulaError, match="`Mine` is no step"):
        chain_data(Chain(1, (Mine(),)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Affine(np.ones((2, 3)), np.ones(3)),
        lambda: Affine(np.ones((2, 3)) * 1j, np.ones(2)),
        lambda: Affine(np.array([["a"]]), np.ones(1)),
        lambda: Affine(np.array([[np.inf]]), np.ones(1)),
        lambda: Scale(np.ones(2), np.array([1.0, 0.0])),
        lambda: Stretch(np.ones(2), np.ones(3)),
        lambda: Above(np.array([np.nan])),
        lambda: Apply("relu", 0),
        lambda: Apply("relu", True),
        lambda: Apply("relu", 2.0),
        lambda: Apply("gauss", 2),
        lambda: Pick(2, np.array([2])),
        lambda: Pick(2, np.array([-1])),
        lambda: Pick(2, np.array([0.5])),
        lambda: OneHot(()),
        lambda: OneHot((np.array([]),)),
        lambda: OneHot((np.array([1.0, 1.0]),)),
        lambda: OneHot((np.array([np.nan, np.nan]),)),
        lambda: OneHot((np.array([np.inf]),)),
        lambda: Branches(()),
        lambda: Branches((Chain(1, ()), Chain(2, ()))),
        lambda: Normalise(3, "l3"),
        lambda: Gaussians(np.ones((2, 3)), np.ones(3), np.ones(2)),
        lambda: Gaussians(np.ones((2, 3)), np.ones((2, 4, 2)), np.ones(2)),
        lambda: Convolution((2, 4, 4), np.ones((3, 1, 2, 2)), np.ones(3)),
        lambda: Convolution((1, 2, 2), np.ones((1, 1, 3, 3)), np.ones(1)),
        lambda: Convolution((1, 4, 4), np.ones((1, 1, 2, 2)), np.ones(1), padding=(10**9, 0, 0, 0)),
        lambda: Convolution((1, 4, 4), np.ones((1, 1, 2, 2)), np.ones(1), stride=(0, 1)),
        lambda: Convolution((1, 4, 4), np.ones((1, 1, 2, 2)), np.ones(1), groups=3),
        lambda: Pool((1, 4, 4), "max", (5, 5), (1, 1)),
        lambda: Pool((1, 4, 4), "max", (2, 2), (1, 1), (2, 0, 0, 0)),
        lambda: Pool((1, 4, 4), "mean", (2, 2), (2, 2), (0, 0, 10**9, 0)),
        lambda: Pool((1, 4), "max", (2, 2), (1, 1)),
        lambda: Kernel(np.ones((1, 2)), "rbf", np.nan),
        lambda: Kernel(np.ones((1, 2)), "poly", 1.0, degree=10**9),
        lambda: Kernel(np.ones((1, 2)), "laplace", 1.0),
        lambda: OneVsOne(1),
        lambda: Monomials(np.array([[-1]])),
        lambda: Monomials(np.array([[10**9]])),
        lambda: Distances(np.ones((2, 2)), "cosine"),
        lambda: Nearest(np.ones((2, 2)), np.ones((2, 1)), 3),
        lambda: Nearest(np.ones((2, 2)), np.ones((3, 1)), 1),
        lambda: Winner(0),
        lambda: Chain(0, ()),
    ],
)
def test_data_that_make_no_step_are_refused_in_words(make):
    with pytest.raises(FormulaError) as caught:
        make()
    assert caught.value.what
    assert caught.value.where.startswith("chain")


def test_a_large_forest_is_read_without_a_walk_over_its_nodes():
    forest = Chain(3, (random_trees(1, count=30, depth=10),))
    again = read_chain(chain_data(forest))
    assert isinstance(again.steps[0], Trees)
    assert len(again.steps[0].left) == len(forest.steps[0].left) > 10_000
