"""How far the C of a chain can be from the chain in real numbers: running errors over boxes."""
