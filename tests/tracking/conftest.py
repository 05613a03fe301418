"""A small study on the wet-bulb domain, and one sqlite store for all tests of this room."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Candidate
from distill.formula import Formula
from distill.scoring.score import Errors, Score
from distill.tracking.record import CandidateRecord, Milestone, StudyRecord
from distill.tracking.store import Store, open_store

DOMAIN = Domain.box(temperature=(10, 50, "degC"), humidity=(5, 99, "percent"))
STULL = (
    "temperature*atan(0.151977*sqrt(humidity + 8.313659)) + atan(temperature + humidity)"
    " - atan(humidity - 1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
)
TOLERANCE = 0.1


def teacher(x: np.ndarray) -> np.ndarray:
    """Stull's formula with a bump that he did not see."""
    t, h = x.T
    return Formula.parse(STULL, DOMAIN)(x) + 0.4 * np.sin(t / 9) * np.cos(h / 30)


def errors_of(formula: Formula, x: np.ndarray, y: np.ndarray) -> Errors:
    residual = formula(x) - y
    worst = int(np.argmax(np.abs(residual)))
    rmse = float(np.sqrt(np.mean(residual**2)))
    return Errors(
        rmse=rmse,
        relative_rmse=rmse / float(y.std()),
        r2=1 - rmse**2 / float(y.var()),
        max_error=float(np.abs(residual[worst])),
        max_error_at=tuple(x[worst].tolist()),
        non_finite=0,
        points=len(x),
    )


def polynomial(terms: int, x: np.ndarray, y: np.ndarray) -> Formula:
    """Least squares on the first so many monomials of temperature and sqrt(humidity)."""
    powers = sorted(((i, j) for i in range(6) for j in range(6)), key=lambda p: (sum(p), p))[:terms]
    basis = np.column_stack([x[:, 0] ** i * np.sqrt(x[:, 1]) ** j for i, j in powers])
    weights = np.linalg.lstsq(basis, y, rcond=None)[0]
    pieces = []
    for weight, (i, j) in zip(weights, powers, strict=True):
        factors = [repr(float(weight))]
        factors += [f"temperature^{i}" if i > 1 else "temperature"] * (i > 0)
        factors += [f"sqrt(humidity)^{j}" if j > 1 else "sqrt(humidity)"] * (j > 0)
        pieces.append("*".join(factors))
    return Formula.parse(" + ".join(pieces), DOMAIN)


def candidate(
    formula: Formula, engine: str, origin: str, x: np.ndarray, y: np.ndarray
) -> CandidateRecord:
    found = Candidate(formula, engine, origin)
    errors = errors_of(formula, x, y)
    nodes = formula.complexity
    return CandidateRecord(
        id=found.id,
        engine=engine,
        origin=origin,
        formula=formula,
        score=Score(errors, replace(errors, max_error=errors.max_error + 0.02)),
        cost={
            "pic32": {
                "instructions": 120.0 + 71 * nodes,
                "flash_bytes": 900.0 + 22 * nodes,
                "compiler": "zig 0.17 -Os",
                "measured": None,
            }
        },
        chosen=False,
        on_front=engine != "published",
        within_tolerance=errors.max_error <= TOLERANCE,
        c_source=f"/* {origin} */\nfloat wet_bulb(float temperature, float humidity);\n",
        candidate_data=found.to_data(),
    )


def make_study(terms: tuple[int, ...] = (1, 2, 4, 7), key: str = "5a" * 32) -> StudyRecord:
    x = np.vstack([DOMAIN.sample(4096, seed=3), DOMAIN.corners()])
    y = teacher(x)
    rows = [candidate(polynomial(n, x, y), "operon", f"{n} terms", x, y) for n in terms]
    good = next((r.id for r in rows if r.within_tolerance), rows[-1].id)
    rows = [replace(r, chosen=r.id == good) for r in rows]
    rows.append(candidate(Formula.parse(STULL, DOMAIN), "published", "Stull 2011", x, y))
    history = [
        Milestone(1000 * k, 0.5 * k, r.formula.complexity, r.score.max_error * (1 + 1 / k))
        for k in range(1, 6)
        for r in rows[:-1]
    ]
    return StudyRecord(
        key=key,
        teacher_name="wet_bulb",
        teacher_fingerprint="f" * 64,
        output_name="wet_bulb",
        output_unit="degC",
        domain=DOMAIN,
        tolerance=TOLERANCE,
        engine="operon",
        target="pic32",
        config={
            "tolerance": TOLERANCE,
            "engine": {"name": "operon", "operators": ["add", "mul"], "seconds": None},
            "teacher": {"published": {"Stull (2011), §2": STULL}},
        },
        candidates=tuple(rows),
        history=tuple(history),
        points=x,
        truth=y,
        selection="the cheapest candidate within the tolerance",
        created=1_700_000_000.0,
        export_directory="build/wet_bulb",
        evidence={
            "checks": [
                {"name": "host", "passed": True, "detail": "1,000,000 points agree"},
                {"name": "Frama-C", "passed": None, "detail": "not installed"},
            ]
        },
        alternatives=(
            {
                "content": "formula",
                "arithmetic": "fixed",
                "max_error": 0.05,
                "why_not": "",
                "cost": {
                    "instructions": 1234.0,
                    "unit": "instructions",
                    "flash_bytes": 660,
                    "measured": True,
                    "compiler": "zig cc",
                },
            },
            {
                "content": "table",
                "arithmetic": "fixed",
                "max_error": None,
                "cost": None,
                "why_not": "takes 900 B of flash, and pic32 gives 100 B",
            },
        ),
    )


@pytest.fixture(scope="session")
def make() -> Callable[..., StudyRecord]:
    """Make a study of some polynomials: ``make(terms=(1, 2, 4, 7), key=...)``."""
    return make_study


@pytest.fixture(scope="session")
def study() -> StudyRecord:
    """Five candidates (one of them published), the fourth chosen, none within the tolerance."""
    return make_study()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh sqlite store, made once because that takes seconds."""
    store = open_store(tmp_path_factory.mktemp("template"))
    return Path(store.uri.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def store(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store for all tests that write different studies."""
    return _copy(template, tmp_path_factory.mktemp("results"))


@pytest.fixture
def own_store(template: Path, tmp_path: Path) -> Store:
    """A store for one test alone."""
    return _copy(template, tmp_path)


def _copy(template: Path, root: Path) -> Store:
    (root / "mlflow").mkdir()
    shutil.copy(template, root / "mlflow" / "mlflow.db")
    return open_store(root)
