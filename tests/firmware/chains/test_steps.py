"""Every step's C against its ``evaluate``: the same bits, or nearly so with a C library."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from distill.firmware.chains.code import chain_code
from distill.firmware.toolchains.host import HostCompiler

REALS = {"float32": np.float32, "double": np.float64}


def unlike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rows whose bits differ; NaN is NaN, whatever its bits."""
    bits = [np.where(np.isnan(values), np.nan, values).view(np.uint64) for values in (a, b)]
    return np.flatnonzero((bits[0] != bits[1]).any(axis=1))


@pytest.fixture(params=["gcc", "zig"])
def compiler(request: pytest.FixtureRequest, compilers) -> HostCompiler:
    """A compiler; zig comes with the package, gcc only where it is installed."""
    if request.param not in compilers:
        pytest.skip(f"no {request.param} on this machine")
    return compilers[request.param]


@pytest.mark.parametrize("arithmetic", REALS)
def test_chains_without_a_c_library_give_the_same_bits(
    compiler: HostCompiler, arithmetic: str, examples: ModuleType, build
) -> None:
    chains = examples.exact_chains()
    codes = {
        f"{name}_step": chain_code(chain, f"{name}_step", arithmetic)
        for name, chain in chains.items()
    }
    assert [name for name, code in codes.items() if not code.exact] == []
    program = build(codes, chains.values(), compiler)
    wrong = {}
    for name, chain in chains.items():
        x = examples.points(chain).astype(REALS[arithmetic]).astype(float)
        found, wanted = program(f"{name}_step", x), chain.evaluate(x, arithmetic)
        if len(rows := unlike(found, wanted)):
            wrong[name] = (len(rows), x[rows[0]], found[rows[0]], wanted[rows[0]])
    assert wrong == {}


@pytest.mark.parametrize("arithmetic", REALS)
def test_functions_of_the_c_library_are_as_near_as_libraries_are(
    compiler: HostCompiler, arithmetic: str, examples: ModuleType, build
) -> None:
    chains = examples.library_chains()
    codes = {
        f"{name}_step": chain_code(chain, f"{name}_step", arithmetic)
        for name, chain in chains.items()
    }
    assert [name for name, code in codes.items() if code.exact] == []
    assert {code.needs_math for code in codes.values()} == {True}
    program = build(codes, chains.values(), compiler)
    wrong = {}
    for name, chain in chains.items():
        x = examples.points(chain).astype(REALS[arithmetic]).astype(float)
        found, wanted = program(f"{name}_step", x), chain.evaluate(x, arithmetic)
        near = 16 * float(np.finfo(REALS[arithmetic]).eps) * (1 + np.abs(wanted))
        with np.errstate(invalid="ignore"):
            same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
            same |= np.abs(found - wanted) <= near
        if len(rows := np.flatnonzero(~same.all(axis=1))):
            wrong[name] = (len(rows), x[rows[0]], found[rows[0]], wanted[rows[0]])
    assert wrong == {}


def test_nothing_undefined_happens(compilers, examples: ModuleType, build) -> None:
    """Addresses and arithmetic are watched by the compiler while all chains run."""
    compiler = compilers.get("gcc") or compilers["zig"]
    chains = examples.exact_chains() | examples.library_chains()
    codes = {
        f"{name}_step": chain_code(chain, f"{name}_step", "float32")
        for name, chain in chains.items()
    }
    program = build(codes, chains.values(), compiler, *compiler.sanitizers)
    for name, chain in chains.items():
        x = examples.points(chain)[::20]
        assert program(f"{name}_step", x).shape == (len(x), chain.outputs)
