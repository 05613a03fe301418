"""The certificate: everything a proof is about and its trees of boxes, as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distill.bounds.partition import Split
from distill.chain.expression import Expression
from distill.firmware.proven import Part
from distill.firmware.spec import BundleSpec
from distill.formula import Formula
from distill.proving.interpolant import Interpolant
from distill.proving.region import Region

VERSION = 1
KIND = "distill certificate"


@dataclass(frozen=True)
class Known:
    """The teacher that a proof is about: its arithmetic, name and fingerprint."""

    expression: Expression
    name: str
    fingerprint: str


@dataclass(frozen=True)
class Claim:
    """A proven statement, and the tree of boxes that anybody can check it by, if it has one."""

    part: Part
    splits: tuple[Split, ...] | None = None

    def to_data(self) -> dict[str, object]:
        """A plain form."""
        return {
            "name": self.part.name,
            "says": self.part.says,
            "bound": self.part.bound,
            "splits": None if self.splits is None else list(self.splits),
        }


def certificate_text(
    spec: BundleSpec,
    teacher: Known,
    claims: Sequence[Claim],
    bound: float,
    rests_on: Sequence[str],
    *,
    region: Region | None,
    formula: Formula | None,
    table: Interpolant | None,
    program: Mapping[str, object] | None = None,
) -> str:
    """The text of ``certificate.json``: the same for the same proof, a key a line.

    ``formula`` is what the C means in real numbers where it does not read the table, ``program``
    what it does there (:func:`distill.proving.operations.program_data`).
    """
    listed = None if region is None else region.listed
    data: dict[str, object] = {
        "version": VERSION,
        "kind": KIND,
        "domain": json.loads(spec.domain.to_json()),
        "output": {"name": spec.output_name, "unit": spec.output_unit},
        "teacher": {
            "name": teacher.name,
            "fingerprint": teacher.fingerprint,
            "expression": teacher.expression.to_data(),
        },
        "formula": None if formula is None else formula.to_data(),
        "table": None if table is None else table.to_data(),
        "guard": []
        if listed is None
        else [[listed.low[:, k].tolist(), listed.high[:, k].tolist()] for k in range(listed.count)],
        "claims": [claim.to_data() for claim in claims],
        "bound": bound,
        "tolerance": spec.tolerance,
        "rests_on": list(rests_on),
    }
    if region is not None:
        data["margin"] = region.margin.tolist()
    if program is not None:
        data["program"] = dict(program)
    return text_of(data)


def text_of(data: Mapping[str, object]) -> str:
    """JSON with one key of the outermost object a line."""
    rows = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for key, value in data.items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"
