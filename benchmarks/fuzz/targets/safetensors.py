"""Networks as safetensors, with our card in them and without."""

from __future__ import annotations

from fuzz.mutating import also_headed
from fuzz.seeds import asked, given_as, network_state, shipped_bytes
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load it as it says, and as weights whose layers the user states."""
    with given_as(data, "net.safetensors") as path:
        asked(path, layers=[2, 4, 2] if b"distill" not in data else None)


def seeds() -> list[bytes]:
    """A shipped network, and bare weights."""
    from safetensors.torch import save

    return [shipped_bytes(), save(network_state())]


TARGET = Target("networks as safetensors", once, seeds, also_headed(8))
