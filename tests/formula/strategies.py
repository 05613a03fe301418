"""Random trees for hypothesis, over the variables x, y and z_1."""

import numpy as np
from hypothesis import strategies as st

from distill.domain import Domain
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Number, Symbol

NAMES = ("x", "y", "z_1")
DOMAIN = Domain.box(x=(-2.0, 2.0), y=(0.1, 5.0), z_1=(-100.0, 100.0))

floats = st.floats(allow_nan=False, allow_infinity=False)
tame = st.integers(-9, 9).map(float) | st.floats(-10, 10)


def trees(operators=tuple(OPERATORS), constants=floats, leaves=12):
    """Trees of the given operators, with up to ``leaves`` leaves."""

    def grow(smaller):
        return st.sampled_from(operators).flatmap(
            lambda name: st.tuples(*[smaller] * OPERATORS[name].arity).map(
                lambda args: Call(name, args)
            )
        )

    atoms = constants.map(Number) | st.sampled_from(NAMES).map(Symbol)
    return st.recursive(atoms, grow, max_leaves=leaves)


def points(n=32, seed=0):
    """Points (n, 3) of DOMAIN."""
    return np.asarray(DOMAIN.sample(n, seed))
