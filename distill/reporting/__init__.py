"""``distill report``: the page of a recorded study, with what its formulas cost elsewhere."""

from __future__ import annotations

from distill.reporting.page import write_report

__all__ = ["write_report"]
