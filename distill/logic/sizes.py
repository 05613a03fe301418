"""About how many bytes of flash the two forms take, from builds for a Cortex-M0+ at -Os."""

from __future__ import annotations

from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.firmware.chains.logic import element_groups

_CUBE, _USE, _OUTPUT = 8, 4, 20
_PACKED = 48


def logic_bytes(step: Logic) -> int:
    """Flash of bit operations, without what both forms do to read their inputs."""
    uses = sum(map(len, step.sums))
    return _CUBE * len(step.masks) + _USE * uses + _OUTPUT * step.outputs


def packed_bytes(step: Packed) -> int:
    """Flash of a packed table, without what both forms do to read their inputs."""
    groups = element_groups(step)
    widths = [sum((len(step.levels[k]) - 1).bit_length() for k in group) for group in groups]
    sizes = [1 << (width - 1).bit_length() if width else 0 for width in widths]
    table = sum((size * len(step.codes) + 7) // 8 for size in sizes)
    return table + _PACKED * len(groups) + _OUTPUT * step.outputs
