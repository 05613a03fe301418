"""Many generated functions in one shared library, called on arrays."""

from __future__ import annotations

import ctypes
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from differential.exports import Export
from distill.arrays import Array
from distill.firmware.harness import Results
from distill.firmware.render import render_code
from distill.firmware.toolchains import HostCompiler

FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-w", "-fPIC", "-shared")

_COUNT = itertools.count()


def text_of(export: Export) -> str:
    """Header and source of a function in one text, with a loop over arrays behind them.

    Raises
    ------
    ExportError : when a constant cannot be held in the arithmetic.
    """
    spec = export.spec
    files = render_code(spec)
    own = re.compile(rf'^#include "{spec.name}\.h"$', re.M)
    source = own.sub("", files[f"{spec.name}.c"])
    kind = spec.numbers.signature
    arguments = ", ".join(f"x[{i}]" for i in range(kind.inputs))
    loop = (
        f"void loop_{spec.name}(const {kind.real} *x, {kind.real} *y, long n);\n"
        f"void loop_{spec.name}(const {kind.real} *x, {kind.real} *y, long n) "
        f"{{ for (; n > 0; n--, x += {kind.inputs}) *y++ = {spec.name}({arguments}); }}\n"
    )
    return f"{files[f'{spec.name}.h']}\n{source}\n{loop}"


def build(texts: Sequence[str], compiler: HostCompiler, folder: Path) -> ctypes.CDLL:
    """A library of all of them.

    Raises
    ------
    RuntimeError : with the compiler's complaint: generated C must compile.
    """
    number = next(_COUNT)
    source, library = folder / f"all{number}.c", folder / f"all{number}.so"
    source.write_text("\n".join(texts), encoding="utf-8")
    done = compiler.run([*FLAGS, str(source), "-lm", "-o", str(library)], folder)
    if done.status:
        raise RuntimeError(done.complaint)
    return ctypes.CDLL(str(library))


def run(library: ctypes.CDLL, export: Export, x: Array) -> Results:
    """What the function answers at points (n, d) of its own numbers, (n,)."""
    signature = export.spec.numbers.signature
    given = np.frombuffer(signature.pack(x), signature.dtype)
    answers = np.empty(len(x), signature.dtype)
    loop: Callable[..., None] = getattr(library, f"loop_{export.spec.name}")
    loop(
        given.ctypes.data_as(ctypes.c_void_p),
        answers.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_long(len(x)),
    )
    found: Results = answers
    return found
