"""Asking the C of a closed form on this machine, for the stories."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.evidence import Check
from distill.firmware.subject import Code
from distill.firmware.toolchains import host_compilers
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.verify_host import build_loop


def run_in_c(spec: VectorSpec, folder: Path, x: Array) -> Array:
    """Write the bundle into ``folder``, compile it, and ask it at x (n, d).

    Returns (n, k); with classes the label stands behind the outputs.

    Raises
    ------
    ToolchainError : when there is no compiler, or the C does not compile.
    """
    bundle = write_vector_bundle(spec, folder.resolve())
    code = Code(bundle.directory, spec.name, spec.numbers, (), True, 120.0)
    with TemporaryDirectory() as work:
        loop = build_loop(code, host_compilers()[0], Path(work))
        if isinstance(loop, Check):
            raise ToolchainError(f"the C does not compile: {loop.detail}")
        return np.asarray(loop(x), dtype=np.float64).reshape(len(x), -1)
