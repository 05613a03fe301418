"""Julia's modules: Main and those that PySR uses through it."""

from __future__ import annotations

import pickle
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np

from juliacall.search import EquationSearch, check_warm_start, make_options
from juliacall.source import Bindings
from juliacall.values import Function, Method, Struct, Type


def _maker(name: str) -> Any:
    return lambda *arguments, **fields: Struct(name, *arguments, **fields)


def _methods(function: Function) -> list[Method]:
    return [Method(arity + 1, function.takes_more) for arity in function.arities]


class SymbolicRegression:
    """The backend. Types of which nothing is asked are made by name."""

    _TYPES = (
        *("ExpressionSpec", "OperatorEnum", "ExternalStop", "AbstractMutation"),
        *("ConstantMutation", "OperatorMutation", "FeatureMutation", "SwapOperandsMutation"),
        *("AddNodeMutation", "InsertNodeMutation", "DeleteNodeMutation", "RotateTreeMutation"),
        *("BacksolveMutation", "SimplifyMutation", "RandomizeMutation", "OptimizeMutation"),
        *("DoNothingMutation", "AdaptiveParsimonyPlugin", "SimulatedAnnealingPlugin"),
        *("AdaptiveMutationWeightsPlugin", "MutationBurstPlugin", "MutationWeights"),
    )

    def __init__(self) -> None:
        self.Options = make_options
        self.equation_search = EquationSearch()
        self.CoreModule = SimpleNamespace(check_warm_start_compatibility=check_warm_start)
        self.SearchUtilsModule = SimpleNamespace(generate_run_id=lambda: "20260101_000000_stand1")
        for name in self._TYPES:
            setattr(self, name, _maker(name))


BINDINGS = Bindings()

Main = SimpleNamespace(
    VERSION=SimpleNamespace(major=1, minor=11, patch=7),
    SymbolicRegression=SymbolicRegression(),
    seval=BINDINGS.evaluate,
    Array=Type("Array"),
    Dict=Type("Dict"),
    Float64=Type("Float64"),
    Function=Function,
    Int=Type("Int"),
    NamedTuple=Type("NamedTuple"),
    Pair=Type("Pair"),
    Symbol=Type("Symbol"),
    Vector=Type("Vector"),
    Base=SimpleNamespace(
        UUID=str,
        nameof=lambda function: function.name,
        include_string=lambda module, text, name: BINDINGS.evaluate(text),
    ),
    Pkg=SimpleNamespace(dependencies=dict, add=lambda *, name, uuid: None, resolve=lambda: None),
    PythonCall=SimpleNamespace(PyArray=np.asarray),
    Serialization=SimpleNamespace(
        serialize=lambda buffer, value: buffer.write(pickle.dumps(value)),
        deserialize=lambda buffer: pickle.loads(buffer.read()),
    ),
    IOBuffer=BytesIO,
    take_b=lambda buffer: np.frombuffer(buffer.getvalue(), np.uint8),
    write=lambda buffer, data: buffer.write(data.tobytes()),
    seekstart=lambda buffer: buffer.seek(0),
    applicable=lambda function, *arguments: function.accepts(len(arguments)),
    collect=list,
    copy=np.copy,
    haskey=lambda dictionary, key: key in dictionary,
    isa=isinstance,
    methods=_methods,
)
Main.Main = Main
