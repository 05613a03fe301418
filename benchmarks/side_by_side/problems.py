"""What is emitted: six problems, each with its truth, domain, tolerance, formula and model.

The formulas are stated here, not searched for, so that a benchmark takes minutes; where each comes
from is said beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.extremum import largest
from distill.formula import Formula
from distill.formula.classifiers import gaussian_bayes_margin
from distill.formula.trees import DecisionTree, tree_formula
from distill.teachers.load import load_teacher

from .models import (
    Learned,
    Network,
    Truth,
    at_thresholds,
    shipped_network,
    train_bayes,
    train_network,
    train_tree,
)

_WET_BULB = (
    "sqrt(temperature*(humidity + 0.551742*temperature - 108.091) + 8.69164*humidity + 5287.07)"
    " - 0.00339249*(temperature*(humidity + temperature - 408.75)) - 78.3855"
)

_VAPOUR = (
    "(log(humidity) + temperature*(0.07262362"
    " + temperature*(-0.00029387039 + 8.9027254e-07*temperature)) - 4.5887201)"
)
_DEW_POINT = (
    f"max(((0.068585153*{_VAPOUR} + 0.73238475)*{_VAPOUR} + 13.769797)*{_VAPOUR} - 0.24308796,"
    f" (0.4481333*{_VAPOUR} + 12.025588)*{_VAPOUR} - 0.21462464)"
)

_ORIFICE = (
    "square(beta)*(352.712432 + square(beta)*(5.14186808 + 201.643646*square(beta)))"
    "*(1 - (0.243789531 + 0.382547598*square(square(beta)))*pressure_drop/pressure)"
    "*sqrt(pressure_drop*pressure/(temperature + 273.15))"
)


@dataclass(frozen=True, eq=False)
class Problem:
    """One thing to emit.

    Attributes
    ----------
    name : the C function's name.
    teacher, origin : what the errors are taken against, and where the formula comes from.
    truth : the teacher's answers (n,) at points (n, d).
    model : the trained model that other generators emit; trained when it is first asked for.
    more : points (m, d) that are looked at besides those of the domain.
    smooth : whether climbing finds worse points than sampling does.
    label_above : with a number, being above it is an answer of its own.
    """

    name: str
    title: str
    unit: str
    tolerance: float
    domain: Domain
    teacher: str
    truth: Truth
    formula: Formula
    origin: str
    model: Callable[[], Network | Learned]
    more: Array | None = None
    smooth: bool = True
    label_above: float | None = None

    @cached_property
    def formula_error(self) -> float:
        """The largest error of the formula that a search finds."""
        return largest(lambda x: self.formula(x) - self.truth(x), self.domain, also=self.more).value


def wet_bulb() -> Problem:
    """The shipped teacher."""
    teacher = load_teacher("wet_bulb")
    assert teacher.domain is not None
    return Problem(
        name="wet_bulb",
        title="Wet-bulb temperature",
        unit="degC",
        tolerance=0.1,
        domain=teacher.domain,
        teacher="the shipped 2-32-32-1 tanh network `wet_bulb`",
        truth=lambda x: teacher.predict(x)[:, 0],
        formula=Formula.parse(_WET_BULB, teacher.domain),
        origin="found by `distill run experiment=wet_bulb`",
        model=lambda: shipped_network("wet_bulb"),
    )


def dew_point() -> Problem:
    """Over ice below 0 degC: a kink, which the larger of two polynomials has at the same place."""
    domain = Domain.box(temperature=(0, 50, "degC"), humidity=(5, 100, "percent"))
    return Problem(
        name="dew_point",
        title="Dew point",
        unit="degC",
        tolerance=0.1,
        domain=domain,
        teacher="psychrolib.GetTDewPointFromRelHum",
        truth=_psychrolib_dew_point,
        formula=Formula.parse(_DEW_POINT, domain),
        origin="written by hand (logarithm of the vapour pressure; its inverse over water and over "
        "ice), constants fitted to psychrolib for the smallest largest error",
        model=lambda: train_network(_psychrolib_dew_point, domain, (32, 32)),
    )


def orifice() -> Problem:
    """Air through an orifice plate in a pipe of 50 mm."""
    domain = Domain.box(
        pressure_drop=(1, 25, "kPa"),
        pressure=(200, 1000, "kPa"),
        temperature=(0, 80, "degC"),
        beta=(0.3, 0.7),
    )
    return Problem(
        name="mass_flow",
        title="Orifice flow",
        unit="kg/h",
        tolerance=2.0,
        domain=domain,
        teacher="the equation of ISO 5167-2 for air, discharge coefficient at high Reynolds "
        "numbers; the tolerance is 0.1 % of the largest flow",
        truth=_orifice,
        formula=Formula.parse(_ORIFICE, domain),
        origin="the equation with the expansibility and the dependence on beta as short "
        "polynomials, constants fitted for the smallest largest error",
        model=lambda: train_network(_orifice, domain, (32, 32)),
    )


def thermistor() -> Problem:
    """What a 12-bit converter reads of a divider, as a temperature."""
    domain = Domain((Variable("reading", 142, 3997, "counts", kind="integer"),))
    formula = Formula.parse("1/(1/298.15 + log(reading/(4096 - reading))/3950) - 273.15", domain)
    return Problem(
        name="thermistor",
        title="NTC thermistor",
        unit="degC",
        tolerance=0.1,
        domain=domain,
        teacher="the beta equation of 10 kOhm, beta 3950, below 10 kOhm to the supply",
        truth=formula,
        formula=formula,
        origin="the teacher itself",
        model=lambda: train_network(formula, domain, (16, 16)),
    )


def tree() -> Problem:
    """A decision tree, emitted exactly."""
    names = ("age", "sex", "bmi", "blood_pressure", *(f"serum{i}" for i in range(1, 7)))
    learned = train_tree(names)
    nodes = learned.model.tree_
    arrays = DecisionTree(
        nodes.feature, nodes.threshold, nodes.children_left, nodes.children_right,
        nodes.value[:, 0, 0],
    )  # fmt: skip
    leaves = int((nodes.children_left < 0).sum())
    return Problem(
        name="progression",
        title="Decision tree of depth 8",
        unit="",
        tolerance=0.5,
        domain=learned.domain,
        teacher=f"scikit-learn's DecisionTreeRegressor on its diabetes data, {leaves} leaves",
        truth=learned.model.predict,
        formula=tree_formula(arrays, learned.domain),
        origin="`distill.formula.trees.tree_formula`: the tree itself",
        model=lambda: learned,
        more=np.vstack([learned.x, at_thresholds(learned)]),
        smooth=False,
    )


def bayes() -> Problem:
    """Gaussian naive Bayes of two classes: the logarithm of the odds, and its sign."""
    names = (
        *("radius", "texture", "perimeter", "area", "smoothness"),
        *("compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"),
    )
    learned = train_bayes(names)
    model = learned.model

    def margin(x: Array) -> Array:
        odds: Array = np.diff(model.predict_joint_log_proba(x), axis=1)[:, 0]
        return odds

    return Problem(
        name="benign",
        title="Gaussian naive Bayes",
        unit="",
        tolerance=0.01,
        domain=learned.domain,
        teacher="scikit-learn's GaussianNB on ten inputs of its breast cancer data; errors are of "
        "the log-odds, or wrong labels",
        truth=margin,
        formula=gaussian_bayes_margin(model.theta_, model.var_, model.class_prior_, learned.domain),
        origin="`distill.formula.classifiers.gaussian_bayes_margin`: the classifier itself",
        model=lambda: learned,
        more=learned.x,
        label_above=0.0,
    )


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "wet_bulb": cache(wet_bulb),
    "dew_point": cache(dew_point),
    "orifice": cache(orifice),
    "thermistor": cache(thermistor),
    "tree": cache(tree),
    "bayes": cache(bayes),
}


def _psychrolib_dew_point(x: Array) -> Array:
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    return np.array(
        [psychrolib.GetTDewPointFromRelHum(t, humidity / 100) for t, humidity in x.tolist()]
    )


def _orifice(x: Array) -> Array:
    """ISO 5167-2 in kg/h: density of dry air, exponent 1.4, corner tappings."""
    drop, pressure, kelvin, beta = x[:, 0] * 1e3, x[:, 1] * 1e3, x[:, 2] + 273.15, x[:, 3]
    density = pressure * 0.0289647 / (8.314462618 * kelvin)
    discharge = 0.5961 + 0.0261 * beta**2 - 0.216 * beta**8
    expansion = 1 - (0.351 + 0.256 * beta**4 + 0.93 * beta**8) * (
        1 - (1 - drop / pressure) ** (1 / 1.4)
    )
    area = np.pi / 4 * (0.05 * beta) ** 2
    flow = discharge / np.sqrt(1 - beta**4) * expansion * area * np.sqrt(2 * drop * density)
    return np.asarray(3600 * flow)
