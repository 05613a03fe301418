"""The registered model: what it says of itself, what it carries, what it needs."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Candidate
from distill.formula import Formula
from distill.scoring.score import Errors, Score
from distill.tracking import champion
from distill.tracking.champion import champion_of, save_model
from distill.tracking.entries import candidate_tags
from distill.tracking.log import log_study
from distill.tracking.model_page import LONGEST, model_page, version_page
from distill.tracking.record_folder import load_record, save_record

BAD = "<script>alert(1)</script>|*`x"


@pytest.fixture(scope="module")
def bundled(make, tmp_path_factory):
    """A recorded study whose C was exported."""
    folder = tmp_path_factory.mktemp("built") / "wet_bulb"
    (folder / "include").mkdir(parents=True)
    (folder / "wet_bulb.c").write_text("/* the C */\n")
    (folder / "include" / "wet_bulb.h").write_text("/* its header */\n")
    study = replace(make((1, 2), key="c1" * 32), teacher_name="bundled", bundle=folder)
    save_record(study, folder.parent / "record")
    return load_record(folder.parent / "record")


@pytest.fixture(scope="module")
def version(bundled, store):
    logged = log_study(bundled, store)
    return store.client().get_model_version("distill-bundled", logged.model_version)


def test_the_pages_say_what_a_person_asks(bundled, version, store):
    model = store.client().get_registered_model("distill-bundled").description
    assert "models:/distill-bundled@champion" in model
    assert "`bundled`" in model
    c = bundled.chosen
    page = version.description
    for text in (
        "`bundled`", "| `temperature` | 10 | 50 | degC |", "| `humidity` | 5 | 99 | percent |",
        "| tolerance | 0.1 degC |", f"| largest error found | {c.score.max_error:.4g} degC at",
        "| proven | no bound", "| pic32 | ", f"distill export run={version.run_id}",
        "model/artifacts/c", c.formula.readable()[:40],
    ):  # fmt: skip
        assert text in page
    instructions = f"{c.cost['pic32']['instructions']:,.0f} instructions"
    assert instructions in page


def test_the_model_carries_its_c(bundled, version, store, tmp_path):
    got = Path(store.client().download_artifacts(version.run_id, "model/artifacts/c", tmp_path))
    assert (got / "wet_bulb.c").read_text() == "/* the C */\n"
    assert (got / "include" / "wet_bulb.h").exists()


def test_schema_example_and_metadata(bundled, version, store, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_REGISTRY_URI", store.uri)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    before = list(sys.path)
    model = mlflow.pyfunc.load_model(f"models:/distill-bundled/{version.version}")
    # Or what this process starts would find the model's part of the package in place of the whole.
    assert sys.path == before
    assert model.metadata.signature.inputs.input_names() == ["temperature", "humidity"]
    assert model.metadata.signature.outputs.input_names() == ["wet_bulb"]
    said = model.metadata.metadata["distill"]
    assert [(v["name"], v["unit"], v["low"], v["high"]) for v in said["inputs"]] == [
        ("temperature", "degC", 10, 50), ("humidity", "percent", 5, 99)
    ]  # fmt: skip
    assert said["output"] == {"name": "wet_bulb", "unit": "degC"}
    assert (said["tolerance"], said["max_error"]) == (0.1, bundled.chosen.score.max_error)
    assert model.input_example.to_numpy().tolist() == [list(bundled.domain.low)]


ALONE = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "sympy", "scipy", "sklearn", "onnx", "matplotlib"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
sys.path = [p for p in sys.path if p not in ("", sys.argv[2])]
import json, pandas, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
x = pandas.DataFrame([[20.0, 50.0], [45.0, 10.0]], columns=["temperature", "humidity"])
answer = model.predict(x)
import distill
print(json.dumps([distill.__file__, list(answer["wet_bulb"])]))
"""


def test_it_answers_with_numpy_alone(bundled, tmp_path):
    """In a process in which the heavy libraries and this package cannot be imported."""
    champion = champion_of(bundled, bundled.chosen, "0" * 32)
    save_model(champion, tmp_path / "model")
    here = str(Path(__file__).parents[2])
    command = [sys.executable, "-I", "-c", ALONE, str(tmp_path / "model"), here]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file, answer = json.loads(done.stdout.splitlines()[-1])
    assert Path(file).is_relative_to(tmp_path)
    assert answer == list(champion.formula(np.array([[20.0, 50.0], [45.0, 10.0]])))
    needs = (tmp_path / "model" / "requirements.txt").read_text()
    assert re.findall(r"(?m)^(\w+)==", needs) == ["mlflow", "numpy", "pandas"]


def named(study, unit):
    """The study with other units and names, which its users wrote."""
    domain = Domain.box(temperature=(10, 50, unit), humidity=(5, 99, unit))
    c = study.chosen
    formula = Formula.parse("temperature + humidity", domain)
    found = Candidate(formula, unit, unit)
    other = replace(
        c, formula=formula, candidate_data=found.to_data(), engine=unit, kept=(f"unit: {unit}",)
    )
    return replace(
        study, candidates=(other,), domain=domain, output_unit=unit, output_name=unit,
        selection=unit, engine=unit,
    )  # fmt: skip


def test_html_in_names_and_units_stays_text(study):
    bad = named(study, BAD)
    champion = champion_of(bad, bad.chosen, "0" * 32)
    for page in (
        model_page(champion),
        version_page(champion),
        candidate_tags(bad, bad.chosen)["mlflow.note.content"],
    ):
        without_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", page)
        assert "<script" not in without_code
        assert "alert" in page


def summed(term, count):
    """A sum of so many terms, no deeper than it must be."""
    if count == 1:
        return term
    return f"({summed(term, count // 2)}) + ({summed(term, count - count // 2)})"


def test_a_formula_of_ten_thousand_nodes_has_a_page(study, store):
    formula = Formula.parse(summed("temperature*humidity", 2500), study.domain)
    assert formula.complexity == 9_999
    found = Candidate(formula, "operon", "")
    errors = Errors(1, 1, 0, 2.0, (), 0, 10)
    c = replace(
        study.chosen, formula=formula, id=found.id, candidate_data=found.to_data(),
        score=Score(errors, None),
    )  # fmt: skip
    big = replace(study, candidates=(c,), key="b1" * 32, teacher_name="big")
    page = version_page(champion_of(big, c, "0" * 32))
    assert len(page) < LONGEST
    assert "| tolerance | 0.1 degC |" in page
    logged = log_study(big, store)
    assert store.client().get_model_version("distill-big", logged.model_version).run_id


def test_a_page_of_many_inputs_and_targets_is_cut(study):
    domain = Domain.box(**{f"x{i}": (0, 1, "m" * 200) for i in range(500)})
    formula = Formula.parse("x0 + x499", domain)
    cost = {f"target_{i}": {"instructions": 1.0} for i in range(50)}
    c = replace(study.chosen, formula=formula, cost=cost)
    page = version_page(champion_of(replace(study, domain=domain), c, "0" * 32))
    assert len(page) <= LONGEST
    assert "and 488 more" in page


@pytest.mark.parametrize(("code", "calls"), [("BAD_REQUEST", 2), ("INTERNAL_ERROR", 1)])
def test_an_alias_that_two_insert_at_once_is_moved_by_the_second_try(code, calls):
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    asked = []

    class Client:
        def set_registered_model_alias(self, *alias):
            asked.append(alias)
            if len(asked) == 1:
                raise MlflowException("UniqueViolation", ErrorCode.Value(code))

    if calls == 1:
        with pytest.raises(MlflowException, match="UniqueViolation"):
            champion._move_alias(Client(), "m", "2")
    else:
        champion._move_alias(Client(), "m", "2")
    assert asked == [("m", "champion", "2")] * calls
