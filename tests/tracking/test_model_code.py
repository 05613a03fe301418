"""The code that a registered model carries."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.tracking.model_code import ENTRY, model_code, needed

ALONE = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "sympy", "scipy", "sklearn", "mlflow", "pandas"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
sys.path.insert(0, sys.argv[1])
import json, numpy
from distill.chain.expression import read_expression
import distill
assert distill.__file__.startswith(sys.argv[1])
form = read_expression(json.loads(sys.argv[2]))
print(json.dumps(form(numpy.array(json.loads(sys.argv[3]))).tolist()))
"""


def test_it_holds_what_answering_imports_and_no_more():
    modules = needed(ENTRY)
    assert {"distill", "distill.chain", "distill.chain.steps.trees", "distill.formula.parse"} <= (
        modules
    )
    rooms = {module.split(".")[1] for module in modules - {"distill"}}
    assert rooms <= {"arrays", "chain", "domain", "errors", "formula", "identifiers", "reading"}
    with zipfile.ZipFile(io.BytesIO(model_code())) as archive:
        assert len(archive.namelist()) == len(modules)


def test_what_is_imported_for_types_only_is_left_out():
    # `distill/__init__` names its doors for type checkers.
    assert "distill.api" not in needed("distill")


def test_a_closed_form_answers_from_the_zip_with_numpy_alone(study, tmp_path):
    steps = (Affine(np.array([[0.1, -0.2], [0.3, 0.05]]), np.array([1.0, -1.0])), Apply("tanh", 2),
             Affine(np.array([[2.0, -3.0]]), np.array([0.5])))  # fmt: skip
    form = ClosedForm(Chain(2, steps), study.domain)
    x = [[20.0, 50.0], [45.0, 10.0]]
    (tmp_path / "distill.zip").write_bytes(model_code())
    given = [str(tmp_path / "distill.zip"), json.dumps(form.to_data()), json.dumps(x)]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, *given],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == form(np.array(x)).tolist()
