"""The files of functions of arrays: golden ones, equal bytes, what a reader is told, sharing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.bundle import write_bundle
from distill.firmware.graph import build_graph, join
from distill.firmware.passes import lower
from distill.firmware.spec import BundleSpec
from distill.firmware.vector.bundle import render_vector, write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.spec_file import load_vector_spec, save_vector_spec
from distill.formula import Formula
from distill.teachers.base import Output
from tests.firmware.vector.conftest import AIR

GOLDEN = Path(__file__).parent.parent / "golden" / "vector"


@pytest.mark.parametrize("name", ["air", "iris"])
def test_every_file_is_the_golden_one(specs, golden, name: str) -> None:
    for path, text in render_vector(specs[name]).items():
        golden(GOLDEN / name / path, text)


def test_equal_specs_give_equal_bytes_also_after_a_file(spec: VectorSpec, tmp_path: Path) -> None:
    given = replace(spec, vectors=spec.domain.sample(5, seed=5))
    first = render_vector(given)
    save_vector_spec(given, tmp_path)
    assert render_vector(load_vector_spec(tmp_path)) == first
    assert render_vector(spec) != first


def test_a_bundle_of_arrays_and_one_of_a_number_replace_each_other(specs, tmp_path: Path) -> None:
    scalar = BundleSpec("line", AIR, Formula.parse("x", AIR), None, None, "y", 1.0, 0.0)
    bundle = write_vector_bundle(specs["air"], tmp_path / "b")
    record = json.loads((bundle.directory / "bundle.json").read_text())
    assert record["kind"] == "vector"
    assert set(record["files"]) | {"bundle.json"} == set(bundle.files)
    write_bundle(scalar, tmp_path / "b")
    assert not bundle.source.exists()
    assert write_vector_bundle(specs["air"], tmp_path / "b").source.is_file()


def test_what_formulas_have_in_common_is_computed_once(specs) -> None:
    source = render_vector(specs["air"])["air.c"]
    assert source.count("expf(") == source.count("logf(") == source.count("sqrtf(") == 1
    alone = [lower(formula) for formula in specs["air"].formulas]
    both = join(alone)
    counts = [len(graph.operations) for graph in (*alone, both)]
    # The two share temperature, x, 0.1, a product, exp, log and the product of these.
    assert counts == [9, 9, 11]
    x = AIR.sample(100)
    values = both.evaluate_all(x, "float32")
    for graph, end in zip(alone, both.ends, strict=True):
        np.testing.assert_array_equal(values[end], graph.evaluate(x, "float32"))


def test_a_branch_that_two_results_need_is_computed_before_both() -> None:
    texts = ("ifless(x, 50, exp(x), 1)", "ifless(x, 20, 2, exp(x))", "exp(x)")
    graphs = [build_graph(Formula.parse(text, AIR)) for text in texts]
    both = join(graphs)
    assert sum(operation.name == "exp" for operation in both.operations) == 1
    assert both.uses[both.ends[2]] == 3


def test_results_that_are_inputs_constants_or_alike_are_written(c_results, specs) -> None:
    formulas = tuple(Formula.parse(t, AIR) for t in ("x", "3", "temperature*x", "temperature*x"))
    outputs = tuple(Output(name) for name in "abcd")
    spec = VectorSpec("odd", AIR, outputs, (1.0,) * 4, (0.0,) * 4, formulas=formulas)
    assert c_results(spec, np.array([[2.0, 10.0]])).tolist() == [[10.0, 3.0, 20.0, 20.0]]


def test_sixty_four_alike_inputs_are_one_line(specs) -> None:
    files = render_vector(specs["digits"])
    header = files["digits.h"]
    assert "x[0] to x[63]: 0 to 16 (integer: rounded to the nearest whole number)" in header
    assert max(len(line) for line in header.splitlines()) <= 100
    assert "Classes: 0 0, 1 1, 2 2" in header
    assert "digits_in_low[" not in files["digits.c"]
    assert len(header.splitlines()) < 80


def test_many_different_inputs_are_listed_in_the_readme_and_cut_in_the_header() -> None:
    domain = Domain(tuple(Variable(f"v{i}", 0, i + 1) for i in range(40)))
    formula = Formula.parse("+".join(domain.names), domain)
    spec = VectorSpec("wide", domain, (Output("sum"),), (1.0,), (0.0,), formulas=(formula,))
    files = render_vector(spec)
    assert "and 24 more ranges of inputs; README.md lists all." in files["wide.h"]
    assert "x\\[39\\]: 0 to 40 = v39" in files["README.md"]


def test_an_output_that_misses_its_tolerance_is_told_everywhere(specs) -> None:
    files = render_vector(specs["air"])
    assert "WARNING: y[1] MISSES THE TOLERANCE." in files["air.h"]
    assert "y[0] MISSES" not in files["air.h"]
    assert "**This misses the tolerance.**" in files["README.md"]
    assert json.loads(files["bundle.json"])["within_tolerance"] is False
    # Also where there are more outputs than the header lists.
    outputs = tuple(Output(f"o{i}") for i in range(30))
    formulas = (Formula.parse("x", AIR),) * 30
    errors = (*(0.0,) * 29, 2.0)
    many = VectorSpec("many", AIR, outputs, (1.0,) * 30, errors, formulas=formulas)
    assert "WARNING: y[29] MISSES THE TOLERANCE." in render_vector(many)["many.h"]


def test_self_tests_stay_small_and_hold_every_class(specs) -> None:
    files = render_vector(specs["digits"])
    (count,) = re.findall(r"SELFTEST_VECTORS (\d+)", files["digits_selftest.h"])
    assert 24 <= int(count) <= 64  # of 64 inputs each
    labels = set(re.findall(r"(\d+)u,", files["digits_selftest.c"].split("labels_[")[1]))
    assert "1" in labels  # NaN
    assert len(labels) >= 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": (0.1,)}, "`tolerance` needs 3 numbers"),
        ({"max_errors": (0.1, np.nan, 0)}, "no size"),
        ({"outputs": (Output("a"), Output("A"), Output("b"))}, "two outputs are called `A`"),
        ({"outputs": (Output("a b"), Output("A"), Output("b"))}, "cannot name an output"),
        ({"classes": ("a", "b")}, "2 classes do not go with 3 outputs"),
        ({"chain": None}, "nothing to export"),
        ({"domain": AIR, "formulas": (Formula.parse("x", AIR),) * 3}, "too much"),
        ({"name": "held"}, "its C uses that name"),
        ({"name": "exp"}, "C library"),
        ({"interface": "integer"}, "no integers at its door"),
        ({"arithmetic": "half"}, "is no arithmetic"),
        ({"vectors": np.zeros((3, 5))}, r"need shape \(n, 2\)"),
        ({"error_kind": "guessed"}, "sampled or proven"),
    ],
)
def test_parts_that_do_not_fit_are_refused(specs, change: dict[str, object], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        replace(specs["iris"], **change)


def test_a_chain_that_fixed_point_cannot_hold_is_refused_by_name(specs) -> None:
    spec = replace(specs["iris"], arithmetic="fixed")
    with pytest.raises(ExportError, match="Affine"):
        render_vector(spec)


def test_costs_of_integers_say_nothing_about_floats(specs) -> None:
    known = replace(specs["trees"], costs={"multiply": 2.0})
    assert render_vector(known)["trees.c"] == render_vector(specs["trees"])["trees.c"]


def test_names_of_variables_outputs_and_functions_do_not_collide(c_results) -> None:
    """Variables called like the C's own arguments, locals and functions."""
    names = ("x", "y", "t0", "held", "in_x", "f_formulas", "expf", "value")
    domain = Domain(tuple(Variable(name, 0, 2) for name in names))
    text = " + ".join(f"exp({name})*{i + 1}" for i, name in enumerate(names))
    formulas = (Formula.parse(text, domain), Formula.parse(f"({text})^2 + y", domain))
    outputs = (Output("label"), Output("selftest"))
    spec = VectorSpec("f", domain, outputs, (1.0,) * 2, (0.0,) * 2, formulas=formulas)
    x = np.linspace(0, 1, 8)[None, :].astype(np.float32)
    found = c_results(spec, x, "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
    wanted = [formula(x.astype(float))[0] for formula in formulas]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-6)
