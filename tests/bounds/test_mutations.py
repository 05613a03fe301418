"""Every rule is needed: with one of them broken, what is checked elsewhere fails."""

from dataclasses import replace

import numpy as np
import pytest

from distill.bounds import form as forms
from distill.bounds import gathered, relax, rounding, smooth, tape
from distill.bounds.blocks import joining, linear, unary
from distill.bounds.boxes import Boxes
from distill.bounds.read import enclosable, slopes
from distill.bounds.smooth import SMOOTH
from distill.domain import Domain
from distill.formula import Formula
from tests.bounds.exactly import in_band, in_range, points_of, true_value
from tests.bounds.test_prove import network

DOMAIN = Domain.box(x0=(-2, 2), x1=(-2, 2))
CORPUS = (
    "x0*x1 + 0.1*x0",
    "(x0 + 0.3*x1)/(3 + x1)",
    "exp(sin(x0*x1) + x1)",
    "max(x0, x1*x1) - abs(x0 + x1)",
    "ifless(x0, x1, x0*x0, x1 - 3)",
    "log(5 + x0*x1)*sqrt(3 + x1)",
    "tanh(x0 + 2*x1)*tanh(x1 - x0)",
    "(x0 - x1)*(x1 + 0.1)*(x0 + 0.7)",
    "cos(square(x0) + 1/3*x1)/7",
    "1/sqrt(2.1 + x0)",
    "sin(2*x0 + x1)",
)


def sound(corpus=CORPUS, forms_too=True):
    """Whether bands and ranges hold every true value of a fixed set of functions."""
    rng = np.random.default_rng(4)
    middle = rng.uniform(-1.5, 1.5, (2, 24))
    half = np.repeat([0.5, 0.1, 1e-3, 0.0], 6) * np.ones((2, 1))
    boxes = Boxes(middle - half, middle + half)
    expressions = [Formula.parse(text, DOMAIN) for text in corpus]
    trees = [f.tree for f in expressions]
    if forms_too:
        for seed, function in ((1, "tanh"), (2, "relu")):
            form = network(DOMAIN, seed, 4, function)
            expressions.append(form)
            trees.append(form.chain.expand([s.tree for s in _symbols()])[0])
    for expression, tree in zip(expressions, trees, strict=True):
        band = enclosable(expression).enclose(boxes)
        span = band.range()
        for b in range(boxes.count):
            for x in points_of(boxes, b, rng, 4):
                value = true_value(tree, dict(zip(DOMAIN.names, x, strict=True)))
                if not (in_band(band, boxes, b, x, value) and in_range(span, b, value)):
                    return False
    return True


def _symbols():
    return [Formula.parse(name, DOMAIN) for name in DOMAIN.names]


def slopes_sound():
    """Whether the slopes of a fixed set of formulas hold every difference quotient."""
    rng = np.random.default_rng(5)
    middle = rng.uniform(-1.5, 1.5, (2, 12))
    boxes = Boxes(middle - 0.3, middle + 0.3)
    for text in CORPUS:
        formula = Formula.parse(text, DOMAIN)
        low, high = slopes(formula, boxes)
        for b in range(boxes.count):
            for x in points_of(boxes, b, rng, 3):
                other = x.copy()
                other[0] = boxes.high[0, b] if x[0] != boxes.high[0, b] else boxes.low[0, b]
                a, c = (
                    true_value(formula.tree, dict(zip(DOMAIN.names, p, strict=True)))
                    for p in (x, other)
                )
                if not low[0, b] <= (c - a) / (float(other[0]) - float(x[0])) <= high[0, b]:
                    return False
    return True


def test_unbroken_everything_holds():
    assert sound()
    assert slopes_sound()


def narrowed(name, field):
    """A function whose stated range of one derivative is a tenth as wide, around its middle."""
    row = SMOOTH[name]

    def over(low, high):
        jet = row.over(low, high)
        a, b = getattr(jet, field)
        middle, half = (a + b) / 2, (b - a) / 20
        if field == "third":  # and no third derivative at all
            middle, half = 0 * middle, 0 * half
        return replace(jet, **{field: (middle - half, middle + half)})

    return replace(row, over=over)


USED = ("exp", "sin", "cos", "tanh", "log", "sqrt", "inv")


@pytest.mark.parametrize("field", ["value", "first", "third"])
@pytest.mark.parametrize("name", USED)
def test_ranges_of_functions(name, field, monkeypatch):
    monkeypatch.setitem(SMOOTH, name, narrowed(name, field))
    if field == "first":
        assert not slopes_sound()
    else:
        assert not sound(forms_too=False)


def test_points_of_functions(monkeypatch):
    for name in USED:
        row = SMOOTH[name]
        with monkeypatch.context() as patch:
            patch.setitem(SMOOTH, name, replace(row, at=lambda z, at=row.at: (*at(z)[:2], 0 * z)))
            assert not sound(forms_too=False), name


def patched(monkeypatch, *places, function):
    name = places[0].split(".")[-1]
    for place in places:
        module = {
            "forms": forms, "gathered": gathered, "linear": linear, "unary": unary,
            "joining": joining, "tape": tape, "rounding": rounding, "relax": relax,
            "smooth": smooth,
        }[place.split(".")[0]]  # fmt: skip
        monkeypatch.setattr(module, name, function)


def test_rounding_of_sums(monkeypatch):
    places = ("forms.gamma", "gathered.gamma", "linear.gamma", "unary.gamma", "joining.gamma")
    patched(monkeypatch, *places, "tape.gamma", function=lambda terms: 0.0)
    assert not sound()


def test_rounding_of_functions(monkeypatch):
    monkeypatch.setattr(relax, "SLACK", 0.0)
    patched(monkeypatch, "unary.gamma", "linear.gamma", "tape.gamma", function=lambda terms: 0.0)
    assert not sound()


def test_corners_of_products(monkeypatch):
    def careless(low, high, c, d):
        return np.minimum(low * c, high * d), np.maximum(low * c, high * d)

    patched(monkeypatch, "joining.product", "unary.product", function=careless)
    assert not slopes_sound()


def test_what_arguments_leave(monkeypatch):
    monkeypatch.setattr(forms.Form, "rest", property(lambda self: np.zeros_like(self.centre)))
    assert not sound()


def test_which_branch_is_taken(monkeypatch):
    def careless(a, b):
        less = a.centre < b.centre
        return less, ~less

    monkeypatch.setattr(joining, "_decided", careless)
    assert not sound()


@pytest.mark.parametrize("method", ["remainder", "noise", "product"])
def test_what_the_way_back_collects(method, monkeypatch):
    monkeypatch.setattr(gathered.Gathered, method, lambda self, *given: None)
    assert not sound()


def test_kinks(monkeypatch):
    def careless(below, above, centre, low, high):
        made = relax.relax_kink(below, above, centre, low, high)
        return replace(made, low=made.low / 2, high=made.high / 2)

    monkeypatch.setattr(unary, "relax_kink", careless)
    assert not sound()
