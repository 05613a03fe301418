"""Division by a constant becomes multiplication by its reciprocal.

Exact for powers of two. For other constants the reciprocal is rounded once more, so that the
result may be off by one more unit in the last place (relative 6e-8 in float32): harmless beside
the functions around it, and a division costs two to four multiplications on a chip without a
floating-point unit. A constant whose reciprocal would be subnormal or infinite stays a divisor.
"""

from __future__ import annotations

import numpy as np

from distill.firmware.graph import Arithmetic, Builder, Graph, dtype, rewrite


def divisors_to_factors(graph: Graph, arithmetic: Arithmetic) -> Graph:
    """The graph with factors in place of constant divisors."""
    limits = np.finfo(dtype(arithmetic))

    def div(builder: Builder, args: tuple[int, ...]) -> int | None:
        divisor = builder.value_of(args[1])
        if not divisor or builder.value_of(args[0]) is not None:
            return None
        factor = 1.0 / divisor
        if not float(limits.tiny) <= abs(factor) <= float(limits.max):
            return None
        return builder.call("mul", args[0], builder.constant(factor))

    return rewrite(graph, {"div": div}, "divisors to factors")
