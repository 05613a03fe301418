"""`equation_search`: checks what Julia checks, writes down the call, and plays the script."""

from __future__ import annotations

import ctypes
import json
import os
import re
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from juliacall import script
from juliacall.conditions import is_met
from juliacall.expressions import number
from juliacall.front import Data, Row, costs_of
from juliacall.operators import body_of, call, check_well_defined
from juliacall.source import PARSER
from juliacall.templates import MAJOR, Template
from juliacall.values import Array, Function, JuliaError, Struct, plain

ENVIRONMENT = ("JULIA", "PYTHON_JULIA", "OMP_", "OPENBLAS_", "MKL_")


class Members:
    """The members of a hall of fame by complexity, for PySR's exports of templates."""

    def __init__(self, rows: Sequence[Row]):
        self.trees = {row.complexity: row.equation for row in rows}

    def __getitem__(self, index: int) -> Struct:
        member = Struct("PopMember")
        member.tree = Struct("Expression", self.trees[index + 1])
        return member


class HallOfFame:
    """What a search returns beside its populations."""

    def __init__(self, rows: Sequence[Row]):
        self.rows = rows
        self.members = Members(rows)


class Search:
    """One call of `equation_search`."""

    count = 0

    def __init__(self, X: Any, y: Any, options: Struct, arguments: dict[str, Any], free: bool):
        Search.count += 1
        self.free = free
        self.began = time.monotonic()
        self.options = options.fields
        self.arguments = arguments
        self.folder = Path(self.options["output_directory"]) / arguments["run_id"]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "hall_of_fame.csv"
        self.files = (self.file, self.file.with_name("hall_of_fame.csv.bak"))
        self.rows: Sequence[Row] = ()
        self.spoilt = False
        self.guesses = [guess for output in arguments.get("guesses") or () for guess in output]
        self.data = self._data(X, y)
        self._note(X, y)
        self._check(X)

    def _data(self, X: Any, y: Any) -> Data:
        columns = dict(zip(self.arguments["variable_names"], np.asarray(X, float), strict=True))
        spec = self.options["expression_spec"]
        weights = self.arguments["weights"]
        operators = operators_in(self.options)
        defined = [function for _, function in operators if function.body]
        return Data(
            columns,
            np.asarray(y, float),
            None if weights is None else np.asarray(weights, float),
            frozenset((f.name, arity) for arity, f in operators),
            {f.name: call(f, tree) for f in defined if (tree := body_of(f)) is not None},
            costs_of(MAJOR, self.options["complexity_of_operators"]),
            spec if isinstance(spec, Template) else None,
        )

    def _check(self, X: Any) -> None:
        units = self.arguments["X_units"] is not None or self.arguments["y_units"] is not None
        if self.data.template is not None and units:
            raise JuliaError("AssertionError: !(has_units(dataset))")
        if self.data.template is not None and len(self.data.template.variables) > len(X):
            raise JuliaError("BoundsError: the template has more variables than there are features")
        check_units([*(self.arguments["X_units"] or ()), self.arguments["y_units"] or ""])

    def _note(self, X: Any, y: Any) -> None:
        """Write `called.json`, whole or not at all."""
        saved = self.arguments.get("saved_state")
        called = {
            "searches": Search.count,
            "process": os.getpid(),
            "options": plain(self.options),
            **plain(self.arguments),
            "X": plain(X),
            "y": plain(y),
            "saved_state": None if saved is None else [list(row) for row in saved[1].rows],
            "environment": {k: v for k, v in os.environ.items() if k.startswith(ENVIRONMENT)},
            "torch": "torch" in sys.modules,
        }
        part = self.folder / "called.json.part"
        part.write_text(json.dumps(called))
        part.replace(self.folder / "called.json")
        script.note(called)

    def text(self, rows: Sequence[Row]) -> str:
        """Return the hall of fame as the backend writes it."""
        lines = [f'{row.complexity},{number(row.loss)},"{row.equation}"' for row in rows]
        return "\n".join(["Complexity,Loss,Equation", *lines]) + "\n"

    def write(self, rows: Sequence[Row]) -> None:
        """Write the hall of fame and its copy, as the backend: in place, the copy last."""
        self.rows = rows
        for file in self.files:
            file.write_text(self.text(rows), encoding="utf-8")

    def pause(self, seconds: float) -> None:
        """Wait; PySR 1.5 holds the interpreter's lock meanwhile, and so does this."""
        if self.free:
            time.sleep(seconds)
        else:
            ctypes.PyDLL(None).usleep(int(seconds * 1e6))

    def over(self) -> bool:
        """Whether a limit is reached: time, error, or Ctrl-C; evaluations are never counted."""
        limit = self.options["timeout_in_seconds"]
        condition = self.options["early_stop_condition"]
        stop = self.arguments.get("external_stop")
        return (
            (limit is not None and time.monotonic() - self.began >= limit)
            or self.options["max_evals"] is not None
            or any(is_met(condition, row.loss, row.complexity) for row in self.rows)
            or (stop is not None and bool(select.select([stop.arguments[0]], [], [], 0)[0]))
        )


_UNITS = {"m", "kg", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "V", "h", "min"}


def check_units(texts: Sequence[str]) -> None:
    """Raise where the backend's reader of units would: it knows products, powers and names."""
    for text in texts:
        root = PARSER.parse(text.encode()).root_node
        names = set(re.findall(r"[^\W\d]\w*", text))
        if root.has_error or "juxtaposition_expression" in str(root) or not names <= _UNITS:
            raise JuliaError(f"ArgumentError: `{text}` not found in `Units` or `Constants`")


def operators_in(options: dict[str, Any]) -> list[tuple[int, Function]]:
    """Return the operators with their numbers of arguments."""
    if MAJOR == 1:
        by_arity = {1: options["unary_operators"], 2: options["binary_operators"]}
    else:
        (told,) = options["operators"].arguments
        by_arity = dict(enumerate(told, 1))
    pairs = [(arity, function) for arity, some in by_arity.items() for function in some]
    return pairs


def make_options(**options: Any) -> Struct:
    """Return the options of a search, checked as the backend checks them."""
    operators = operators_in(options)
    for arity, function in operators:
        if not function.accepts(arity):
            raise JuliaError(f"`{function.name}` does not take {arity} arguments")
        check_well_defined(function)
    known = {function.name for _, function in operators}
    if len(known) < len(operators):
        raise JuliaError("AssertionError: operators appear twice, or as unary and as binary")
    for outer, inner in (options["nested_constraints"] or {}).items():
        for function in (outer, *inner):
            if function.name not in known:
                raise JuliaError(f"Operator {function.name} is not in the operator set.")
    for name in ("loss_function", "loss_function_expression"):
        if options[name] is not None and not options[name].accepts(3):
            raise JuliaError(
                f"MethodError: no method matching {options[name].name}(ex, data, options)"
            )
    for name, length in (("una_constraints", 1), ("bin_constraints", 2)):
        for limit in options.get(name) or ():
            if np.size(limit) != length:
                raise JuliaError(f"MethodError: {name} are to be of {length}: {limit}")
    return Struct("Options", **options)


# Options that a search taken up again must share with the one before.
_KEPT = ("operators", "constraints", "nested_constraints", "complexity_mapping", "maxsize")
_KEPT += ("maxdepth", "npopulations", "npop", "expression_spec", "dimensionless_constants_only")


def check_warm_start(before: Struct, now: Struct) -> None:
    """Raise if a search cannot go on with other options."""
    for name in _KEPT:
        if plain(before.fields[name]) != plain(now.fields[name]):
            raise JuliaError(f"WarmStartIncompatibleError: `{name}` differs")


def _search(free: bool, X: Any, y: Any, *, options: Struct, **arguments: Any) -> Any:
    search = Search(X, y, options, arguments, free)
    saved = arguments.get("saved_state")
    if saved is not None:
        search.rows = saved[1].rows
    script.play("search", search)
    if not search.spoilt:
        search.write(search.rows)
    return (Array(), HallOfFame(search.rows))


class EquationSearch:
    """The function, which from PySR 2.0 on is called without the interpreter's lock."""

    def __call__(self, X: Any, y: Any, **arguments: Any) -> Any:
        return _search(False, X, y, **arguments)

    def _jl_call_nogil(self, X: Any, y: Any, **arguments: Any) -> Any:
        return _search(True, X, y, **arguments)
