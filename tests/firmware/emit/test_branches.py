"""Conditions in C: readable, lazy, and decided in float32 as in float64."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.firmware.emit import emit_function
from distill.firmware.graph import build_graph
from distill.firmware.passes import lower
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula
from distill.formula.tree import Node, Number, Symbol, call

DOMAIN = Domain.box(a=(0, 1), b=(-5, 100), c=(0, 1))


def emitted(text: str) -> str:
    return emit_function(Formula.parse(text, DOMAIN), "f", "float32")


def tree(depth: int, rng: np.random.Generator) -> Node:
    """A full decision tree with thresholds all over the domain."""
    if depth == 0:
        return Number(float(np.round(rng.normal(), 3)))
    variable = DOMAIN.variables[rng.integers(3)]
    cut = Number(float(rng.uniform(variable.low, variable.high)))
    sides = (Symbol(variable.name), cut) if rng.integers(2) else (cut, Symbol(variable.name))
    return call("ifless", *sides, tree(depth - 1, rng), tree(depth - 1, rng))


def test_a_short_choice_is_an_expression() -> None:
    assert "    return (a < 0.5f ? b : c) + 1.0f;\n" in emitted("ifless(a, 0.5, b, c) + 1")


def test_branches_that_need_statements_are_statements() -> None:
    assert emitted(
        "ifless(a, 0.3, exp(b) + log(c + 1), ifless(b, a*c, exp(b)*exp(c)*3 + exp(a), b/(c + 3)))"
        " + ifless(a, b, sin(b), a)*exp(c)"
    ) == (
        "float f(float a, float b, float c)\n"
        "{\n"
        "    const float t0 = expf(b);\n"
        "    const float t1 = expf(c);\n"
        "    float t2;\n"
        "    if (a < 0.3f) {\n"
        "        t2 = t0 + logf(c + 1.0f);\n"
        "    } else {\n"
        "        t2 = (b < a * c ? t0 * t1 * 3.0f + expf(a) : b / (c + 3.0f));\n"
        "    }\n"
        "    return t2 + (a < b ? sinf(b) : a) * t1;\n"
        "}\n"
    )


def test_what_a_branch_alone_needs_is_computed_in_it() -> None:
    text = emitted("ifless(a, b/100, exp(c)*sin(exp(c)) + exp(c), c) + b")
    inside = text[text.index("if (") : text.index("} else {")]
    assert text.count("expf") == 1
    assert "const float t0 = expf(c);" in inside


def test_conditions_in_the_other_branch_become_a_chain() -> None:
    text = emitted(
        "ifless(a, 0.2, sin(b)*cos(b)*tan(b)*exp(c)*log(c + 2), ifless(a, 0.4, sin(c)*cos(c)*tan(c)"
        "*exp(c)*log(c + 3)*c, ifless(a, 0.6, cosh(a)*sinh(a)*atan(b)*log(c + 4), b)))"
    )
    assert (
        re.sub(r"= .*", "=", text)
        == (
            "float f(float a, float b, float c)\n"
            "{\n"
            "    float t0;\n"
            "    if (a < 0.2f) {\n"
            "        t0 =\n"
            "    } else if (a < 0.4f) {\n"
            "        t0 =\n"
            "    } else {\n"
            "        t0 =\n"
            "    }\n"
            "    return t0;\n"
            "}\n"
        )
        or "} else if (a < 0.4f) {" in text
    )


def test_a_tree_of_255_conditions_is_compact_and_right(tmp_path: Path, compiler, c_answers) -> None:
    formula = Formula(tree(8, np.random.default_rng(0)), DOMAIN)
    text = emit_function(formula, "f", "float32")
    lines = text.splitlines()
    assert len(lines) < 450
    assert max(map(len, lines)) <= 110
    assert text.count("float t") == 1
    (tmp_path / "f.h").write_text("float f(float a, float b, float c);\n")
    (tmp_path / "f.c").write_text(f'#include <math.h>\n#include "f.h"\n{text}')
    cuts = [o.value for o in build_graph(formula).operations if o.name == "constant"]
    x = DOMAIN.clip(
        np.vstack([DOMAIN.sample(5000), DOMAIN.corners(), np.column_stack([cuts, cuts, cuts])])
        .astype(np.float32)
        .astype(float)
    )
    got = c_answers(compiler, tmp_path / "f.c", x)
    np.testing.assert_array_equal(got, formula(x).astype(np.float32))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 5))
def test_trees_decide_in_float32_as_in_float64(seed: int, depth: int) -> None:
    formula = Formula(tree(depth, np.random.default_rng(seed)), DOMAIN)
    cuts = np.array([o.value for o in build_graph(formula).operations if o.name == "constant"])
    near = cuts.astype(np.float32)
    near = np.concatenate([near, np.nextafter(near, np.float32(-9)), np.nextafter(near, near + 1)])
    x = DOMAIN.clip(np.column_stack([near, near, near]).astype(float))
    wanted = formula(x).astype(np.float32)
    np.testing.assert_array_equal(lower(formula).evaluate(x, "float32"), wanted)


def test_rounding_that_may_turn_a_comparison_counts_either_branch() -> None:
    formula = Formula.parse("ifless(a*3, b, 1, 5)", DOMAIN)
    graph = lower(formula)
    x = np.array([[0.1, 0.30000001192092896, 0.0], [0.1, 0.5, 0.0]])
    x[:, 0] = np.float32(x[:, 0])
    bound = rounding_bound(graph, x, "float32")
    assert bound[0] == 4.0
    assert bound[1] == 0.0


def test_an_exact_threshold_is_never_in_doubt() -> None:
    graph = lower(Formula.parse("ifless(a, 0.3, 1, 5)", DOMAIN))
    x = np.array([[float(np.float32(0.3)), 0.0, 0.0]])
    assert rounding_bound(graph, x, "float32") == 0.0


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ifless(1, 2, a, b)", ["a"]),
        ("ifless(2, 1, a, b)", ["b"]),
        ("ifless(a, 0.5, b, b)", ["b"]),
        ("ifless(a, 7, b, c)", ["b"]),  # the domain decides
    ],
)
def test_decided_conditions_fall_away(text: str, left: list[str]) -> None:
    graph = lower(Formula.parse(text, DOMAIN))
    assert [graph.inputs[o.column] for o in graph.operations] == left
