"""Our units in the language of DynamicQuantities, in which PySR reads them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from distill.formula.dimension import Dimension, dimension

log = logging.getLogger(__name__)

SI = {
    "length": "m",
    "mass": "kg",
    "time": "s",
    "current": "A",
    "temperature": "K",
    "luminosity": "cd",
    "substance": "mol",
}
"""The base unit of each base dimension; others (information, currency) Julia does not have."""


def julia_units(units: Mapping[str, str], output: str) -> tuple[list[str], str | None] | None:
    """The units of the inputs in order and of the output, for ``fit``; None: PySR gets none.

    PySR's inputs have all a unit or none of them, so one that is not known leaves them all out.
    An output whose unit is not known is None: any fits. Scales are lost, only dimensions are
    compared: ``km/h`` is ``m*s^(-1)``. A pure number is ``""``.
    """
    texts = {name: _text(unit) for name, unit in units.items()}
    unknown = [name for name, text in texts.items() if text is None]
    if unknown:
        log.info("PySR searches without units: that of %s is not known to it", ", ".join(unknown))
        return None
    return [text for text in texts.values() if text is not None], _text(output)


def _text(unit: str) -> str | None:
    found = dimension(unit)
    if found is None or not all(name in SI for name, _ in found.powers):
        return None
    return _product(found)


def _product(measured: Dimension) -> str:
    factors = []
    for name, power in measured.powers:
        if power == 1:
            factors.append(SI[name])
        elif power.denominator == 1:
            factors.append(f"{SI[name]}^{power}" if power > 0 else f"{SI[name]}^({power})")
        else:
            factors.append(f"{SI[name]}^({power.numerator}//{power.denominator})")
    return "*".join(factors)
