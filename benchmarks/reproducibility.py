"""What of a study stays the same bytes under other circumstances, one process each.

    python benchmarks/reproducibility.py [STUDY ...] [--only CIRCUMSTANCE ...] [--json FILE]

Every study is done once as it is and once under each circumstance: another hash seed, folder,
language or clock, one processor core or more threads, and processors with fewer instructions, which
the libraries below are told to be on (OpenBLAS, NumPy, torch, oneDNN and the C library choose their
kernels by that). Prints a Markdown table of what differs; `docs/reproducibility.md` has it. Nothing
is kept between the runs, so each takes the time of a whole study.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from distill.arrays import Array
    from distill.study.study import Study

AS_IT_IS = "as it is"

PARTS = ("sample", "formulas", "scores", "tables", "C")

SMALL = (
    "sampling.points=256", "score=quick", "score.points=2000", "score.starts=4",
    "score.proof_boxes=200", "score.proof_candidates=4", "engine.rounds=1",
    "export.proof_boxes=300", "tracking=off",
)  # fmt: skip

STUDIES: dict[str, tuple[str, ...]] = {
    "polynomial": ("engine=polynomial", "engine.max_complexity=40", "engine.keep=20"),
    "operon": ("engine=operon", "tolerance=1", "engine.evaluations=15000", "engine.keep=20"),
    "structure": (
        "engine=structure", "engine.evaluations=4000", "engine.keep=20", "tolerance=0.01",
        "teacher=function", "teacher.source=reproducibility:decay",
        "teacher.options.vectorized=true", "domain=box",
        "+domain.variables.t={low: 0, high: 3}", "+domain.variables.a={low: 1, high: 2}",
    ),
    "exact": ("engine=exact",),
}  # fmt: skip
"""By what is shown: what is changed of `distill run`, besides :data:`SMALL`."""

NO_AVX2 = "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable,-FMA4"


@dataclass(frozen=True)
class Circumstance:
    """What is different: the environment, a folder to run in, a program in front."""

    environment: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    elsewhere: bool = False


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

CIRCUMSTANCES: dict[str, Circumstance] = {
    "other hash seed, folder, home, clock, language": Circumstance(
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"},
        elsewhere=True,
    ),
    "C library without AVX2 and FMA": Circumstance({"GLIBC_TUNABLES": NO_AVX2}),
    "NumPy without AVX2 and FMA": Circumstance({"NPY_DISABLE_CPU_FEATURES": "X86_V3"}),
    "OpenBLAS as on Nehalem (SSE)": Circumstance({"OPENBLAS_CORETYPE": "Nehalem"}),
    "torch, oneDNN and MKL without AVX2": Circumstance(
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_CBWR": "COMPATIBLE",
        }
    ),
    "one core": Circumstance(before=("taskset", "-c", "0")),
    "2 threads in every library": Circumstance(dict.fromkeys(_THREADS, "2")),
}
"""By what is shown."""


def decay(x: Array) -> Array:
    """The teacher that structure is asked of: NumPy's functions."""
    y: Array = x[:, 1] * np.exp(-x[:, 0]) * np.sin(2 * x[:, 0])
    return y


def study(words: Sequence[str], folder: Path) -> dict[str, str]:
    """Do one study in this process; the hash of each of :data:`PARTS`.

    The formula is written in floats and in fixed point, a table beside it. Nothing is compiled:
    what an emulated chip counts does not depend on this machine.
    """
    from hydra import compose, initialize_config_dir

    from distill.config.folder import conf_directory
    from distill.config.schema import read_config
    from distill.pipeline.one_output import search
    from distill.progress import Silent

    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        config = read_config(compose("config", [*words, f"root='{folder}'"]))
    config.target = {}
    found = search(config, Silent())
    tables, texts = _exported(found)
    choices = [(c.candidate, c.score) for c in found.choices]
    x, y = found.points
    parts = {
        "sample": x.tobytes().hex() + y.tobytes().hex(),
        "formulas": json.dumps([candidate.to_data()["formula"] for candidate, _ in choices]),
        "scores": json.dumps([score.to_data() for _, score in choices]),
        "tables": json.dumps(tables),
        "C": json.dumps(texts),
    }
    return {part: hashlib.sha256(text.encode()).hexdigest()[:16] for part, text in parts.items()}


def _exported(found: Study) -> tuple[list[str], list[dict[str, str]]]:
    """The tables' values, and the files of every bundle, of the chosen candidate and of a table."""
    from distill.building.order import Order
    from distill.building.proof import with_proof
    from distill.building.scalar import build_formula, build_table
    from distill.building.vector import alone
    from distill.chain.closed_form import ClosedForm
    from distill.config.folder import read_option
    from distill.firmware.bundle import render_bundle
    from distill.firmware.target import load_target
    from distill.firmware.vector.bundle import render_vector
    from distill.firmware.vector.spec import VectorSpec
    from distill.formula import Formula
    from distill.progress import Silent
    from distill.scoring.own_form import own_form

    context, chosen = found.context, found.chosen
    target = load_target(read_option("target", "pic32"))
    if chosen is not None and isinstance(chosen.formula, ClosedForm):
        error, tolerance = chosen.score.max_error, context.config.tolerance
        spec = VectorSpec(
            name=context.teacher.name,
            domain=context.domain,
            outputs=(context.output_of_teacher,),
            tolerance=(tolerance,),
            max_errors=(error,),
            chain=alone(chosen.formula),
        )
        return [], [render_vector(spec)]
    own, why = own_form(context.teacher, context.domain, context.output)
    formula = chosen.candidate.written if chosen is not None else None
    assert formula is None or isinstance(formula, Formula)
    order = Order(
        name=context.teacher.name,
        domain=context.domain,
        formula=formula,
        formula_error=None if chosen is None else chosen.score.max_error,
        truth=context.truth,
        tolerance=context.config.tolerance,
        output=context.output_of_teacher,
        options=context.config.export,
        target=target,
        provenance={},
        own=None if own is None else own.expression,
        why_not_own=why,
    )
    specs = [build_table(order, "float32", Silent())]
    if formula is not None:
        specs += [
            build_formula(order, "float32", Silent()),
            build_formula(order, "fixed", Silent()),
        ]
    proven = [with_proof(order, spec, Silent()) for spec in specs]
    tables = [spec.table.values.tobytes().hex() for spec in proven if spec.table is not None]
    return tables, [render_bundle(spec) for spec in proven]


def hashes(names: Sequence[str], how: Circumstance) -> dict[str, dict[str, str]]:
    """The hashes of studies under a circumstance, in one process of their own."""
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **how.environment}
        paths = [
            str(Path(__file__).parent),
            ".",
            *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)),
        ]
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(path).resolve()) for path in paths)
        if how.elsewhere:
            environment["HOME"] = name
        ended = subprocess.run(
            [*how.before, sys.executable, str(Path(__file__).resolve()), "--one", name, *names],
            env=environment,
            cwd=folder if how.elsewhere else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            sys.exit(f"a study failed:\n{ended.stderr}")
        found: dict[str, dict[str, str]] = json.loads(ended.stdout.splitlines()[-1])
        return found


def table(found: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    """Markdown: a row for each circumstance, a column for each study, what differs in the cells."""
    first = found[AS_IT_IS]
    rows = [["", *first], ["---"] * (len(first) + 1)]
    for name, runs in found.items():
        if name != AS_IT_IS:
            rows.append([name, *(_cell(first[study], runs[study]) for study in first)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(first: Mapping[str, str], then: Mapping[str, str]) -> str:
    differing = [part for part in PARTS if first[part] != then[part]]
    return "differ: " + ", ".join(differing) if differing else "same bytes"


def main() -> int:
    """Do the studies under every circumstance, or with ``--one`` here."""
    if sys.argv[1:2] == ["--one"]:
        folder = Path(sys.argv[2])
        done = {name: study([*STUDIES[name], *SMALL], folder / name) for name in sys.argv[3:]}
        print(json.dumps(done))
        return 0
    parser = argparse.ArgumentParser(description="Studies under other circumstances.")
    parser.add_argument("studies", nargs="*", help=f"of {', '.join(STUDIES)}; all without")
    parser.add_argument("--only", nargs="*", default=list(CIRCUMSTANCES))
    parser.add_argument("--json", type=Path, help="keep the hashes in this file")
    options = parser.parse_args()
    names = options.studies or list(STUDIES)
    found = {AS_IT_IS: hashes(names, Circumstance())}
    for circumstance in options.only:
        how = CIRCUMSTANCES[circumstance]
        if how.before and not shutil.which(how.before[0]):
            continue
        found[circumstance] = hashes(names, how)
        for name in names:
            cell = _cell(found[AS_IT_IS][name], found[circumstance][name])
            print(f"{name}, {circumstance}: {cell}", file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
