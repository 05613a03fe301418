"""What holds for every step: its values lie in the band, and bands shrink with their boxes."""

import numpy as np
import pytest

from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import pairs
from distill.bounds.read import enclosable
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.domain import Domain, Variable
from tests.chain.strategies import EXAMPLES, by_name

WIDTHS = (1.0, 0.1, 1e-3, 0.0)
SMOOTH = (
    "tanh", "sin", "cos", "exp", "log", "sqrt", "square", "inv", "expm1", "log1p", "erf", "gelu",
    "sigmoid", "silu", "softplus", "mish", "kernel_rbf", "kernel_sigmoid", "monomials", "softmax",
    "softmax_2", "kernel_poly_5",
)  # fmt: skip
EXACT = ("affine", "affine_sparse", "scale", "stretch", "pick", "convolution", "pool_mean",
         "gaussians", "gaussians_full", "distances_squared", "identity", "convolution_strided",
         "square", "kernel_poly_0")  # fmt: skip


def closed_form(step, low, high, output):
    domain = Domain(tuple(Variable(f"x{i}", low, high) for i in range(step.inputs)))
    return ClosedForm(Chain(step.inputs, (step,)), domain, output)


def some_boxes(example, width, n, seed=0):
    rng = np.random.default_rng(seed)
    d = example.step.inputs
    low = rng.uniform(example.low, max(example.low, example.high - width), (d, n))
    low[:, 0] = example.low
    low[:, 1] = np.clip(np.round(low[:, 1]) - width / 2, example.low, None)
    return Boxes(low, np.minimum(low + width, example.high))


def inside(boxes, b, n, rng):
    low, high = boxes.low[:, b], boxes.high[:, b]
    u = rng.random((n, len(low)))
    u[: n // 3] = np.round(u[: n // 3])
    return np.clip(low + u * (high - low), low, high)


def quadratic(band, boxes, b, x):
    radius = boxes.radius[:, b]
    e = (x - boxes.middle[:, b]) / np.where(radius > 0, radius, 1.0)
    y = band.centre[b] + e @ band.slope[:, b]
    for (i, j), c in zip(pairs(boxes.inputs), band.curve[:, b], strict=True):
        if c:
            y = y + c * e[:, i] * e[:, j]
    return y


def check(example, width, n=8, points=120):
    """Values lie in bands and ranges; gives the bands' widths."""
    step, rng = example.step, np.random.default_rng(1)
    if step.inputs > 30:
        n, points = 3, 60
    boxes = some_boxes(example, width, n)
    found = []
    for output in sorted({0, step.outputs - 1}):
        form = closed_form(step, example.low, example.high, output)
        function = enclosable(form)
        band = function.enclose(boxes)
        least, most = band.range()
        for b in range(n):
            x = inside(boxes, b, points, rng)
            y = form(x)
            # The chain's own rounding is no part of what is proven.
            off = 1e-12 * (1 + np.abs(y))
            rest = y - quadratic(band, boxes, b, x)
            assert (rest >= band.low[b] - off).all()
            assert (rest <= band.high[b] + off).all()
            assert (y >= least[b] - off).all()
            assert (y <= most[b] + off).all()
        assert np.isfinite(band.high - band.low).all()
        found.append(band.high - band.low)
    return np.array(found)


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
@pytest.mark.parametrize("width", WIDTHS)
def test_values_lie_in_the_band(example, width):
    check(example, width)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.name in SMOOTH], ids=by_name)
def test_bands_of_smooth_steps_shrink_by_the_third_order(example):
    wide, narrow = check(example, 0.05, points=20), check(example, 0.005, points=20)
    some = np.isfinite(wide) & (narrow > 1e-11)  # rounding leaves more in flat places
    ratio = wide[some] / narrow[some]
    if example.name in EXACT:
        assert (narrow < 1e-11).all()
    else:
        assert some.any()
        assert np.median(ratio) > 700


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.name in EXACT], ids=by_name)
def test_bands_of_sums_and_squares_are_as_narrow_as_rounding(example):
    assert (check(example, 1.0, points=20) < 1e-10).all()


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_a_point_is_known(example):
    """But where two answers of equal right meet, and where a function has no slope."""
    widths = check(example, 0.0, points=2)
    assert np.median(widths) < 1e-9


JUMPS = ("sign", "above", "one_hot", "one_vs_one", "logic", "packed", "nearest", "winner", "trees")
"""How the names of steps begin whose slopes need not be known."""


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_secants_lie_between_the_slopes(example):
    step, rng = example.step, np.random.default_rng(4)
    boxes = some_boxes(example, 0.3, 4 if step.inputs > 30 else 12)
    for output in sorted({0, step.outputs - 1}):
        form = closed_form(step, example.low, example.high, output)
        low, high = enclosable(form).slopes(boxes)
        if not example.name.startswith(JUMPS):
            assert np.isfinite(low).mean() > 0.6
        for b in range(boxes.count):
            axis = int(rng.integers(step.inputs))
            x = inside(boxes, b, 40, rng)
            moved = x.copy()
            moved[:, axis] = inside(boxes, b, 40, rng)[:, axis]
            off = moved[:, axis] - x[:, axis]
            far = np.abs(off) > 1e-3
            secants = ((form(moved) - form(x))[far]) / off[far]
            assert (secants >= low[axis, b] - 1e-8).all()
            assert (secants <= high[axis, b] + 1e-8).all()
