"""Skeletons as PySR's templates: what Julia is told, and what it writes back."""

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.pysr.custom import read_custom
from distill.engines.pysr.template import Template, supported
from distill.engines.skeleton import Skeleton
from distill.errors import FormulaError
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.text import to_text

from .julia_grammar import read, value

DOMAIN = Domain.box(N=(0.1, 2.0), beta=(0.5, 3.0))
INPUTS = ("x0", "x1")
X = np.random.default_rng(0).uniform(0.5, 2.0, size=(30, 2))

PARTS = {"f": "{0}^2 + 1", "end": "sin({0})*{1}", "D": "{0}"}


def template(text):
    return Template.of(Skeleton.parse(text, DOMAIN), INPUTS)


def test_each_part_and_constant_has_a_name_that_julia_has_not():
    # `end` is a word of Julia's grammar.
    told = template("exp(-f(N))*end(beta, N) + c1*f(beta) + c")
    assert told.combine == ("(((exp(((-1.0) * f1(x0))) * f2(x1, x0)) + (c1[1] * f1(x1))) + c2[1])")
    assert told.expressions == ("f1", "f2")
    assert told.variable_names == INPUTS
    assert told.parameters == {"c1": 1, "c2": 1}


@pytest.mark.parametrize(
    "text",
    [
        "exp(-f(N))*end(beta, N) + c1",
        "log(c1)*f(N) - square(f(beta))/max(N, c2)",
        "min(f(N), beta)^2 + cube(N)*inv(beta)",
        "sqrt(2)*f(N) + atan(beta) + tan(c1)*N^c2 + abs(N - beta)",
    ],
)
def test_julia_computes_what_the_skeleton_means(text):
    told = template(text)
    parts = {part.name: parse(PARTS[part.name].format(*part.names), DOMAIN.names)
             for part in told.skeleton.parts}  # fmt: skip
    constants = {name: 0.5 + i for i, name in enumerate(told.skeleton.constants)}
    known = {
        "f1": lambda x: x**2 + 1,
        "f2": lambda x, y: np.sin(x) * y,
        **dict(zip(INPUTS, X.T, strict=True)),
        **{own: [constants[name]] for name, own in zip(constants, told.parameters, strict=True)},
    }
    filled = compile_tree(told.skeleton.fill(parts, constants), DOMAIN.names)(X)
    np.testing.assert_allclose(value(told.combine, known), filled, rtol=1e-13)


def test_the_macro_is_julia_as_pysr_writes_it():
    told = template("f(N)*c1 + end(beta)")
    macro = read(
        f"@template_spec(expressions=({', '.join(told.expressions)},), "
        f"parameters=({', '.join(f'{p}={n}' for p, n in told.parameters.items())},),) "
        f"do {', '.join(told.variable_names)}\n    {told.combine}\nend"
    )
    assert macro.type == "macrocall_expression"


@pytest.mark.parametrize(
    ("text", "combine"),
    [
        ("sqrt(c1)*f(N)", "(sqrt((c1[1] + (0.0 * x0))) * f1(x0))"),
        ("c1^c2*f(N)", "(((c1[1] + (0.0 * x0)) ^ c2[1]) * f1(x0))"),
        ("log(c1*N)*f(N)", "(log((c1[1] * x0)) * f1(x0))"),
        ("exp(c1)*f(N)", "(exp(c1[1]) * f1(x0))"),
    ],
)
def test_a_function_with_a_domain_is_of_a_column(text, combine):
    # Of the number -1 Julia's logarithm ends the search; of a column it is NaN.
    assert template(text).combine == combine


def test_what_pysr_writes_is_read_as_parts_and_constants():
    told = template("exp(-f(N))*g(beta, N) + c1*f(beta) + c")
    own = read_custom("softplus(t) = log(1 + exp(t))")
    parts, constants = told.read(
        "f1 = (#1 * -2.0) + -1.0e-5; f2 = #2 - softplus(#1 ^ 2.0); "
        "c1 = [0.30000000000000004]; c2 = [-1.0f-3]",
        [own],
    )
    assert {name: to_text(tree) for name, tree in parts.items()} == {
        "f": "N*-2 + -1e-05",
        "g": "N - log(1 + exp(beta^2))",
    }
    assert constants == {"c1": 0.30000000000000004, "c": -1e-3}
    assert to_text(told.skeleton.fill(parts, constants)) == (
        "exp(-(N*-2 + -1e-05))*(N - log(1 + exp(beta^2))) "
        "+ 0.30000000000000004*(beta*-2 + -1e-05) + -0.001"
    )


def test_a_template_of_one_part():
    assert template("f(N)^2").read("f1 = #1")[0] == {"f": parse("N", ["N"])}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "`f1` of the template is missing"),
        ("f1 = #1", "`c1` of the template is missing"),
        ("f1 = #2; c1 = [1.0]", "`argument2` is not a variable"),
        ("f1 = x0; c1 = [1.0]", "`x0` is not a variable"),
        ("f1 = ; c1 = [1.0]", "expected a number"),
        ("f1 = #1; c1 = [NaN]", "`[NaN]` is no finite number"),
        ("f1 = #1; c1 = [1.0, 2.0]", "is no finite number"),
        ("f1 = #1; c1 = 0.5, ..., 0.1", "is no finite number"),
        ("f1 = gamma(#1); c1 = [1.0]", "`gamma` is not a function"),
    ],
)
def test_what_is_none_of_the_template_is_refused(text, what):
    with pytest.raises(FormulaError) as caught:
        template("c1*f(N)").read(text)
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f(N)*c1 + 2", ""),
        ("c1*N + c2", "need a free part such as `f(x)`"),
        ("ifless(N, 1, f(beta), c1)", "`ifless` cannot be said"),
    ],
)
def test_what_pysr_cannot_be_told_is_said_before_the_search(text, why):
    reason = supported(Skeleton.parse(text, DOMAIN))
    assert (why in reason) if why else reason == ""


@pytest.mark.parametrize(
    ("text", "release", "precision", "possible"),
    [
        ("f(N) + 0.5", (1, 5), 32, False),
        ("f(N) + 0.5", (1, 5), 64, True),
        ("f(N) + 0.5", (2, 0), 32, True),
        ("f(N) + c1", (1, 5), 32, True),
    ],
)
def test_numbers_of_a_template_are_float64_which_old_versions_do_not_mix(
    text, release, precision, possible
):
    reason = supported(Skeleton.parse(text, DOMAIN), release, precision)
    assert (reason == "") is possible
    assert possible or "engine.options.precision=64" in reason
