"""Fixed point: formats, ranges to choose them by, a model to the bit, and the C of it."""
