from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from omegaconf import OmegaConf

from distill.config import conf_directory
from distill.domain import Domain
from distill.errors import StorageError, ToolchainError
from distill.firmware import cost as module
from distill.firmware.cost import Cost, estimate, evenly, measure_many
from distill.firmware.emit import emit_function
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import ToolMissing
from distill.formula import Formula

AIR = Domain.box(T=(10, 50, "degC"), H=(5, 99, "percent"))
STULL = Formula.parse(
    "T*atan(0.151977*sqrt(H+8.313659)) + atan(T+H) - atan(H-1.676331)"
    " + 0.00391838*H^1.5*atan(0.023101*H) - 4.686035",
    AIR,
)
CUBIC = Formula.parse("1.5 + T*(2.5 + T*(3.5 + T*4.5)) - H", AIR)
LINE = Formula.parse("2*T + H", AIR)
FORMULAS = {"stull": STULL, "cubic": CUBIC, "line": LINE}


@cache
def target(name: str) -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / f"{name}.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


@cache
def costs(name: str) -> dict[str, Cost]:
    sources = {key: emit_function(f, key, "float32") for key, f in FORMULAS.items()}
    return measure_many(sources, FORMULAS, "float32", AIR.sample(100), target(name))


def test_a_chip_without_fpu_pays_for_functions() -> None:
    found = costs("pic32")
    assert list(found) == list(FORMULAS)
    order = [found[key].instructions for key in ("line", "cubic", "stull")]
    assert order == sorted(order)
    assert 50 < found["line"].instructions < 400
    assert 4000 < found["stull"].instructions < 8000
    assert 2000 < (found["stull"].flash_bytes or 0) < 8000
    assert (found["line"].flash_bytes or 0) < (found["stull"].flash_bytes or 0)
    for cost in found.values():
        assert cost.measured
        assert cost.target == "pic32"
        assert cost.compiler.startswith("zig cc (clang ")
        assert cost.instructions <= cost.instructions_max
        assert cost.ram_bytes == 0
        assert 0 < (cost.stack_bytes or 0) < 256


def test_the_host_needs_few_instructions_for_arithmetic() -> None:
    found = costs("host")
    assert found["line"].instructions < 12
    assert found["stull"].instructions < 0.1 * costs("pic32")["stull"].instructions


@pytest.mark.parametrize("key", FORMULAS)
def test_the_estimate_is_near_the_measurement(key: str) -> None:
    estimated = estimate(FORMULAS[key], target("pic32"))
    assert not estimated.measured
    assert estimated.flash_bytes is None
    assert estimated.instructions == pytest.approx(costs("pic32")[key].instructions, rel=0.2)


def test_an_estimate_counts_a_shared_part_once() -> None:
    once = Formula.parse("exp(T)", AIR)
    twice = Formula.parse("exp(T) + exp(T)*H", AIR)
    more = (
        estimate(twice, target("pic32")).instructions - estimate(once, target("pic32")).instructions
    )
    assert more < target("pic32").instructions["exp"]


def test_the_same_source_costs_the_same_again() -> None:
    source = {"line": emit_function(LINE, "line", "float32")}
    again = measure_many(source, FORMULAS, "float32", AIR.sample(100), target("pic32"))
    assert again["line"] == costs("pic32")["line"]


def test_double_costs_more_than_float_without_fpu() -> None:
    source = {"line": emit_function(LINE, "line", "double")}
    double = measure_many(source, FORMULAS, "double", AIR.sample(20), target("pic32"))["line"]
    assert double.instructions > 1.2 * costs("pic32")["line"].instructions


def test_one_source_that_does_not_compile_is_named() -> None:
    sources = {"good": "float good(float a) { return a; }", "bad": "float bad(float a) { return"}
    with pytest.raises(ToolchainError) as caught:
        measure_many(sources, {}, "float32", np.ones((4, 1)), target("pic32"))
    assert "bad.c" in caught.value.where


def test_without_a_toolchain_costs_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(target: Target) -> None:
        raise ToolMissing("the zig compiler is not installed.")

    monkeypatch.setattr(module, "toolchain_for", missing)
    found = measure_many({"line": ""}, FORMULAS, "float32", AIR.sample(8), target("pic32"))
    assert found == {"line": estimate(LINE, target("pic32"))}


def test_a_wrong_processor_is_an_error_and_no_estimate() -> None:
    wrong = replace(target("pic32"), cpu="no_such_cpu")
    with pytest.raises(ToolchainError, match="cannot build for pic32"):
        measure_many({"f": "float f(float a) { return a; }"}, {}, "float32", np.ones((1, 1)), wrong)


def test_nothing_to_measure_needs_no_compiler() -> None:
    unusable = replace(target("pic32"), cpu="no_such_cpu")
    assert measure_many({}, {}, "float32", AIR.sample(4), unusable) == {}


def test_costs_survive_json() -> None:
    for cost in (costs("pic32")["stull"], estimate(STULL, target("pic32"))):
        assert Cost.from_data(json.loads(json.dumps(cost.to_data()))) == cost


@pytest.mark.parametrize("change", [{"version": 0}, {"cycles": 3}])
def test_another_form_of_cost_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(StorageError, match="not a cost of version 1"):
        Cost.from_data({**costs("pic32")["line"].to_data(), **change})


def test_points_are_chosen_from_end_to_end() -> None:
    chosen = np.arange(1000)[evenly(1000, 32)]
    assert len(set(chosen.tolist())) == 32
    assert (chosen[0], chosen[-1]) == (0, 999)
    assert len(np.arange(5)[evenly(5, 32)]) == 5
