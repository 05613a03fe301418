"""Fitting tables to a truth: the door to the search."""

from __future__ import annotations

import numpy as np

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.fixed.formats import QFormat
from distill.firmware.graph import Arithmetic
from distill.firmware.lookup import Table
from distill.firmware.table_axes import Choices
from distill.firmware.table_refusal import refusal
from distill.firmware.table_search import Prefer, Search, Truth

__all__ = ["Choices", "Table", "fit_table"]


def fit_table(
    truth: Truth,
    domain: Domain,
    tolerance: float,
    *,
    max_bytes: int,
    arithmetic: Arithmetic = "float32",
    prefer: Prefer = "bytes",
    choices: Choices | None = None,
    output: QFormat | None = None,
) -> Table:
    """The cheapest table found whose error, quantisation included, is within ``tolerance``.

    Parameters
    ----------
    truth : maps points (n, d) to values (n,), in the unit of ``tolerance``.
    tolerance : the largest |table - truth| allowed anywhere; searched for, not proven.
    max_bytes : the largest size of everything the table stores.
    prefer : what cheap means: the fewest bytes, or the fewest instructions (estimated).
    choices : the spacings, interpolations and types of values allowed; all by default.
    output : the format of a fixed-point result; by default one that fits the values.

    Raises
    ------
    ExportError : when no table of ``max_bytes`` does it, saying what size would and what the
        best that fits reaches; when the truth is not finite somewhere.
    """
    if not (tolerance > 0 and np.isfinite(tolerance)):
        raise ExportError(f"a table cannot meet the tolerance {tolerance:g}.", where="tolerance")
    search = Search(truth, domain, tolerance, arithmetic, prefer, choices or Choices(), output)
    found = search.best(max_bytes)
    if found is None and prefer == "instructions":
        found = search.best(np.inf)  # for the message: what it would take
    if found is None or found.bytes > max_bytes:
        raise refusal(search, found, max_bytes)
    return found
