"""What is emitted for a model: distill's C in several arithmetics, and that of other generators.

Others are called as their documentation says. Around their C stand two small functions of ours, as
distill's bundles have them: ``void NAME(const float *x, float *y)`` and ``int NAME_label(x)``.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.building.vector import VectorOrder, build_vector
from distill.config.schema import ExportConfig
from distill.firmware.graph import Arithmetic
from distill.firmware.interface import Interface
from distill.firmware.target import Target
from distill.firmware.vector.interface import FloatVectors
from distill.firmware.vector.render import render_vector_code

from .models import Model

PEER = "peer"
INT16 = 32_000
"""What the largest number of an input becomes where a generator's trees read int16."""


class CannotDo(Exception):
    """Why a generator has no C for a model."""


@dataclass(frozen=True, eq=False)
class Emitted:
    """The C of one model: the files, what its numbers stand for, whether it gives scores at all."""

    name: str
    files: Mapping[str, str]
    interface: Interface
    scores: bool = True

    def write(self, folder: Path) -> Path:
        """Write the files; the source is returned."""
        for name, text in self.files.items():
            local = re.sub(r"#include <(eml_\w+\.h)>", r'#include "\1"', text)
            (folder / name).write_text(local, encoding="utf-8")
        return folder / f"{self.name}.c"


def ours(
    model: Model, arithmetic: Arithmetic, target: Target, out_of_domain: str = "clamp"
) -> Emitted:
    """What distill writes; fixed point takes integers.

    Raises
    ------
    ExportError : when the arithmetic cannot hold the model.
    """
    k = len(model.teacher.outputs)
    order = VectorOrder(
        name=model.name, domain=model.domain, content=model.chain, outputs=model.teacher.outputs,
        classes=model.teacher.classes, max_errors=(0.0,) * k, tolerance=1e-3,
        options=ExportConfig(
            interface="integer" if arithmetic == "fixed" else "float", out_of_domain=out_of_domain
        ),
        target=target, provenance={},
    )  # fmt: skip
    spec = build_vector(order, arithmetic)
    return Emitted(model.name, render_vector_code(spec), spec.numbers)


def emlearn(model: Model, dtype: str = "float") -> Emitted:
    """By emlearn; with int16 trees ask scaled whole numbers, as it does unless told otherwise."""
    try:
        with np.errstate():  # importing it would make NumPy's warnings exceptions
            import emlearn as package
            from emlearn.common import get_include_dir
    except ImportError:
        raise CannotDo("is not installed: pip install emlearn") from None
    if model.estimator is None:
        raise CannotDo("takes no such model")
    if model.name == "neighbours":
        raise CannotDo("is not measured: it keeps rows as int16, and most inputs here are below 1")
    estimator, factors = model.estimator, None
    trees = model.name in ("tree", "forest", "boosted")
    if dtype != "float":
        if model.name not in ("tree", "forest"):
            raise CannotDo("has integers for trees alone")
        factors = INT16 / np.maximum(np.abs(model.x).max(axis=0), 1e-9)
        estimator = _scaled(estimator, factors)
    options = {"method": "inline", "dtype": dtype} if trees else {"method": "loadable"}
    with tempfile.TemporaryDirectory(prefix="distill-") as folder, contextlib.chdir(folder):
        text = _refused(lambda: package.convert(estimator, **options).save(name=PEER))
    headers = {path.name: path.read_text() for path in Path(get_include_dir()).glob("eml_*.h")}
    d = len(model.domain)
    given = f"{PEER}_predict(x, {d})"
    if factors is None:
        return _wrapped(model, text, f"return {given};", headers)
    rows = ", ".join(f"{np.float32(factor)!s}f" for factor in factors)
    body = (
        f"static const float factors[{d}] = {{{rows}}};\nint16_t q[{d}];\n"
        f"for (int i = 0; i < {d}; i++) q[i] = (int16_t)(x[i] * factors[i] + 0.5f);\n"
        f"return {PEER}_predict(q, {d});"
    )
    return _wrapped(model, text, body, headers)


def _scaled(estimator: object, factors: Array) -> object:
    """The same trees, asking inputs that are multiplied by the factors."""
    copy = deepcopy(estimator)
    for each in getattr(copy, "estimators_", [copy]):
        nodes = each.tree_
        split = nodes.children_left >= 0
        nodes.threshold[split] *= factors[nodes.feature[split]]
    return copy


def m2cgen(model: Model) -> Emitted:
    """By m2cgen, which computes in double."""
    import m2cgen as package

    if model.estimator is None:
        raise CannotDo("takes no such model")
    text = _refused(lambda: package.export_to_c(model.estimator, function_name=PEER))
    k = len(model.teacher.outputs)
    classes = len(model.teacher.classes)
    several = f"void {PEER}(" in text
    count = classes if several else 1
    call = f"{PEER}(in, out);" if several else f"out[0] = {PEER}(in);"
    d = len(model.domain)
    head = (
        f"static void scores(const float *x, double *out)\n{{\n    double in[{d}];\n"
        f"    for (int i = 0; i < {d}; i++) in[i] = x[i];\n    {call}\n}}\n"
    )
    body = f"double out[{count}];\nscores(x, out);\n"
    if several:
        body += (
            f"int best = 0;\nfor (int i = 1; i < {count}; i++) if (out[i] > out[best]) best = i;"
        )
        body += "\nreturn best;"
        told = "y[0] = (float)(out[1] - out[0]);" if k == 1 else _each(k)
    else:
        # Boosted trees and support vectors give a probability, or a distance; logistic a margin.
        middle = "0.5" if model.name == "boosted" else "0.0"
        body += f"return out[0] > {middle};"
        told = "y[0] = (float)out[0];"
    both = f"double out[{count}];\nscores(x, out);\n{told}"
    known = model.name not in ("boosted", "bayes")
    return _wrapped(model, text + head, body, {}, both if known else "")


def _each(k: int) -> str:
    return f"for (int i = 0; i < {k}; i++) y[i] = (float)out[i];"


def micromlgen(model: Model) -> Emitted:
    """By micromlgen; its C++ class has the same text as functions of C."""
    from micromlgen import port

    if model.estimator is None:
        raise CannotDo("takes no such model")
    text = _refused(lambda: port(model.estimator))
    return _wrapped(model, _as_c(text), f"return {PEER}_predict((float *)x);", {})


def _as_c(text: str) -> str:
    """The methods of a class without the class around them."""
    body = text[text.index("public:") + len("public:") : text.rindex("protected:")]
    own = text[text.rindex("protected:") + len("protected:") : text.rindex("};")]
    methods = (own + body).replace("int predict(", f"static int {PEER}_predict(")
    for name in ("compute_kernel", "dot", "gauss"):
        methods = methods.replace(f"float {name}(", f"static float {name}(")
    return "#include <math.h>\n#include <stdarg.h>\n#include <stdint.h>\n" + methods


def _refused(emit: Callable[[], object]) -> str:
    """The C, or the generator's own words of why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(emit())
    except Exception as error:  # a generator may raise anything at a model it does not know
        words = str(error).splitlines() or [type(error).__name__]
        raise CannotDo(f"refuses the model: {words[0][:120]}") from error


def _wrapped(
    model: Model, text: str, label: str, headers: Mapping[str, str], scores: str = ""
) -> Emitted:
    """The emitted C with the two functions behind it; without scores those are 0."""
    name, k = model.name, len(model.teacher.outputs)
    told = scores or f"(void)x;\nfor (int i = 0; i < {k}; i++) y[i] = 0.0f;"
    functions = (
        f"void {name}(const float *x, float *y);\nint {name}_label(const float *x);\n"
        f"void {name}(const float *x, float *y)\n{{\n{told}\n}}\n"
        f"int {name}_label(const float *x)\n{{\n{label}\n}}\n"
    )
    files = {**headers, f"{name}.c": f"#include <stdint.h>\n{text}\n{functions}"}
    interface = FloatVectors(model.domain, "float32", k, True)
    return Emitted(name, files, interface, bool(scores))


PEERS: dict[str, Callable[[Model], Emitted]] = {
    "emlearn, floats": emlearn,
    "emlearn, int16": lambda model: emlearn(model, "int16_t"),
    "m2cgen": m2cgen,
    "micromlgen": micromlgen,
}
