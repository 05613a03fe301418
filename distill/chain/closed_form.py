"""One output of a chain over a domain: what stands beside formulas as a candidate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.data import chain_data, read_chain
from distill.chain.describe import described
from distill.domain import Domain
from distill.errors import FormulaError

VERSION = 1


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """Output number ``output`` of a chain whose inputs are the variables of ``domain``.

    Equal, and hashed, by its ``text``.

    Raises
    ------
    FormulaError : when the domain has not one variable for each input, or there is no such output.
    """

    chain: Chain
    domain: Domain
    output: int = 0

    def __post_init__(self) -> None:
        if len(self.domain) != self.chain.inputs:
            raise FormulaError(
                f"the closed form takes {self.chain.inputs} inputs, the domain has "
                f"{len(self.domain)}.",
                hint="state one variable for each input, in the model's order.",
            )
        if type(self.output) is not int or not 0 <= self.output < self.chain.outputs:
            raise FormulaError(
                f"the closed form has no output {self.output!r}, but {self.chain.outputs} of them."
            )

    def __call__(self, x: Array) -> Array:
        """Values at the points x of shape (n, d), shape (n,), in float64."""
        return self.chain.evaluate(x, "double")[:, self.output]

    @property
    def complexity(self) -> int:
        """What the chain stores and how many operations it takes, together, for all outputs."""
        return self.chain.stored + self.chain.operations

    @cached_property
    def text(self) -> str:
        """A name that no other closed form has: what it is, its output, and the hash of its data.

        The domain is left out, as from the text of a formula.
        """
        return f"{self.readable()} [{self.output}] sha256:{chain_hash(self.chain)}"

    def readable(self, digits: int = 5) -> str:
        """What it is, for people, such as "forest of 100 trees, 12,345 nodes".

        ``digits`` is what formulas round their constants to; nothing is rounded here.
        """
        return described(self.chain)

    def latex(self, digits: int = 5) -> str:
        r"""The same as LaTeX's ``\text``."""
        text = self.readable(digits).replace("_", r"\_").replace("^", r"\^{}")
        return rf"\text{{{text}}}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def __str__(self) -> str:
        return self.readable()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClosedForm) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def to_data(self) -> dict[str, object]:
        """A versioned plain form; :meth:`from_data` reads it back to the byte."""
        return {
            "version": VERSION,
            "chain": chain_data(self.chain),
            "domain": json.loads(self.domain.to_json()),
            "output": self.output,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> ClosedForm:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        FormulaError : when it is no closed form, or of another version.
        DomainError : when its domain is none.
        """
        if data.get("version") != VERSION or set(data) != {"version", "chain", "domain", "output"}:
            raise FormulaError(
                f"not a closed form of version {VERSION}.",
                hint="write it again with this version of distill.",
            )
        domain, output = data["domain"], data["output"]
        if not isinstance(domain, Mapping) or type(output) is not int:
            raise FormulaError("the closed form lacks its domain or the number of its output.")
        return cls(read_chain(data["chain"]), Domain.from_data(domain), output)


def chain_hash(chain: Chain) -> str:
    """Hexadecimal sha256 of the chain's data; equal for equal chains only."""
    text = json.dumps(chain_data(chain), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
