"""What a program's bound of its error was computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.fixed.build import Built, Failure, Frame, build
from distill.firmware.fixed.nodes import Node
from distill.firmware.fixed.values import Piece
from distill.firmware.graph import Graph
from distill.firmware.ranges import Boxes


@dataclass(frozen=True, eq=False)
class Basis:
    """The boxes, and everything that gives the same steps again.

    Attributes
    ----------
    graph, domain, boxes, whole_bytes : the graph, over the boxes that the program was built on.
    nodes, precisions : how the operations are computed, and to which bits.
    errors : the bound (m,) of the error on every box, the polynomials being as good as
        ``pieces`` say.
    """

    graph: Graph
    domain: Domain
    boxes: Boxes
    whole_bytes: bool
    nodes: tuple[Node, ...]
    precisions: dict[int, int]
    errors: Array
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, frame: Frame, nodes: list[Node], precisions: dict[int, int], built: Built) -> Basis:
        """The basis of what was built; bounds of the graph's values are not kept."""
        return cls(
            frame.graph, frame.domain, frame.boxes, frame.whole_bytes,
            tuple(nodes), precisions, built.errors, tuple(built.builder.pieces),
        )  # fmt: skip

    def again(self, *, held: bool) -> Built | Failure:
        """The same built again; ``held`` as a frame takes it."""
        frame = Frame.of(self.graph, self.domain, self.boxes, self.whole_bytes)
        return build(replace(frame, held=held), list(self.nodes), self.precisions)
