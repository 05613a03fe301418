"""What is proven of a bundle: one bound, its parts, what they rest on, and the certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distill.figures import upward

CERTIFICATE = "certificate.json"
"""The file in a bundle that anybody can check the proof by."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the proven statements that the bound is made of; ``says`` is for people."""

    name: str
    says: str
    bound: float


@dataclass(frozen=True, slots=True)
class Proof:
    """``|what the C answers - the teacher|`` is at most ``bound`` on the whole domain.

    Attributes
    ----------
    bound : in the output's unit; the larger of formula and table, each with its rounding.
    parts : what it is made of.
    rests_on : what is taken for granted, a sentence each.
    certificate : the text of :data:`CERTIFICATE`.
    """

    bound: float
    parts: tuple[Part, ...]
    rests_on: tuple[str, ...]
    certificate: str

    def lines(self, unit: str) -> list[str]:
        """The proof in words, for the header and the README; ``unit`` is the output's."""
        return [
            f"Proven, for every input in range: at most {upward(self.bound)} {unit}".rstrip()
            + " off the teacher.",
            *(f"- {part.says}" for part in self.parts),
            "What that rests on:",
            *(f"- {sentence}" for sentence in self.rests_on),
            f"How to check it: distill check {CERTIFICATE}",
        ]

    def to_data(self) -> dict[str, Any]:
        """A plain form, without the certificate, which is a file of its own."""
        return {
            "bound": self.bound,
            "parts": [[part.name, part.says, part.bound] for part in self.parts],
            "rests_on": list(self.rests_on),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], certificate: str) -> Proof:
        """Read what :meth:`to_data` gave."""
        parts = tuple(Part(*row) for row in data["parts"])
        return cls(data["bound"], parts, tuple(data["rests_on"]), certificate)


def with_source(certificate: str, name: str, text: str) -> str:
    """A certificate that names the C file it is about, and the SHA-256 of its text.

    The key stands last on a line of its own, as every key does; one that is there is replaced.
    """
    data = {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    lines = [line for line in certificate.splitlines()[1:-1] if not line.startswith(' "source": ')]
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join(["{", *lines[:-1], f"{lines[-1]},", f' "source": {json.dumps(data)}', "}\n"])
