"""Logic: functions of few whole numbers, asked everywhere, as the fewest products of their bits."""

from distill.logic.build import logic_chain, truth_table
from distill.logic.cubes import Cover, Cubes
from distill.logic.equations import equation, equations
from distill.logic.minimise import minimise, minimise_together

__all__ = [
    "Cover",
    "Cubes",
    "equation",
    "equations",
    "logic_chain",
    "minimise",
    "minimise_together",
    "truth_table",
]
