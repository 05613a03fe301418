"""Proofs beside what points and a search find."""

import warnings

import numpy as np
from scipy.optimize import minimize
from torch import nn

from distill.bounds.base import Difference
from distill.bounds.boxes import Boxes
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.chain.closed_form import ClosedForm
from distill.domain import Domain
from distill.formula import Formula
from distill.teachers.load import load_teacher
from distill.teachers.torch.tracing import chain_of

DOMAIN = Domain.box(a=(-1, 1), b=(0, 3))
FORMULA = Formula.parse("2*a - a^3 + a*b", DOMAIN)
X = np.random.default_rng(0).uniform(DOMAIN.low, DOMAIN.high, (300, 2))
Y = np.sin(2 * X[:, 0]) + X[:, 0] * X[:, 1]
CLASSES = (Y > 1).astype(int) + (Y > 0)


def closed_form(source, domain=DOMAIN, output=0):
    if isinstance(source, nn.Module):
        chain = chain_of(source.eval(), (len(domain),)).chain
    else:
        chain = load_teacher(source).chain
    return ClosedForm(chain, domain, output)


def inside(form, n=40, seed=3):
    """Values in random boxes lie in the ranges of their bands."""
    rng, domain = np.random.default_rng(seed), form.domain
    ends = np.sort(rng.uniform(domain.low, domain.high, (2, n, len(domain))), axis=0)
    boxes = Boxes(ends[0].T, (ends[0] + (ends[1] - ends[0]) * rng.random((n, 1)) ** 2).T)
    least, most = enclosable(form).enclose(boxes).range()
    for b in range(n):
        y = form(rng.uniform(boxes.low[:, b], boxes.high[:, b], (300, len(domain))))
        assert (least[b] <= y + 1e-9).all()
        assert (most[b] >= y - 1e-9).all()


def check(form, formula=FORMULA, ratio=1.1, boxes=20_000, points=100_000):
    """Prove the difference; nothing that points and a search find is above the bound."""
    inside(form)
    function = Difference(enclosable(formula), enclosable(form))
    domain = form.domain
    bound = prove(function, domain, Limits(ratio=ratio, boxes=boxes))
    x = np.vstack([domain.sample(points, seed=5), domain.corners(), bound.at[None, :]])
    sizes = np.abs(function(x))
    start = x[sizes.argmax()]
    climbed = minimize(
        lambda p: -float(np.abs(function(domain.clip(p[None, :])))[0]),
        start, method="Nelder-Mead", options={"maxfev": 150},
    )  # fmt: skip
    largest = max(float(sizes.max()), -float(climbed.fun))
    print(f"found {largest:.5g}, proven {bound.bound:.5g}, ratio {bound.bound / largest:.3f}")
    assert bound.bound >= largest * (1 - 1e-9)
    assert bound.found <= largest * (1 + 1e-9)
    return bound


def fitted(model, targets):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they need not converge
        return model.fit(X, targets)
