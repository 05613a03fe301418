"""A study: everything judged about one teacher over one domain, and which formula was chosen."""

from __future__ import annotations

import base64
import hashlib
import html
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from distill.arrays import Array
from distill.chain.expression import Expression
from distill.config.schema import plain
from distill.engines.findings import Finding, lines
from distill.firmware.alternatives import Alternative
from distill.firmware.bundle import Bundle
from distill.firmware.emit import emit_function
from distill.firmware.evidence import Evidence
from distill.firmware.names import Names
from distill.firmware.spec import BundleSpec
from distill.firmware.vector.bundle import VectorBundle
from distill.firmware.vector.render import render_vector_code
from distill.formula import Formula
from distill.runner import code_fingerprint
from distill.scoring.labels import Labels
from distill.scoring.select import Selection
from distill.study.choice import Choice, StudyContext
from distill.teachers.base import classes_of
from distill.tracking.record import CandidateRecord, Milestone, StudyRecord

if TYPE_CHECKING:
    import pandas as pd


Figures = Mapping[str, float | str | None]

LONGEST_SOURCE = 200_000
"""Characters of C that are kept with a candidate: a forest has megabytes."""


@dataclass(frozen=True)
class Study:
    """The result of a distillation, before anything is exported.

    ``choices`` holds every scored candidate, cheapest first, the published formulas among them;
    ``findings`` is the tree of what the engine found out about the teacher, None where it finds
    formulas only; ``unproven`` is why nothing can be proven about this teacher, empty where it can.
    """

    context: StudyContext
    key: str
    choices: tuple[Choice, ...]
    selection: Selection
    history: tuple[tuple[int, float, int, float], ...]
    points: tuple[Array, Array]
    findings: Finding | None = None
    unproven: str = ""

    @property
    def chosen(self) -> Choice | None:
        """The chosen candidate, or None when nothing is within the tolerance."""
        return next((c for c in self.choices if c.candidate.id == self.selection.id), None)

    def choice(self, candidate_id: str) -> Choice:
        """The candidate of that id; KeyError when there is none."""
        for choice in self.choices:
            if choice.candidate.id == candidate_id:
                return choice
        raise KeyError(candidate_id)

    @property
    def shown(self) -> tuple[Choice, ...]:
        """What people compare: the front, the published formulas, and the chosen candidate.

        The front is over complexity; what is cheapest on the target may lie off it.
        """
        return tuple(c for c in self.choices if c.on_front or c.published or c is self.chosen)

    @property
    def front(self) -> pd.DataFrame:
        """The Pareto front of max error against complexity, one row a candidate, cheapest first."""
        import pandas as pd

        return pd.DataFrame([self._row(c) for c in self.choices if c.on_front])

    @property
    def published(self) -> pd.DataFrame:
        """The published formulas, in the columns of :attr:`front`."""
        import pandas as pd

        return pd.DataFrame([self._row(c) for c in self.choices if c.published])

    def _row(self, choice: Choice) -> dict[str, object]:
        teacher, reference = choice.score.teacher, choice.score.reference
        proof = choice.score.proof
        return {
            "id": choice.candidate.id,
            "formula": choice.formula.readable(),
            "complexity": choice.formula.complexity,
            "max_error": teacher.max_error,
            "certified_error": choice.score.certified_error,
            "proof_ratio": proof.ratio if proof is not None and proof.proven else None,
            "rmse": teacher.rmse,
            "r2": teacher.r2,
            "agreement": choice.score.labels.agreement if choice.score.labels else None,
            "reference_max_error": reference.max_error if reference else None,
            "instructions": choice.cost.instructions if choice.cost else None,
            "flash_bytes": choice.cost.flash_bytes if choice.cost else None,
            "ram_bytes": choice.cost.ram_bytes if choice.cost else None,
            "stack_bytes": choice.cost.stack_bytes if choice.cost else None,
            "arithmetic": choice.cost.arithmetic if choice.cost else None,
            "measured": choice.cost.measured if choice.cost else None,
            "engine": choice.candidate.engine,
            "origin": choice.candidate.origin,
            "within_tolerance": choice.within_tolerance,
            "chosen": choice.candidate.id == self.selection.id,
            **dict(choice.candidate.metrics),
        }

    def record(
        self,
        key: str,
        *,
        bundle: Bundle | VectorBundle | None = None,
        evidence: Evidence | None = None,
        alternatives: Sequence[Alternative] = (),
        overrides: Sequence[str] = (),
        labels: Labels | None = None,
    ) -> StudyRecord:
        """All that MLflow and the reports show of this study, as plain data.

        ``labels`` is how the chosen formulas of all outputs together give a classifier's labels.
        """
        import distill

        config, output = self.context.config, self.context.output_of_teacher
        return StudyRecord(
            key=key,
            teacher_name=self.context.teacher.name,
            teacher_fingerprint=self.context.teacher.fingerprint,
            output_name=output.name,
            output_unit=output.unit,
            domain=self.context.domain,
            tolerance=config.tolerance,
            engine=config.engine.name,
            target=str(config.target.get("name", "")),
            config=plain(config),
            candidates=tuple(self._candidate_record(c) for c in self.shown),
            history=tuple(Milestone(*step) for step in self.history),
            points=self.points[0],
            truth=self.points[1],
            selection=self.selection.reason,
            created=time.time(),
            sweep_id=config.sweep,
            overrides=tuple(overrides),
            export_directory=str(bundle.directory) if bundle else None,
            bundle=bundle.directory if bundle else None,
            evidence=evidence.to_data() if evidence else None,
            alternatives=tuple(way.to_data() for way in alternatives),
            findings=self.findings,
            outputs=len(self.context.teacher.outputs),
            classes=classes_of(self.context.teacher),
            labels=labels,
            unproven=self.unproven,
            versions={"distill": distill.__version__, **versions()},
            teacher_file=_file_of(config.teacher.source),
        )

    def _candidate_record(self, choice: Choice) -> CandidateRecord:
        cost = choice.cost
        return CandidateRecord(
            id=choice.candidate.id,
            engine=choice.candidate.engine,
            origin=choice.candidate.origin,
            formula=choice.formula,
            score=choice.score,
            cost={cost.target: asdict(cost)} if cost else {},
            chosen=choice.candidate.id == self.selection.id,
            on_front=choice.on_front,
            within_tolerance=choice.within_tolerance,
            c_source=self._c_source(choice),
            candidate_data=choice.candidate.to_data(),
            kept=choice.kept,
        )

    def _c_source(self, choice: Choice) -> str:
        """The C of a candidate's formula: in the arithmetic that its cost was measured in.

        Only its beginning where it is longer than anybody reads.
        """
        name, spec = self.context.output_of_teacher.name, choice.alone
        if spec is None:
            formula = choice.formula
            return emit_function(formula, name, "float32") if isinstance(formula, Formula) else ""
        if isinstance(spec, BundleSpec):
            assert spec.implementation is not None  # the spec has a formula
            return spec.implementation.text(name, Names(name))
        text = render_vector_code(spec)[f"{spec.name}.c"]
        if len(text) <= LONGEST_SOURCE:
            return text
        start = text[: text.rindex("\n", 0, LONGEST_SOURCE) + 1]
        note = f"cut here: {len(text):,} characters in all; `distill export` writes them"
        return f"{start}\n/* ... {note}. */\n"

    def _repr_html_(self) -> str:
        """For notebooks: the choice, the Pareto plot and the front."""
        from distill.tracking.canvas import to_png
        from distill.tracking.front_figure import front_figure

        chosen = self.chosen
        formula = _shown(chosen.formula) if chosen else ""
        found = "\n".join(lines(self.findings)) if self.findings else ""
        table = self.front.drop(columns=["id", "origin"]).to_html(
            index=False, float_format=lambda v: f"{v:.4g}", border=0
        )
        picture = base64.b64encode(to_png(front_figure(self.record(self.key)))).decode()
        return (
            f"<p>{html.escape(self.selection.reason)}</p>{formula}"
            f'<img alt="Pareto front" src="data:image/png;base64,{picture}">{table}'
            + (f"<pre>{html.escape(found)}</pre>" if found else "")
        )


def _shown(formula: Expression) -> str:
    """A formula set in a notebook; of a closed form what it is in words."""
    if isinstance(formula, Formula):
        return f"<p>$${formula.latex()}$$</p>"
    return f"<p>{html.escape(formula.readable())}</p>"


def versions() -> dict[str, str]:
    """What results may depend on besides the config: libraries, Python, the machine, this code.

    Libraries that are loaded later are there, too; those that are not installed are left out.
    """
    found = {}
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return {
        **found,
        "python": platform.python_version(),
        "system": f"{platform.system()} {' '.join(platform.libc_ver())}".strip(),
        "machine": platform.machine(),
        "processor": _instructions(),
        "code": code_fingerprint()[:16],
    }


LIBRARIES = (
    "numpy", "scipy", "torch", "pyoperon", "sympy", "python-flint", "scikit-learn", "onnxruntime",
    "pysr", "ziglang", "unicorn",
)  # fmt: skip
"""Those whose versions may change a result."""


def _instructions() -> str:
    """The sets of instructions for which NumPy has kernels here: sums depend on them."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return " ".join([*found["baseline"], *found.get("found", [])])


def _file_of(source: str | None) -> dict[str, str]:
    """Name and hash of the file that a teacher is read from; empty where there is none."""
    path = Path(source) if source else None
    if path is None or not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"name": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
