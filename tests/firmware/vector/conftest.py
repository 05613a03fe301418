"""Functions of arrays of every kind, and their C on this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.chain.steps.trees import Trees
from distill.config.folder import read_option
from distill.domain import Domain, Variable
from distill.firmware.harness import host_loop
from distill.firmware.passes.functions import machine_costs
from distill.firmware.policy import Policy
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import host_compilers, run_tool
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.teachers.base import Output

AIR = Domain.box(temperature=(0, 50, "°C"), x=(5, 100, "percent"))
MIXED = Domain(
    (
        Variable("a", -5, 5, "V"),
        Variable("n", -3, 7, kind="integer"),
        Variable("b", 0, 1, kind="boolean"),
    )
)
FLOWER = Domain.box(sepal=(4, 8, "cm"), petal=(1, 7, "cm"))
PIXELS = Domain(tuple(Variable(f"p{i}", 0, 16, kind="integer") for i in range(64)))
KINDS = tuple(Output(name) for name in ("setosa", "versicolor", "virginica"))


@cache
def target_of(name: str) -> Target:
    return load_target(read_option("target", name))


def _network() -> Chain:
    first = np.array([[0.5, -1.0], [-0.25, 1.5], [1.0, 1.0], [0.0, -0.75]])
    second = np.array([[1.0, -1.0, 0.125, 0.5], [0.5, 0.25, -0.5, 0.0], [-1.0, 0.75, 0.25, 1.0]])
    return Chain(
        2,
        (
            Affine(first, np.array([0.5, -1.0, -6.0, 3.0])),
            Apply("relu", 4),
            Affine(second, np.array([0.0, 1.0, -0.5])),
        ),
    )


def _trees() -> Chain:
    # Two trees over two inputs, three numbers in every leaf.
    return Chain(
        2,
        (
            Trees(
                inputs=2,
                roots=np.array([0, 3]),
                feature=np.array([0, 0, 0, 1, 0, 0]),
                threshold=np.array([5.5, 0, 0, 2.25, 0, 0]),
                left=np.array([1, -1, -1, 4, -1, -1]),
                right=np.array([2, 0, 1, 5, 2, 1]),
                leaves=np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [0.75, 0.125, 0.125]]),
                scale=np.array([0.5, 0.5, 0.5]),
                bias=np.zeros(3),
            ),
        ),
    )


def _pixels() -> Chain:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(8, 64)) / 8, rng.normal(size=(10, 8))
    return Chain(
        64,
        (
            Affine(first, rng.normal(size=8)),
            Apply("relu", 8),
            Affine(second, rng.normal(size=10)),
        ),
    )


@cache
def make_specs() -> dict[str, VectorSpec]:
    """One of every kind: formulas and chains, in every arithmetic, policy and kind of label."""
    shared = (
        Formula.parse("exp(temperature/10)*log(x) + sqrt(x)", AIR),
        Formula.parse("2*(exp(temperature/10)*log(x))", AIR),
    )
    simple = (
        Formula.parse("temperature*x/100 + 1", AIR),
        Formula.parse("temperature - x/2", AIR),
        Formula.parse("25 + 0*x", AIR),
    )
    names = tuple(Output(name) for name in "abc")
    specs = [
        VectorSpec(
            "air", AIR, (Output("enthalpy", "J"), Output("heat", "W")), (0.1, 0.2), (0.05, 0.3),
            formulas=shared, target="pic32", provenance={"run": "8f3a"},
            figures=("pic32: 3,394 instructions a call",),
        ),
        VectorSpec(
            "iris", FLOWER, KINDS, (0.1,) * 3, (1e-6,) * 3, chain=_network(),
            classes=("setosa", "versi */ color", "virginica"),
        ),
        VectorSpec(
            "whole", AIR, names, (0.1,) * 3, (0.01,) * 3, formulas=simple, classes=("A", "B", "C"),
            arithmetic="fixed", accuracy=(0.01,) * 3, interface="integer",
        ),
        VectorSpec(
            "door", AIR, names, (0.1,) * 3, (0.01,) * 3, formulas=simple, classes=("A", "B", "C"),
            arithmetic="fixed", accuracy=(0.01,) * 3, policy=Policy("nan", "low"),
        ),
        VectorSpec(
            "mixed", MIXED, (Output("margin"),), (0.1,), (0.0,),
            chain=Chain(3, (Affine(np.array([[1.0, 2.0, -1.0]]), np.array([-0.5])),)),
            classes=("no", "yes"), policy=Policy("nan", "low"), arithmetic="double",
        ),
        VectorSpec(
            "loose", FLOWER, KINDS, (0.1,) * 3, (1e-6,) * 3, chain=_network(),
            policy=Policy("unchecked"), verified=False,
        ),
        VectorSpec(
            "trees", FLOWER, KINDS, (0.1,) * 3, (0.0,) * 3, chain=_trees(),
            classes=("setosa", "versicolor", "virginica"), arithmetic="fixed", interface="integer",
        ),
        VectorSpec(
            "digits", PIXELS, tuple(Output(f"s{i}") for i in range(10)), (0.1,) * 10, (1e-4,) * 10,
            chain=_pixels(), classes=tuple("0123456789"), costs=machine_costs(target_of("pic32")),
        ),
    ]  # fmt: skip
    return {spec.name: spec for spec in specs}


NAMES = ["air", "iris", "whole", "door", "mixed", "loose", "trees", "digits"]


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest) -> VectorSpec:
    """Every kind of function of arrays."""
    return make_specs()[request.param]


@pytest.fixture
def specs() -> dict[str, VectorSpec]:
    """All of them by name."""
    return make_specs()


@pytest.fixture
def target() -> Callable[[str], Target]:
    """A target by its name."""
    return target_of


def any_points(spec: VectorSpec, n: int = 5000) -> np.ndarray:
    """Points inside, outside and not numbers, the C function's own numbers."""
    domain, rng = spec.domain, np.random.default_rng(0)
    inside = spec.numbers.inside(np.vstack([domain.sample(n, seed=3), domain.corners()[:64]]))
    if not spec.policy.checked:
        return inside
    d = len(domain)
    if spec.interface == "integer":
        outside = rng.integers(-(2**31), 2**31, (1000, d))
        return np.vstack([inside, outside]).astype(float)
    size = domain.high - domain.low
    outside = domain.low + size * rng.uniform(-1, 2, (1000, d))
    special = inside[:1000].copy()
    odd = [np.nan, np.inf, -np.inf, -0.0, 1e38, -1e38, 1e-40, 0.5, 0.49999997, -0.5, 2.5]
    at = rng.integers(0, d, len(special))
    special[np.arange(len(special)), at] = rng.choice(odd, len(special))
    return np.vstack([inside, outside, special])


@pytest.fixture
def c_results(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Outputs and label (n, columns) of a bundle's C at points, float64."""

    def answer(spec: VectorSpec, x: np.ndarray, *flags: str) -> np.ndarray:
        bundle = write_vector_bundle(spec, tmp_path / "bundle")
        kind = spec.numbers.signature
        (tmp_path / "loop.c").write_text(host_loop(bundle.header.name, spec.name, kind))
        (tmp_path / "points").write_bytes(kind.pack(x))
        compiler = host_compilers()[0]
        arguments = [
            *("-std=c99", "-O1", "-ffp-contract=off", *flags, f"-I{bundle.directory}"),
            *("loop.c", str(bundle.source), "-lm", "-o", "program"),
        ]
        built = compiler.run(arguments, tmp_path)
        assert built.status == 0, built.complaint
        ended = run_tool(["./program", "points", "results"], seconds=60, folder=tmp_path)
        assert ended.status == 0, ended.complaint
        return kind.shaped(np.fromfile(tmp_path / "results", kind.dtype)).astype(float)

    return answer
