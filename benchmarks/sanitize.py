"""Millions of random and edge inputs into exported C, watched by every compiler's sanitizers.

    python benchmarks/sanitize.py BUNDLE [BUNDLE ...] [--inputs 10000000] [--seconds 1800]

A BUNDLE is a folder that `distill export` wrote. The inputs are NaN, infinities, both zeros,
subnormals, the largest numbers, every bound with its neighbours, the self-test's vectors (last
breakpoints among them), any bits at all, and points of the domain; integers where the C takes
integers. The checksum is of all answers' bits. Ends with status 1 when a sanitizer objects, or
when two compilers disagree on a bundle in fixed point.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from distill.domain import Domain
from distill.errors import ToolchainError
from distill.firmware.fixed.formats import QFormat
from distill.firmware.harness import Number
from distill.firmware.interface import make_interface
from distill.firmware.stress import Stressed, run_stressed
from distill.firmware.subject import Code
from distill.firmware.toolchains import host_compilers


@dataclass(frozen=True)
class Bundle:
    """A bundle's C, and whether its answers are the same on every machine."""

    code: Code
    fixed: bool


def read_bundle(folder: Path, seconds: float) -> Bundle:
    """What a bundle's record says of its C."""
    record = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    integers = record.get("interface", "float") == "integer"
    fixed = record["arithmetic"] == "fixed"
    number: Number = (
        "int32" if integers else "double" if record["arithmetic"] == "double" else "float32"
    )
    domain = Domain.from_data(record["domain"])
    checked = record["policy"]["out_of_domain"] != "unchecked"
    # The format of the answers is not looked at here: only their bits are.
    interface = make_interface(domain, number, QFormat(0) if integers else None)
    return Bundle(Code(folder.resolve(), record["name"], interface, (), checked, seconds), fixed)


def main() -> int:
    """Print a row for every bundle and compiler."""
    parser = argparse.ArgumentParser(description="Sanitizers over exported C.")
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=1800.0)
    options = parser.parse_args()
    print(f"{'bundle':20} {'compiler':14} {'inputs':>12} {'NaN':>12} {'checksum':16} {'s':>6}")
    failed = False
    for folder in options.bundles:
        bundle = read_bundle(folder, options.seconds)
        found: dict[str, Stressed] = {}
        for compiler in host_compilers():
            with tempfile.TemporaryDirectory(prefix="distill-") as name:
                work = Path(name)
                row = f"{bundle.code.name:20} {compiler.name:14}"
                if why := compiler.sanitizers_work(work):
                    print(f"{row} no sanitizers here: {why.splitlines()[0]}")
                    continue
                start = time.perf_counter()
                try:
                    ran = run_stressed(bundle.code, compiler, work, options.inputs)
                except ToolchainError as error:
                    print(f"{row} FAILS: {error.what}")
                    failed = True
                    continue
                took = time.perf_counter() - start
                found[compiler.name] = ran
                print(f"{row} {ran.calls:12,} {ran.not_numbers:12,} {ran.checksum} {took:6.1f}")
        if bundle.fixed and len({ran.checksum for ran in found.values()}) > 1:
            print(f"{bundle.code.name:20} COMPILERS DISAGREE")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
