import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.rational_form import shortened
from distill.formula.text import to_text
from distill.formula.tree import Call, Node, Number, Symbol, complexity

NAMES = ("u", "v", "c")

leaves = st.one_of(
    st.sampled_from([Symbol(n) for n in NAMES]),
    st.sampled_from([Number(v) for v in (1.0, 2.0, 0.5, -3.0)]),
)


def _grown(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    two = st.sampled_from(["add", "sub", "mul", "div"])
    one = st.sampled_from(["inv", "square", "neg", "exp"])
    return st.one_of(
        st.builds(lambda o, a, b: Call(o, (a, b)), two, children, children),
        st.builds(lambda o, a: Call(o, (a,)), one, children),
    )


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (
            "inv((v + inv(u))/(v/u + 1) + (inv(square(c)) - 1)/(inv(v) + inv(u)))",
            "(u + v)/(u*v/square(c) + 1)",
        ),
        ("1/(1/u + 1/v)", "inv(inv(u) + inv(v))"),
        ("v*(1/(c/u - 1) + 1)", "c*v/(c - u)"),
        ("exp(v)/exp(u*(1/(c/u - 1) + 1))", "exp(v - c*u/(c - u))"),
    ],
)
def test_ratios_are_written_shortly(long: str, short: str) -> None:
    tree = shortened(parse(long, NAMES))
    assert complexity(tree) <= complexity(parse(short, NAMES)), to_text(tree)


@settings(max_examples=60, deadline=None)
@example(Call("inv", (Call("sub", (Symbol("u"), Symbol("u"))),)))
@given(st.recursive(leaves, _grown, max_leaves=8))
def test_values_stay(tree: Node) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (50, 3))
    short = shortened(tree)
    assert complexity(short) <= complexity(tree)
    old, new = compile_tree(tree, NAMES)(x), compile_tree(short, NAMES)(x)
    fine = np.isfinite(old) & np.isfinite(new) & (np.abs(old) < 1e6) & (np.abs(old) > 1e-6)
    np.testing.assert_allclose(new[fine], old[fine], rtol=1e-6, atol=1e-9)
