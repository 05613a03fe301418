"""The page of figures."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from fuzz.c_code import clang_version
from fuzz.supervise import CODE, HANG, LONGEST, MEMORY, Ledger, Row

READS = {
    "certificate": "certificates, `distill check`",
    "config_words": "config words and YAML",
    "formula_data": "formulas and closed forms, JSON",
    "formula_text": "formulas, text",
    "onnx_model": "ONNX models",
    "safetensors": "networks, safetensors",
    "sklearn_file": "estimators, skops",
    "study_record": "recorded studies",
    "sweep_record": "records of sweeps",
    "table_csv": "tables, CSV",
    "table_parquet": "tables, Parquet",
    "torch_archive": "torch archives",
}

HEAD = """# Fuzzing: figures

Written by `python benchmarks/fuzz/run.py --minutes N --write docs/fuzzing.md`; do not edit.

Every reader of what a stranger wrote is fuzzed by [atheris](https://github.com/google/atheris),
guided by the coverage of `distill`, from real files; JSON is changed node by node and archives
entry by entry, so that what is changed still gets past the first check. A reader may refuse an
input with an error for people, and nothing else: any other exception, more than {hang} s, more than
{memory:,} MiB and a crash are findings. What `distill check` accepts is compared with the teacher
in the certificate at points of its domain; formulas that are read are written and read again.

The generated C is fuzzed by clang's libFuzzer with its address and undefined-behaviour sanitizers
(division by zero of integers, casts of floats out of range, bounds and shifts among them): any bits
at all as arguments, over the golden bundles of every arithmetic and kind and the functions of
arrays of the tests.

{when}, {machine}, Python {python}, {clang}. Inputs of up to {longest:,} bytes.
"""


def write_page(path: Path, ledger: Ledger, failing: Mapping[str, Sequence[object]]) -> None:
    """Write the totals of all runs."""
    rows = ledger.totals()
    readers = sorted((r for r in rows if r.target != CODE), key=lambda r: r.target)
    code = sorted((r for r in rows if r.target == CODE), key=lambda r: r.subject)
    head = HEAD.format(
        hang=HANG, memory=MEMORY, longest=LONGEST, when=time.strftime("%Y-%m-%d", time.gmtime()),
        machine=platform.machine(), python=platform.python_version(), clang=clang_version(),
    )  # fmt: skip
    minutes = sum(r.seconds for r in rows) / 60
    whole = sum(r.executions for r in rows)
    lines = [
        head,
        f"In all: {minutes:.0f} minutes, {whole:,} executions, "
        f"{sum(map(len, failing.values()))} inputs that fail.\n",
        "| reader | minutes | executions | edges | features | inputs kept | failing |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {READS[r.target]} | {_figures(r)} | {len(failing.get(r.target, ()))} |"
            for r in readers
        ),
        "",
        "| generated C | minutes | executions | edges | features | inputs kept |",
        "|---|---|---|---|---|---|",
        *(f"| {r.subject} | {_figures(r)} |" for r in code),
        "",
        f"Of the C {len(failing.get(CODE, ()))} inputs fail.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _figures(row: Row) -> str:
    return (
        f"{row.seconds / 60:.1f} | {row.executions:,} | {row.edges:,} | {row.features:,} "
        f"| {row.corpus:,}"
    )
