"""Real inputs that fuzzing starts from, and how a model file is loaded and asked."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from distill.chain.closed_form import ClosedForm
from distill.domain import Domain
from distill.firmware.graph import Arithmetic
from distill.formula import Formula
from distill.teachers.load import load_teacher
from tests.chain.strategies import random_trees
from tests.checking import making
from tests.teachers import examples
from tests.tracking.conftest import make_study

PLANE = Domain.box(x=(0.5, 3), y=(-2, 2))


@cache
def _memory() -> TemporaryDirectory[str]:
    """A folder for files that live for one input; in memory where the machine has that."""
    memory = Path("/dev/shm")
    return TemporaryDirectory(prefix="distill-fuzz-", dir=memory if memory.is_dir() else None)


@contextmanager
def given_as(data: bytes, name: str) -> Iterator[Path]:
    """The bytes as a file of this name, for a while."""
    path = Path(_memory().name) / name
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink()


def asked(path: Path, *, layers: list[int] | None = None) -> None:
    """Load the file as a user would, and ask for its corners or for rows it knows."""
    options: dict[str, Any] = {}
    if layers is not None:
        options = {"layers": layers, "activation": "tanh"}
    table = path.suffix in (".csv", ".parquet")
    teacher = load_teacher(path, domain=None if table else _domain_of(path), **options)
    if not table:
        teacher.predict(examples.BOX.corners())


def _domain_of(path: Path) -> Domain | None:
    return None if b"distill" in path.read_bytes()[:4000] else examples.BOX


def formula() -> Formula:
    """A formula with most kinds of operators."""
    text = "ifless(x, 1, exp(y)/x, min(y, 2)) + atan2(y, x)^3 - 0.125*sqrt(abs(y)) + 1e-3"
    return Formula.parse(text, PLANE)


def closed_form(kind: str) -> ClosedForm:
    """A chain over as many inputs as it takes."""
    from distill.chain.chain import Chain
    from distill.chain.steps.affine import Affine
    from distill.chain.steps.images import Convolution, Pool
    from distill.chain.steps.kernels import Kernel
    from distill.chain.steps.winner import Winner
    from distill.logic.build import logic_chain

    rng = np.random.default_rng(0)
    if kind == "logic":
        bits = Domain.from_data({"version": 1, "variables": [
            {"name": name, "low": 0, "high": 1, "kind": "boolean"} for name in "abc"
        ]})  # fmt: skip
        return ClosedForm(logic_chain(rng.integers(0, 2, (8, 1)).astype(float), bits), bits)
    chain = {
        "network": lambda: making.network(3),
        "forest": lambda: Chain(3, (random_trees(1, outputs=1),)),
        "classes": lambda: Chain(3, (random_trees(1, outputs=3), Winner(3))),
        "image": lambda: Chain(
            16,
            (
                Convolution((1, 4, 4), rng.normal(size=(1, 1, 3, 3)), np.zeros(1)),
                Pool((1, 2, 2), "max", (2, 2), (2, 2)),
            ),
        ),
        "machine": lambda: Chain(
            2,
            (
                Kernel(rng.normal(size=(4, 2)), "rbf", 0.5),
                Affine(rng.normal(size=(1, 4)), np.zeros(1)),
            ),
        ),
    }[kind]()
    names = making.DOMAIN if chain.inputs == 2 else _box(chain.inputs)
    return ClosedForm(chain, names)


def _box(d: int) -> Domain:
    return Domain.from_data(
        {"version": 1, "variables": [{"name": f"x{i}", "low": -2, "high": 2} for i in range(d)]}
    )


def certificates() -> list[dict[str, Any]]:
    """Certificates that hold, small enough to be checked many times a second."""
    from distill.firmware.implementation import implement
    from distill.proving.operations import implementation_data

    teacher = Formula.parse("x*y/(x + 4) + 0.02*sin(3*x)", PLANE)
    simple = Formula.parse("x*y/(x + 4)", PLANE)
    line, bent = Formula.parse("2*x", PLANE), Formula.parse("2*x + 0.01*y^2", PLANE)
    found = [
        making.plain(2, 5, above=3.0),
        making.certificate(simple, teacher, 0.0205, making.halved(4)),
        making.certificate(line, bent, 0.0401, making.halved(2)),
        making.certificate(line, line, 0.0, None),
    ]
    programs: tuple[tuple[Arithmetic, float | None], ...] = (("fixed", 1e-2), ("float32", None))
    for arithmetic, accuracy in programs:
        program = implementation_data(implement(line, arithmetic, accuracy), floats=True)
        found.append(making.certificate(line, bent, 0.0401, making.halved(2), program=program))
    return found


def shipped_bytes() -> bytes:
    """The shipped network's file."""
    import distill.teachers

    home = Path(distill.teachers.__file__).with_name("shipped")
    return (home / "wet_bulb.safetensors").read_bytes()


def network() -> Any:
    """A network of two inputs and outputs."""
    return examples.network(1.0)


def network_state() -> dict[str, Any]:
    """Its weights."""
    state: dict[str, Any] = network().state_dict()
    return state


def estimators() -> list[Any]:
    """Fitted estimators of several families, the smallest that there are."""
    from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeClassifier

    x, y, species = examples.data()
    return [
        examples.linear(1.0),
        examples.scaled_logistic(1.0),
        examples.bayes(1.0),
        DecisionTreeClassifier(max_depth=2).fit(x, species),
        GradientBoostingRegressor(n_estimators=2, max_depth=2).fit(x, y[:, 0]),
        HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=3).fit(x, y[:, 0]),
        SVR(C=0.1).fit(x[:20], y[:20, 0]),
        MLPRegressor(hidden_layer_sizes=(2,), max_iter=5).fit(x, y[:, 0]),
    ]


def onnx_models() -> list[bytes]:
    """A network, a linear model, a classifier of scikit-learn and a small forest."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        makers = (
            examples.onnx_network,
            examples.onnx_numbers,
            examples.onnx_two_classes,
            examples.onnx_three_classes,
        )
        made = [make(folder, 1.0).source for make in makers]
        return [Path(str(path)).read_bytes() for path in made]


def recorded_study(folder: Path) -> Path:
    """The record of a study of two candidates, written into the folder."""
    from dataclasses import replace

    from distill.tracking.record_folder import save_record

    study = make_study(terms=(1, 2))
    save_record(replace(study, points=study.points[:32], truth=study.truth[:32]), folder)
    return folder


def job_record() -> bytes:
    """What a job of a sweep leaves."""
    from distill.sweeping.jobs import Job
    from distill.sweeping.record import JobRecord

    job = Job(3, ("engine=structure", "tolerance=0.05"))
    return (
        JobRecord(job, "done", seconds=3.5, result={"chosen": {"max_error": 0.1}})
        .to_json()
        .encode()
    )


def compact(data: dict[str, Any]) -> bytes:
    """JSON without spaces."""
    buffer = io.StringIO()
    json.dump(data, buffer, separators=(",", ":"))
    return buffer.getvalue().encode()
