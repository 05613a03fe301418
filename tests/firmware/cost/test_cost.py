from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from distill.config.folder import read_option
from distill.domain import Domain
from distill.errors import StorageError, ToolchainError
from distill.firmware import cost as module
from distill.firmware.cost import Cost, Measured, estimate, evenly, measure_many
from distill.firmware.emit import emit_function
from distill.firmware.emulator import Emulator, emulator_for
from distill.firmware.image import Image
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
    return load_target(read_option("target", name))


def with_cpu(cpu: str) -> Target:
    chip = target("pic32")
    assert chip.wheels is not None
    return replace(chip, wheels=replace(chip.wheels, cpu=cpu))


@cache
def costs(name: str) -> dict[str, Cost]:
    sources = {key: emit_function(f, key, "float32") for key, f in FORMULAS.items()}
    measured = measure_many(sources, FORMULAS, "float32", AIR.sample(100), target(name))
    assert measured.failures == {}
    return dict(measured.costs)


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
        assert (cost.target, cost.arithmetic, cost.unit) == ("pic32", "float32", "instructions")
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
    assert more < target("pic32").instructions["float32"]["exp"]


def test_the_same_source_costs_the_same_again() -> None:
    source = {"line": emit_function(LINE, "line", "float32")}
    again = measure_many(source, FORMULAS, "float32", AIR.sample(100), target("pic32"))
    assert again.costs == {"line": costs("pic32")["line"]}


def test_double_costs_more_than_float_without_fpu() -> None:
    source = {"line": emit_function(LINE, "line", "double")}
    found = measure_many(source, FORMULAS, "double", AIR.sample(20), target("pic32"))
    double = found.costs["line"]
    assert double.arithmetic == "double"
    assert double.instructions > 1.2 * costs("pic32")["line"].instructions


def test_functions_that_fail_are_named_and_lose_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def quick(target: Target, image: Image) -> Emulator:
        return emulator_for(target, image, seconds=0.3)

    monkeypatch.setattr(module, "emulator_for", quick)
    sources = {
        "good": "float good(float a) { return a; }",
        "broken": "float broken(float a) { return",
        "hanging": "float hanging(float a) { volatile int go = 1; while (go) {} return a; }",
        "faulting": "float faulting(float a) { return a + *(volatile float *)0x90000; }",
        "last": "float last(float a) { return a * a; }",
    }
    found = measure_many(sources, {}, "float32", np.ones((4, 1)), target("pic32"))
    assert list(found.costs) == ["good", "last"]
    assert "broken.c" in found.failures["broken"].where
    assert "did not return" in found.failures["hanging"].what
    assert "faults" in found.failures["faulting"].what
    assert len(found.failures) == 3


def test_fixed_point_is_measured_with_its_own_numbers() -> None:
    source = "int32_t f(int32_t a, int32_t b) { return (int32_t)(((int64_t)a * b) >> 16); }"
    points = np.array([[65536.0, 3.0], [-70000.0, 80000.0]])
    cost = measure_many({"f": source}, {}, "fixed", points, target("cortex_m4f")).costs["f"]
    assert (cost.arithmetic, cost.unit) == ("fixed", "instructions")
    assert 2 < cost.instructions < 8
    behind_a_door = "float g(float a) { return (float)((int32_t)(a * 256.0f) >> 3); }"
    measured = measure_many(
        {"g": behind_a_door}, {}, "fixed", np.ones((2, 1)), target("cortex_m4f"), number="float32"
    )
    assert measured.costs["g"].arithmetic == "fixed"


def test_without_a_toolchain_costs_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(target: Target) -> None:
        raise ToolMissing("the zig compiler is not installed.")

    monkeypatch.setattr(module, "toolchain_for", missing)
    for arithmetic in ("float32", "fixed"):
        found = measure_many({"line": ""}, FORMULAS, arithmetic, AIR.sample(8), target("pic32"))
        cost = found.costs["line"]
        assert cost == estimate(LINE, target("pic32"), arithmetic)
        assert (cost.measured, cost.compiler) == (False, "estimated")
        table = target("pic32").instructions[arithmetic]
        assert cost.instructions == table["mul"] + table["add"]


def test_without_an_emulator_costs_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(target: Target, image: Image) -> None:
        raise ToolMissing("no emulator.")

    monkeypatch.setattr(module, "emulator_for", missing)
    source = {"line": emit_function(LINE, "line", "float32")}
    found = measure_many(source, FORMULAS, "float32", AIR.sample(8), target("cortex_m4f"))
    assert not found.costs["line"].measured


def test_an_estimate_for_avr_is_in_cycles() -> None:
    assert estimate(LINE, target("avr")).unit == "cycles"


def test_a_wrong_processor_is_an_error_and_no_estimate() -> None:
    wrong = with_cpu("no_such_cpu")
    with pytest.raises(ToolchainError, match="cannot build"):
        measure_many({"f": "float f(float a) { return a; }"}, {}, "float32", np.ones((1, 1)), wrong)


def test_nothing_to_measure_needs_no_compiler() -> None:
    unusable = with_cpu("no_such_cpu")
    assert measure_many({}, {}, "float32", AIR.sample(4), unusable) == Measured({})


def test_costs_survive_json() -> None:
    for cost in (costs("pic32")["stull"], estimate(STULL, target("pic32"))):
        assert Cost.from_data(json.loads(json.dumps(cost.to_data()))) == cost


@pytest.mark.parametrize("change", [{"version": 0}, {"cycles": 3}])
def test_another_form_of_cost_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(StorageError, match="not a cost of version 2"):
        Cost.from_data({**costs("pic32")["line"].to_data(), **change})


def test_points_are_chosen_from_end_to_end() -> None:
    chosen = np.arange(1000)[evenly(1000, 32)]
    assert len(set(chosen.tolist())) == 32
    assert (chosen[0], chosen[-1]) == (0, 999)
    assert len(np.arange(5)[evenly(5, 32)]) == 5
