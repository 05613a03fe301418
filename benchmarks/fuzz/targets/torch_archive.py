"""Networks as torch writes them: state dicts and `torch.export` archives."""

from __future__ import annotations

import io

from fuzz.mutating import archive_bytes
from fuzz.seeds import asked, given_as, network, network_state
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load and ask it under both suffixes."""
    exported = b"archive_format" in data or b"models/" in data
    with given_as(data, "net.pt2" if exported else "net.pt") as path:
        asked(path, layers=None if exported else [2, 4, 2])


def seeds() -> list[bytes]:
    """Weights, and an exported network."""
    import torch

    state, program = io.BytesIO(), io.BytesIO()
    torch.save(network_state(), state)
    dynamic = ({0: torch.export.Dim("n")},)
    torch.export.save(
        torch.export.export(network(), (torch.zeros(3, 2),), dynamic_shapes=dynamic), program
    )
    return [state.getvalue(), program.getvalue()]


TARGET = Target(
    "torch archives", once, seeds, archive_bytes(lambda name: name.endswith((".json", "config")))
)
