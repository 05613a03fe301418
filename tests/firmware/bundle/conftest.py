"""The bundles that are compared with golden files, compiled and run."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.firmware.bundle import BundleSpec, Policy
from distill.firmware.fixed.formats import QFormat
from distill.firmware.grids import breakpoints, finite_truth, grid_points
from distill.firmware.guard import Guard
from distill.firmware.guard_search import find_guard
from distill.firmware.implementation import implement
from distill.firmware.proven import Part, Proof
from distill.firmware.table_storing import even_axes, even_table, store
from distill.formula import Formula
from distill.formula.operators import OPERATORS

AIR = Domain.box(temperature=(10, 50, "°C"), humidity=(5, 99, "percent"))
STULL = Formula.parse(
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035",
    AIR,
)
LINE = Domain.box(exp=(-2, 2, "V"))
GEARS = Domain(
    (
        Variable("speed", 0, 30, "m/s"),
        Variable("gear", -1, 5, kind="integer"),
        Variable("cold", 0, 1, kind="boolean"),
    )
)


DEW = Domain.box(temperature=(0, 50, "°C"), humidity=(5, 100, "percent"))
MAGNUS = Formula.parse(
    "243.04*(log(humidity/100) + 17.625*temperature/(243.04 + temperature))"
    "/(17.625 - log(humidity/100) - 17.625*temperature/(243.04 + temperature))",
    DEW,
)
KNEE = Formula.parse("ifless(temperature, 20.1, ifless(humidity, 50, 1, 2), 0.5*humidity/40)", DEW)

PROOF = Proof(
    0.099,
    (
        Part("formula", "the formula is off by at most 0.097 °C where it answers", 0.097),
        Part("rounding", "the C computes the formula in float32 to within 0.002 °C", 0.002),
    ),
    ("float arithmetic as IEEE 754 rounds it", "every input is inside its */ range"),
    '{\n "kind": "distill certificate"\n}\n',
)


def fixed_table(formula: Formula, counts: tuple[int, ...], output: QFormat | None = None):
    """An even table of 16-bit levels that is read in integers."""
    axes = even_axes(formula.domain, counts, "fixed")
    values = finite_truth(formula, formula.domain, grid_points(breakpoints(axes)))
    return store(formula.domain, axes, values, "uint16", "fixed", output)


def _fixed_specs() -> list[BundleSpec]:
    """Fixed point with integers and with floats at its door, guarded and not, table and label."""
    # A bump that only the guard can deal with.
    bump = Formula.parse(MAGNUS.text + " + 5/(1 + (temperature - 31)^2*400)", DEW)
    program = implement(bump, "fixed", 0.02)
    guard = find_guard(program.models, MAGNUS, DEW, 0.2, 32, arithmetic="fixed")
    table = fixed_table(MAGNUS, (9, 33), program.program.output)
    knee = implement(KNEE, "fixed", 0.001)
    return [
        BundleSpec(
            "dew_fixed", DEW, bump, table, guard, "dew_point", 0.2, 0.15, output_unit="°C",
            arithmetic="fixed", interface="integer", accuracy=0.02, target="cortex_m0plus",
            figures=("cortex_m0plus: 300 instructions a call",),
        ),
        BundleSpec(
            "dew_door", DEW, bump, table, guard, "dew_point", 0.2, 0.15, output_unit="°C",
            arithmetic="fixed", accuracy=0.02, policy=Policy("nan", "low"), verified=False,
        ),
        BundleSpec(
            "table_fixed", DEW, None, fixed_table(MAGNUS, (9, 33)), None, "dew_point", 0.5, 0.4,
            output_unit="°C", arithmetic="fixed", interface="integer",
        ),
        BundleSpec(
            "label_fixed", DEW, KNEE, None, None, "margin", 0.1, 0.01, arithmetic="fixed",
            interface="integer", accuracy=0.001, label_above=1.25,
        ),
        BundleSpec(
            "label_float", DEW, KNEE, fixed_table(KNEE, (3, 3), knee.program.output), None,
            "margin", 0.1, 0.01, arithmetic="fixed", accuracy=0.001, label_above=1.25,
        ),
        BundleSpec(
            "own_functions", DEW, MAGNUS, None, None, "dew_point", 0.1, 0.05, output_unit="°C",
            accuracy=0.03, costs={**dict.fromkeys(OPERATORS, 1000.0), "add": 80.0, "sub": 80.0,
                                  "mul": 50.0}, label_above=10.0,
        ),
    ]  # fmt: skip


@cache
def make_specs() -> dict[str, BundleSpec]:
    """One bundle of every kind; cheap to make, so that golden files hang on few algorithms."""
    stull_table = even_table(STULL, AIR, (2, 17))
    pole = Formula.parse(STULL.text + " + 0.001/(temperature - 31.25)", AIR)
    flags = np.zeros((16, 4), dtype=bool)
    flags[7:10] = True
    flags[3, 2] = True
    gears = Formula.parse("sqrt(speed)*gear + max(cold, speed/10)", GEARS)
    gear_flags = np.zeros((5, 7, 2), dtype=bool)
    gear_flags[:, 3, 1] = True
    specs = [
        BundleSpec(
            "wet_bulb", AIR, STULL, None, None, "wet_bulb_temperature", 0.1, 0.0956,
            output_unit="°C", target="pic32",
            provenance={"run": "8f3a", "teacher": "wet_bulb", "fingerprint": "c0ffee"},
        ),
        BundleSpec(
            "cubic", LINE, Formula.parse("1 - 2*exp + 3*exp^2 - 0.5*exp^3", LINE), None, None,
            "force", 0.01, 0.02, error_kind="proven", arithmetic="double",
            policy=Policy("nan", "low"),
        ),
        BundleSpec(
            "guarded", AIR, pole, stull_table, Guard(AIR, flags), "temperature", 0.1, 0.099,
            error_kind="proven", output_unit="°C", proof=PROOF,
        ),
        BundleSpec(
            "table_only", AIR, None, stull_table, None, "temperature", 0.1, 0.099,
            policy=Policy("clamp", "low"), remarks=("Not proven: the */ teacher is a function.",),
        ),
        BundleSpec(
            "gearbox", GEARS, gears, even_table(gears, GEARS, (9, 7, 2), quantised=False),
            Guard(GEARS, gear_flags), "torque", 0.5, 0.4, output_unit="Nm */ ??/",
        ),
        BundleSpec(
            "one_input", LINE, Formula.parse("tanh(exp)", LINE),
            even_table(Formula.parse("tanh(exp)", LINE), LINE, (33,), "double", quantised=False),
            None, "signal", 0.01, 0.0, arithmetic="double", policy=Policy("unchecked"),
        ),
    ]  # fmt: skip
    return {spec.name: spec for spec in [*specs, *_fixed_specs()]}


NAMES = [
    "wet_bulb", "cubic", "guarded", "table_only", "gearbox", "one_input",
    "dew_fixed", "dew_door", "table_fixed", "label_fixed", "label_float", "own_functions",
]  # fmt: skip


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest) -> BundleSpec:
    """Every kind of bundle."""
    return make_specs()[request.param]


@pytest.fixture
def specs() -> dict[str, BundleSpec]:
    """All of them by name."""
    return make_specs()
