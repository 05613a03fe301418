"""Functions of arrays: a bound for every output, which holds, and its certificate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from distill.building.vector import (
    Content,
    VectorOrder,
    alone,
    build_vector,
    real_answers,
    with_vector_proofs,
)
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.chain.fold import merged
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise
from distill.chain.steps.elementwise import Apply, Scale
from distill.checking.check import check
from distill.config.schema import ExportConfig
from distill.domain import Domain, Variable
from distill.errors import DistillError
from distill.firmware.graph import Builder, Graph
from distill.firmware.vector.bundle import render_vector
from distill.firmware.vector.content import FloatFormulas
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.spec_file import load_vector_spec, save_vector_spec
from distill.formula import Formula
from distill.progress import Silent
from distill.teachers.base import Output

BOX = Domain.box(u=(-1, 1, "m"), v=(0.1, 2, "s"))
UNKNOWN = "the arithmetic of the teacher is not known"


def network(sizes: tuple[int, ...], function: str = "tanh") -> Chain:
    rng = np.random.default_rng(2)
    steps: list[Affine | Apply] = []
    for d, k in pairwise(sizes):
        steps.append(Affine(rng.normal(size=(k, d)) / np.sqrt(d), rng.normal(size=k) / 3))
        steps.append(Apply(function, k))
    return Chain(sizes[0], tuple(steps[:-1]))


CHAIN = network((2, 6, 3))


def fitted(chain: Chain) -> tuple[Formula, ...]:
    """A quadratic of each output."""
    x = BOX.sample(2000, seed=1)
    powers = [(i, j) for i in range(3) for j in range(3 - i)]
    rows = np.stack([x[:, 0] ** i * x[:, 1] ** j for i, j in powers], axis=1)
    found = np.linalg.lstsq(rows, chain.evaluate(x), rcond=None)[0]
    return tuple(
        Formula.parse(
            " + ".join(
                f"({c!r})*u^{i}*v^{j}" for (i, j), c in zip(powers, column.tolist(), strict=True)
            ),
            BOX,
        )
        for column in found.T
    )


FORMULAS = fitted(CHAIN)


def order(content: Content, shipped, errors: Sequence[float], **options) -> VectorOrder:
    domain = options.pop("domain", BOX)
    tolerance = options.pop("tolerance", 0.5)
    return VectorOrder(
        name="net", domain=domain, content=content,
        outputs=tuple(Output(f"s{i}", "kg") for i in range(len(errors))), classes=(),
        max_errors=tuple(errors), tolerance=tolerance, options=ExportConfig(**options),
        target=shipped("cortex_m0plus"),
        provenance={"teacher": "scale", "teacher fingerprint": "c0ffee"},
    )  # fmt: skip


def own(chain: Chain, domain: Domain = BOX) -> list[Expression | str]:
    return [ClosedForm(chain, domain, i) for i in range(chain.outputs)]


def proven(mine: VectorOrder, arithmetic: str, teacher: Sequence[Expression | str]) -> VectorSpec:
    return with_vector_proofs(mine, build_vector(mine, arithmetic), teacher, Silent())


def worst_found(spec: VectorSpec, chain: Chain) -> np.ndarray:
    """The largest errors (k,) at inputs that the C can be given."""
    x = np.vstack([spec.domain.sample(20_000, seed=3), spec.domain.corners()])
    x = spec.numbers.reals(spec.numbers.inside(x))
    return np.abs(real_answers(spec, x) - chain.evaluate(x)).max(axis=0)


def certificates(spec: VectorSpec) -> dict[str, str]:
    files = render_vector(spec)
    return {name: text for name, text in files.items() if name.startswith("certificate_")}


@pytest.mark.parametrize(
    ("arithmetic", "interface"),
    [("float32", "float"), ("double", "float"), ("fixed", "float"), ("fixed", "integer")],
)
def test_every_formula_has_a_bound_and_a_certificate(
    shipped, arithmetic: str, interface: str
) -> None:
    known = [np.abs(f(x := BOX.sample(5000)) - CHAIN.evaluate(x)[:, i]).max()
             for i, f in enumerate(FORMULAS)]  # fmt: skip
    mine = order(FORMULAS, shipped, known, interface=interface, tolerance=1.5 * max(known))
    spec = proven(mine, arithmetic, own(CHAIN))
    assert spec.error_kind == "proven"
    assert spec.remarks == ()
    found = worst_found(spec, CHAIN)
    assert (found <= spec.max_errors).all()
    assert (np.array(spec.max_errors) <= spec.tolerance).all()
    files = certificates(spec)
    assert sorted(files) == [f"certificate_s{i}.json" for i in range(3)]
    for i, text in enumerate(files.values()):
        certificate, verdict = check(text.encode())
        assert certificate.output == f"s{i}"
        assert certificate.teacher_name == "scale"
        # Own functions of float32 have no enclosure in the checker.
        checked = ["formula"] if arithmetic == "float32" else ["formula", "rounding"]
        assert [name for name, _ in verdict.checked] == checked
        assert {*checked, *(name for name, _ in verdict.believed)} == {"formula", "rounding"}
        assert verdict.bound == spec.max_errors[i]


def _lone(graph: Graph, end: int) -> Graph:
    """One result of a graph of several."""
    builder = Builder(graph.inputs)
    places: list[int] = []
    for operation in graph.operations:
        args = tuple(places[a] for a in operation.args)
        places.append(builder.add(replace(operation, args=args)))
    return builder.finish(places[end])


def test_the_joint_graph_computes_each_formula_by_its_own_operations(shipped) -> None:
    # So that what is proven of each formula alone holds of the joint C.
    shared = tuple(
        Formula.parse(text, BOX) for text in ("exp(u*v) + sin(v)/3", "2*exp(u*v)", "exp(u*v)/v")
    )
    spec = build_vector(order(shared, shipped, (0.0,) * 3), "float32")
    content = spec.content
    assert isinstance(content, FloatFormulas)
    assert len(content.graph.operations) < sum(len(p.graph.operations) for p in content.parts)
    for end, part in zip(content.graph.ends, content.parts, strict=True):
        assert _lone(content.graph, end) == _lone(part.graph, len(part.graph.operations) - 1)


@pytest.mark.parametrize("arithmetic", ["float32", "double"])
def test_the_teachers_own_arithmetic_is_off_by_rounding_alone(shipped, arithmetic: str) -> None:
    spec = proven(order(CHAIN, shipped, (0.0,) * 3), arithmetic, own(CHAIN))
    assert spec.error_kind == "proven"
    assert (worst_found(spec, CHAIN) <= spec.max_errors).all()
    assert max(spec.max_errors) < (1e-4 if arithmetic == "float32" else 1e-13)
    for proof, text in zip(spec.proofs, certificates(spec).values(), strict=True):
        assert proof is not None
        assert [(part.name, part.bound) for part in proof.parts] == [
            ("formula", 0.0), ("rounding", proof.bound),
        ]  # fmt: skip
        _, verdict = check(text.encode())
        assert verdict.bound == proof.bound


def test_one_output_of_several_is_recognised(shipped) -> None:
    picked = alone(ClosedForm(CHAIN, BOX, 2))
    spec = proven(order(picked, shipped, (0.0,)), "float32", [ClosedForm(CHAIN, BOX, 2)])
    (proof,) = spec.proofs
    assert proof is not None
    assert proof.parts[0].bound == 0
    both = Chain(2, (Branches((picked, alone(ClosedForm(CHAIN, BOX, 0)))),))
    teacher = [ClosedForm(CHAIN, BOX, i) for i in (2, 0)]
    for found in proven(order(both, shipped, (0.0,) * 2), "float32", teacher).proofs:
        assert found is not None
        assert found.parts[0].bound == 0
    # Outputs taken for each other are no small matter.
    for wrong in proven(order(both, shipped, (0.0,) * 2), "float32", teacher[::-1]).proofs:
        assert wrong is not None
        assert wrong.bound > 0.1


def test_a_closed_form_beside_the_teacher_is_compared_with_it(shipped) -> None:
    scaled = Chain(2, (Scale(np.array([0.1, 0.2]), np.array([1.5, 0.7])), *CHAIN.steps))
    joined = merged(scaled)
    assert len(joined.steps) < len(scaled.steps)
    spec = proven(order(joined, shipped, (0.0,) * 3), "float32", own(scaled))
    assert spec.error_kind == "proven"
    assert (worst_found(spec, scaled) <= spec.max_errors).all()
    for proof, text in zip(spec.proofs, certificates(spec).values(), strict=True):
        assert proof is not None
        assert 0 < proof.parts[0].bound < 1e-3
        assert check(text.encode())[1].leaves > 0


def test_a_certificate_that_claims_less_is_rejected(shipped) -> None:
    spec = proven(order(FORMULAS, shipped, (0.0,) * 3), "float32", own(CHAIN))
    data = json.loads(certificates(spec)["certificate_s1.json"])
    data["claims"][0]["bound"] *= 0.9
    with pytest.raises(DistillError):
        check(json.dumps(data).encode())


def test_header_readme_and_record_say_it_of_each_output(shipped) -> None:
    teacher = own(CHAIN)
    teacher[1] = UNKNOWN
    spec = proven(order(FORMULAS, shipped, (0.0, 0.01, 0.0)), "float32", teacher)
    assert spec.error_kind == "sampled"
    assert spec.error_kinds == ("proven", "sampled", "proven")
    assert spec.max_errors[1] == 0.01
    files = render_vector(spec)
    assert "certificate_s1.json" not in files
    for name in ("net.h", "README.md"):
        text = " ".join(files[name].replace("\\", "").replace(" * ", " ").split())
        assert f"y[0]: s0 in kg, largest error {spec.max_errors[0]:.4g} kg, proven" in text
        assert "y[1]: s1 in kg, largest error 0.01 kg, sampled" in text
        assert f"y[2]: at most {spec.max_errors[2]:.4g} kg off the teacher (formula" in text
        assert "y[1]: at most" not in text
        assert f"Not proven of `s1`: {UNKNOWN}." in text
        assert "distill check certificate_s0.json" in text
        assert "as IEEE 754 says" in text
    record = json.loads(files["bundle.json"])
    assert [row["error_kind"] for row in record["outputs"]] == ["proven", "sampled", "proven"]
    assert record["outputs"][0]["proof"]["bound"] == spec.max_errors[0]
    assert record["outputs"][1]["proof"] is None
    assert set(record["files"]) >= {"certificate_s0.json", "certificate_s2.json"}


def test_what_exceeds_the_tolerance_stays_sampled(shipped) -> None:
    mine = order(FORMULAS, shipped, (1e-9,) * 3, tolerance=1e-3)
    spec = proven(mine, "double", own(CHAIN))
    assert spec.error_kinds == ("sampled",) * 3
    assert spec.max_errors == (1e-9,) * 3
    assert all(proof is not None and proof.bound > 1e-3 for proof in spec.proofs)


def test_proofs_can_be_left_out(shipped) -> None:
    spec = proven(order(FORMULAS, shipped, (0.0,) * 3, prove=False), "float32", own(CHAIN))
    assert (spec.proofs, spec.remarks, certificates(spec)) == ((), (), {})


def test_a_step_without_an_analysis_is_told(shipped) -> None:
    chain = Chain(2, (Normalise(2),))
    spec = proven(order(chain, shipped, (0.0,) * 2), "float32", own(chain))
    assert spec.proofs == (None, None)
    assert spec.remarks == ("Not proven: the rounding of the step `Normalise` is not analysed.",)
    assert "`Normalise`" in render_vector(spec)["net.h"]


def test_many_inputs_are_told_at_once(shipped) -> None:
    wide = Domain(tuple(Variable(f"p{i}", 0, 1) for i in range(400)))
    chain = network((400, 8, 2), "relu")
    formulas = tuple(Formula.parse(f"p{i} + p{i + 1}", wide) for i in range(2))
    spec = proven(order(formulas, shipped, (0.0,) * 2, domain=wide), "double", own(chain, wide))
    assert spec.proofs == (None, None)
    assert "400 inputs" in spec.remarks[0]
    # What the teacher's own arithmetic loses is known all the same, without a certificate.
    spec = proven(order(chain, shipped, (0.0,) * 2, domain=wide), "float32", own(chain, wide))
    assert spec.error_kind == "proven"
    assert (worst_found(replace(spec), chain) <= spec.max_errors).all()
    assert certificates(spec) == {}
    assert "no certificate" in spec.remarks[0]


def test_a_spec_is_stored_with_its_proofs(shipped, tmp_path) -> None:
    teacher = own(CHAIN)
    teacher[0] = UNKNOWN
    spec = proven(order(FORMULAS, shipped, (0.0,) * 3), "float32", teacher)
    with pytest.raises(DistillError, match="2 proofs do not go with 3 outputs"):
        replace(spec, proofs=spec.proofs[:2])
    save_vector_spec(spec, tmp_path)
    again = load_vector_spec(tmp_path)
    assert again.proofs == spec.proofs
    assert render_vector(again) == render_vector(spec)


def test_equal_exports_give_equal_certificates(shipped) -> None:
    one, two = (
        certificates(proven(order(FORMULAS, shipped, (0.0,) * 3), "float32", own(CHAIN)))
        for _ in range(2)
    )
    assert one == two
