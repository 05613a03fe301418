"""A stand-in for Julia: the package `juliacall` as far as PySR 1.5 and 2.7 see it.

Put first on PYTHONPATH, it lets the real `pysr` package be imported and its `fit` run without
Julia. It has no search: it checks what Julia would check, writes down what `equation_search` was
called with, and plays a script (`script.py`). What it does not know raises, so that a test notices.
"""

from __future__ import annotations

from juliacall import script
from juliacall.main import Main
from juliacall.values import Array, JuliaError, Struct, convert

__all__ = ["AnyValue", "JuliaError", "Main", "VectorValue", "convert"]

AnyValue = Struct
VectorValue = Array

script.play("start")
