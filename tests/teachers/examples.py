"""One example of every kind of teacher, each with what its own model says."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from distill.domain import Domain
from distill.teachers.checked import Checked
from distill.teachers.load import load_teacher

BOX = Domain.box(a=(1, 2, "m"), b=(3, 5))
X = np.vstack([BOX.corners(), BOX.sample(28, seed=1)]).astype(np.float32).astype(np.float64)
"""Points that float32 has, so that every teacher is asked the same."""

Own = Callable[[np.ndarray], np.ndarray]
"""What the model itself says at x (n, d): values (n, k), of a classifier its labels (n,)."""

FUNCTIONS = """
import numpy as np

FACTOR = {factor}

def both(x):
    a, b = x.T
    return np.column_stack([a + b, FACTOR * a * b])

def scalar(a, b):
    return FACTOR * a * b

def cools(t, y, a, b):
    return -FACTOR * a * (y - b)

def network():
    import torch
    return torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
"""


@dataclass(frozen=True)
class Made:
    """What is given to the loader, and what the model itself says."""

    source: object
    own: Own
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A teacher of two inputs.

    Attributes
    ----------
    make : from a folder and a factor in the weights; files that are there are left as they are.
    outputs, classes, slopes : what the teacher must have.
    chain : the arithmetic of its chain; None where it has none.
    off : how far its answers may be off the model's, relative to the largest.
    """

    make: Callable[[Path, float], Made]
    outputs: int = 1
    classes: int = 0
    slopes: bool = False
    chain: Any = None
    off: float = 1e-12

    def load(self, folder: Path, factor: float = 1.0, **options: Any) -> tuple[Checked, Own]:
        """The teacher, and what its own model says."""
        here = folder / str(factor)
        here.mkdir(parents=True, exist_ok=True)
        once(here / "their_code.py", lambda p: p.write_text(FUNCTIONS.format(factor=factor)))
        with contextlib.chdir(here), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = self.make(here, factor)
            teacher = load_teacher(made.source, **{"domain": BOX, **made.options, **options})
        assert isinstance(teacher, Checked)
        return teacher, made.own


def once(path: Path, write: Callable[[Path], object]) -> Path:
    """The file, written where it is not there yet."""
    if not path.exists():
        write(path)
    return path


# torch -------------------------------------------------------------------------------------------


def network(factor: float, outputs: int = 2) -> Any:
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, outputs)
    ).eval()
    with torch.no_grad():
        net[2].weight *= factor
        net[2].bias -= net(torch.from_numpy(X).float()).mean(dim=0)  # so that no class is all
    return net


def asked(net: Any, *, labels: bool = False) -> Own:
    import copy

    import torch

    exact = copy.deepcopy(net).double()

    def own(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            answers = exact(torch.from_numpy(x)).numpy()
        return answers.argmax(axis=1) if labels else answers

    return own


def shipped(folder: Path, factor: float) -> Made:
    from safetensors import safe_open

    import distill.teachers

    home = Path(distill.teachers.__file__).with_name("shipped")
    with safe_open(home / "wet_bulb.safetensors", framework="numpy") as file:
        card = json.loads(file.metadata()["distill"])
        layers = [
            [file.get_tensor(f"layers.{i}.{part}") for part in ("weight", "bias")] for i in range(3)
        ]

    def own(x: np.ndarray) -> np.ndarray:
        h = (x - card["input_mean"]) / card["input_scale"]
        for i, (weight, bias) in enumerate(layers):
            h = (np.tanh(h) if i else h) @ weight.T + bias
        return h * card["output_scale"] + card["output_mean"]

    return Made("wet_bulb", own)


def safetensors(folder: Path, factor: float) -> Made:
    from safetensors.torch import save_file

    net = network(factor)
    path = once(folder / "net.safetensors", lambda p: save_file(net.state_dict(), p))
    return Made(path, asked(net), {"layers": [2, 4, 2], "activation": "tanh"})


def weights_of_a_module(folder: Path, factor: float) -> Made:
    import torch

    net = network(factor)
    path = once(folder / "net.pt", lambda p: torch.save(net.state_dict(), p))
    return Made(path, asked(net), {"module": "their_code:network", "outputs": ["y_1", "y_2"]})


def module(folder: Path, factor: float) -> Made:
    net = network(factor)
    return Made(net, asked(net), {"outputs": ["y_1", "y_2"]})


def module_of_two_classes(folder: Path, factor: float) -> Made:
    net = network(factor, 2)
    return Made(net, asked(net, labels=True), {"classes": ["no", "yes"]})


def module_of_three_classes(folder: Path, factor: float) -> Made:
    net = network(factor, 3)
    return Made(net, asked(net, labels=True), {"classes": ["low", "middle", "high"]})


def strange_module(folder: Path, factor: float) -> Made:
    import torch

    class Sorted(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a, b = x.unbind(1)
            return factor * torch.sort(torch.stack([a, b], dim=1)).values[:, :1] ** 2

    return Made(Sorted(), lambda x: factor * x.min(axis=1, keepdims=True) ** 2)


def block(folder: Path, factor: float) -> Made:
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 2), torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Sigmoid())
    )
    with torch.no_grad():
        net[1][0].weight *= factor
    data = np.random.default_rng(0).standard_normal((40, 3))
    return Made(net, asked(net[1]), {"block": "1", "block_data": data})


def exported(folder: Path, factor: float) -> Made:
    import torch

    net = network(factor)

    def write(path: Path) -> None:
        program = torch.export.export(
            net, (torch.zeros(3, 2),), dynamic_shapes=({0: torch.export.Dim("n")},)
        )
        torch.export.save(program, path)

    return Made(once(folder / "net.pt2", write), asked(net))


def script(folder: Path, factor: float) -> Made:
    import torch

    net = network(factor)
    path = once(folder / "script.pt", lambda p: torch.jit.save(torch.jit.script(net), p))
    names = {"trust_torchscript": True, "outputs": ["y_1", "y_2"]}
    return Made(path, asked(net), names)


# ONNX and scikit-learn ---------------------------------------------------------------------------


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 2), numbers (n, 2) and three classes (n,) to learn."""
    x = BOX.sample(120, seed=3)
    return x, np.column_stack([x[:, 0] * x[:, 1], x[:, 1]]), np.digitize(x.prod(axis=1), [4.5, 7])


def onnx_of(model: Any, folder: Path, name: str) -> Path:
    from skl2onnx import to_onnx

    text = to_onnx(model, X[:1].astype(np.float32)).SerializeToString()
    return once(folder / f"{name}.onnx", lambda p: p.write_bytes(text))


def numbers(model: Any) -> Own:
    return lambda x: np.asarray(model.predict(x), dtype=float).reshape(len(x), -1)


def labels(model: Any) -> Own:
    return lambda x: np.searchsorted(model.classes_, model.predict(x))


def linear(factor: float) -> Any:
    from sklearn.linear_model import LinearRegression

    x, y, _ = data()
    return LinearRegression().fit(x, factor * y)


def scaled_logistic(factor: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, _, species = data()
    return make_pipeline(StandardScaler(), LogisticRegression(C=factor)).fit(x, species > 1)


def forest(factor: float) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    x, _, species = data()
    seed = int(10 * factor)
    model = RandomForestClassifier(n_estimators=6, max_depth=4, random_state=seed)
    return model.fit(x, np.array(["low", "middle", "high"])[species])


def bayes(factor: float) -> Any:
    from sklearn.naive_bayes import GaussianNB

    x, _, species = data()
    return GaussianNB().fit(factor * x, species)


def wrinkled(factor: float) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    x, y, _ = data()
    # A function of numpy's, which no reader knows and whose name a pickle could keep.
    return make_pipeline(FunctionTransformer(np.rint), Ridge(factor)).fit(x, y[:, 0])


def onnx_numbers(folder: Path, factor: float) -> Made:
    return Made(onnx_of(linear(factor), folder, "linear"), numbers(linear(factor)))


def onnx_network(folder: Path, factor: float) -> Made:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    net = network(factor)
    stored = [numpy_helper.from_array(p.detach().numpy(), n) for n, p in net.named_parameters()]
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "0.weight", "0.bias"], ["h"], transB=1),
            helper.make_node("Tanh", ["h"], ["t"]),
            helper.make_node("Gemm", ["t", "2.weight", "2.bias"], ["y"], transB=1),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Made(once(folder / "net.onnx", lambda p: onnx.save(model, p)), asked(net))


def onnx_two_classes(folder: Path, factor: float) -> Made:
    model = scaled_logistic(factor)
    return Made(onnx_of(model, folder, "logistic"), labels(model))


def onnx_three_classes(folder: Path, factor: float) -> Made:
    model = forest(factor)
    return Made(onnx_of(model, folder, "forest"), labels(model))


def estimator(build: Callable[[float], Any], read: Callable[[Any], Own]) -> Any:
    def make(folder: Path, factor: float) -> Made:
        model = build(factor)
        return Made(model, read(model))

    return make


def skops(folder: Path, factor: float) -> Made:
    import skops.io

    model = bayes(factor)
    path = once(folder / "bayes.skops", lambda p: skops.io.dump(model, p))
    return Made(path, labels(model))


def pickled(folder: Path, factor: float) -> Made:
    import joblib

    model = linear(factor)
    path = once(folder / "linear.joblib", lambda p: joblib.dump(model, p))
    return Made(path, numbers(model), {"trust_pickle": True})


# functions, simulators, tables, and whatever a user writes ---------------------------------------


def function(folder: Path, factor: float) -> Made:
    def product(x: np.ndarray) -> np.ndarray:
        a, b = x.T
        return factor * a * b

    return Made(product, lambda x: factor * x.prod(axis=1)[:, None])


def scalar_function(folder: Path, factor: float) -> Made:
    return Made(
        lambda a, b: factor * (a - b),
        lambda x: factor * (x[:, :1] - x[:, 1:]),
        {"vectorized": False, "name": "difference"},
    )


def _both(factor: float) -> Own:
    return lambda x: np.column_stack([x.sum(axis=1), factor * x.prod(axis=1)])


def imported(folder: Path, factor: float) -> Made:
    names = {"outputs": ["total", {"name": "power", "unit": "W"}]}
    return Made("their_code:both", _both(factor), {**names, "batch": 5})


def kept(folder: Path, factor: float) -> Made:
    options = {"cache": str(folder / "kept"), "processes": 2, "batch": 9}
    return Made("their_code:both", _both(factor), {**options, "outputs": ["total", "power"]})


def imported_scalar(folder: Path, factor: float) -> Made:
    return Made(
        "their_code:scalar", lambda x: factor * x.prod(axis=1)[:, None], {"vectorized": False}
    )


def slow(folder: Path, factor: float) -> Made:
    own = lambda x: factor * x.prod(axis=1)[:, None]  # noqa: E731
    return Made("their_code:scalar", own, {"kind": "simulator", "cache": False})


def equations(folder: Path, factor: float) -> Made:
    def own(x: np.ndarray) -> np.ndarray:
        a, b = x.T
        return (b + (20 - b) * np.exp(-factor * a))[:, None]

    accuracy = {"rtol": 1e-9, "atol": 1e-11, "cache": False}
    return Made(
        "their_code:cools", own, {"kind": "simulator", "t_end": 1.0, "initial": 20.0, **accuracy}
    )


def _frame(factor: float) -> Any:
    import pandas as pd

    both = _both(factor)(X)
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "total": both[:, 0], "power": both[:, 1]})


TWO = {"outputs": ["total", "power"]}


def frame(folder: Path, factor: float) -> Made:
    return Made(_frame(factor), _both(factor), TWO)


def csv(folder: Path, factor: float) -> Made:
    path = once(folder / "rows.csv", lambda p: _frame(factor).to_csv(p, index=False))
    return Made(path, _both(factor), TWO)


def parquet(folder: Path, factor: float) -> Made:
    path = once(folder / "rows.parquet", lambda p: _frame(factor).to_parquet(p))
    return Made(path, _both(factor), TWO)


def written_by_the_user(folder: Path, factor: float) -> Made:
    import distill.teachers.base as contract
    from distill.chain.chain import Chain
    from distill.chain.steps.affine import Affine

    weights = factor * np.array([[1.0, -0.5], [0.25, 0.0], [-1.0, 0.75]])

    class Ranking:
        name = "ranking"
        outputs = tuple(contract.Output(f"score_{i}") for i in range(3))
        classes = ("first", "second", "third")
        domain = None
        fingerprint = hashlib.sha256(weights.tobytes()).hexdigest()
        can_be_asked = True
        validation_error = None
        chain = Chain(2, (Affine(weights, np.zeros(3)),))

        def predict(self, x: np.ndarray) -> np.ndarray:
            return x @ weights.T

        def gradient(self, x: np.ndarray) -> np.ndarray:
            return np.broadcast_to(weights, (len(x), 3, 2))

    return Made(Ranking(), lambda x: (x @ weights.T).argmax(axis=1))


EXAMPLES: dict[str, Example] = {
    "shipped": Example(shipped, slopes=True, chain="double"),
    "safetensors": Example(safetensors, 2, slopes=True, chain="double"),
    "weights of a module": Example(weights_of_a_module, 2, slopes=True, chain="double"),
    "module": Example(module, 2, slopes=True, chain="double"),
    "module of two classes": Example(module_of_two_classes, 1, 2, True, "double"),
    "module of three classes": Example(module_of_three_classes, 3, 3, True, "double"),
    "strange module": Example(strange_module, slopes=True),
    "block": Example(block, 2, slopes=True, chain="double"),
    "exported": Example(exported, 2, slopes=True, chain="float32", off=2e-6),
    "script": Example(script, 2, slopes=True, off=2e-6),
    "onnx numbers": Example(onnx_numbers, 2, slopes=True, chain="float32", off=2e-6),
    "onnx network": Example(onnx_network, 2, slopes=True, chain="float32", off=2e-6),
    "onnx two classes": Example(onnx_two_classes, 1, 2, True, "float32", 2e-6),
    "onnx three classes": Example(onnx_three_classes, 3, 3, False, "float32", 2e-6),
    "estimator": Example(estimator(linear, numbers), 2, slopes=True, chain="double"),
    "pipeline": Example(estimator(scaled_logistic, labels), 1, 2, True, "double"),
    "forest": Example(estimator(forest, labels), 3, 3, False, "double"),
    "unknown pipeline": Example(estimator(wrinkled, numbers)),
    "skops": Example(skops, 3, 3, True, "double"),
    "trusted pickle": Example(pickled, 2, slopes=True, chain="double"),
    "function": Example(function),
    "function of numbers": Example(scalar_function),
    "import path": Example(imported, 2),
    "import path, kept": Example(kept, 2),
    "import path of numbers": Example(imported_scalar),
    "slow function": Example(slow),
    "equations": Example(equations, off=1e-7),
    "frame": Example(frame, 2),
    "csv": Example(csv, 2),
    "parquet": Example(parquet, 2),
    "written by the user": Example(written_by_the_user, 3, 3, True, "double"),
}


def report(folder: Path) -> dict[str, dict[str, Any]]:
    """Fingerprints and answers of all examples, and which of them unpickled anything."""
    unpickled: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "pickle.find_class":
            unpickled.append(f"{arguments[0]}.{arguments[1]}")

    sys.addaudithook(watch)
    found = {}
    for name, example in EXAMPLES.items():
        unpickled.clear()
        teacher, _ = example.load(folder)
        answers = teacher.predict(X)
        found[name] = {
            "fingerprint": teacher.fingerprint,
            "answers": answers.tolist(),
            "unpickled": list(unpickled),
        }
    return found
