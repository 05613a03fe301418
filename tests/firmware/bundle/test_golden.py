"""Generated C, byte for byte; `pytest --rewrite-golden` writes the files anew."""

from __future__ import annotations

from pathlib import Path

from distill.firmware.bundle import BundleSpec, render_bundle

GOLDEN = Path(__file__).parent.parent / "golden"


def test_source_and_header_are_the_golden_ones(spec: BundleSpec, golden) -> None:
    files = render_bundle(spec)
    for name in (f"{spec.name}.c", f"{spec.name}.h"):
        golden(GOLDEN / name, files[name])


def test_the_rest_of_a_bundle_is_the_golden_one(specs: dict[str, BundleSpec], golden) -> None:
    files = render_bundle(specs["guarded"])
    for name in sorted(set(files) - {"guarded.c", "guarded.h"}):
        golden(GOLDEN / "guarded" / name, files[name])


def test_equal_specs_give_equal_bytes(spec: BundleSpec) -> None:
    assert render_bundle(spec) == render_bundle(spec)
