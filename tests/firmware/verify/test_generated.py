"""Bundles as distill writes them: every kind passes, and stays free of undefined behaviour."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from distill.firmware.analysis import check_misra
from distill.firmware.bundle import BundleSpec, evaluate_bundle, write_bundle
from distill.firmware.policy import OutOfDomain, Policy
from distill.firmware.stress import run_stressed
from distill.firmware.subject import Code, Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import host_compilers
from distill.firmware.verify import verify_bundle

NAMES = [
    "wet_bulb", "cubic", "guarded", "table_only", "gearbox", "one_input", "dew_fixed", "dew_door",
    "table_fixed", "label_fixed", "label_float", "own_functions",
]  # fmt: skip
"""The bundles of the golden files."""

COMPILERS = host_compilers()


@cache
def golden_specs() -> Mapping[str, BundleSpec]:
    """The specs that the golden files are written from, in the next folder."""
    path = Path(__file__).parents[1] / "bundle" / "conftest.py"
    found = importlib.util.spec_from_file_location("golden_specs", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["golden_specs"] = module
    found.loader.exec_module(module)
    specs: Mapping[str, BundleSpec] = module.make_specs()
    return specs


def written(spec: BundleSpec, folder: Path) -> Code:
    """A bundle on disk, and what may be given to it."""
    directory = write_bundle(spec, folder / spec.name).directory
    return Code(directory, spec.name, spec.numbers, (), spec.policy.checked, 600.0)


def test_every_golden_bundle_is_named_here() -> None:
    assert set(NAMES) == set(golden_specs())


@pytest.mark.parametrize("name", ["guarded", "dew_fixed", "dew_door"])
def test_a_generated_bundle_passes_every_check(
    name: str, target: Callable[[str], Target], tmp_path: Path, no_proofs: None
) -> None:
    spec = golden_specs()[name]
    exact = spec.exact()
    bundle = written(spec, tmp_path)
    evidence = verify_bundle(
        bundle.directory, name, spec.domain.sample(200),
        lambda x: evaluate_bundle(spec, x), None, spec.tolerance, 0.0 if exact else 1e-3,
        replace(target("cortex_m0plus"), native=None), 20_000,
        domain=spec.domain, number=spec.number, output=spec.output_format,
        variants=[f"{name.upper()}_{mode.upper()}_ONLY" for mode in spec.modes[1:]],
        answers_everywhere=spec.policy.checked, compilers=COMPILERS[:1],
    )  # fmt: skip
    assert evidence.passed, evidence.failed
    (program,) = [check for check in evidence.checks if "test program" in check.name]
    assert program.detail.startswith(f"{name}: all ")
    assert exact == (name != "guarded")


@pytest.mark.parametrize("out_of_domain", ["nan", "unchecked"])
def test_every_policy_is_kept_at_edge_inputs(
    out_of_domain: OutOfDomain, subject, probe, tmp_path: Path
) -> None:
    from distill.firmware.verify_host import build_loop, compare_edges

    spec = replace(golden_specs()["guarded"], policy=Policy(out_of_domain))
    code = written(spec, tmp_path)
    made: Subject = replace(
        subject(probe), directory=code.directory, name=code.name, interface=code.interface,
        answers_everywhere=spec.policy.checked, model=lambda x: evaluate_bundle(spec, x),
        allowed_rounding=1e-3,
    )  # fmt: skip
    loop = build_loop(made, COMPILERS[0], tmp_path)
    assert callable(loop)
    edges = made.edges(2000, seed=0)
    check = compare_edges("host", made, edges, loop(edges))
    assert check.passed, check.detail
    assert check.figures["points"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ten_million_inputs_and_misra(name: str, tmp_path: Path) -> None:
    spec = golden_specs()[name]
    code = written(spec, tmp_path)
    check, _ = check_misra(code, tmp_path)
    assert check.passed is not False, check.detail
    checksums = set()
    for compiler in COMPILERS:
        if compiler.sanitizers_work(tmp_path):
            continue
        ran = run_stressed(code, compiler, tmp_path, 10_000_000)
        assert ran.calls == 10_000_000
        checksums.add(ran.checksum)
    if spec.exact():
        assert len(checksums) == 1
