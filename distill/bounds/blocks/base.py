"""What every block is: known forward, weighed backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from distill.arrays import Array
from distill.bounds.form import Form
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range


class Block(Protocol):
    """Some rows; ``sources`` are the numbers of the blocks that they are made from."""

    @property
    def sources(self) -> tuple[int, ...]:
        """Numbers of earlier blocks, the inputs being number 0."""
        ...

    def forward(self, given: Sequence[Form]) -> tuple[Form, Any]:
        """What is known of the rows, and what ``backward`` wants to see again."""
        ...

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Any, into: Gathered
    ) -> list[Array]:
        """The weights (m, n) of the rows of each source."""
        ...

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Ranges of the output's slopes by each source's rows, from that by these rows."""
        ...
