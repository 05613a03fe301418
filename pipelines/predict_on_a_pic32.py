"""What a chip computes that read a few numbers: ``python pipelines/predict_on_a_pic32.py``.

Small models of scikit-learn read three measures of a cell and give 1 (benign) or 0, or three of a
patient and give a number; a small convolutional network of torch reads 8x8 digits. Each is written
as C for a PIC32 exactly (its own arithmetic) and approximately (a formula that was searched for),
and that C runs in the emulator on held-out rows and on fresh points of the inputs' box. Writes C, a
table and a figure into build/predict_on_a_pic32/. Takes under three minutes on two cores.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from chip_rows import Row, figure, row, written
from sklearn import datasets, linear_model, naive_bayes, pipeline, preprocessing, tree
from sklearn.ensemble import RandomForestClassifier

import distill
from distill.arrays import Array
from distill.building.vector import Content, alone
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.config.schema import ExportConfig
from distill.formula.to_torch import formulas_to_torch
from distill.teachers.base import chain_of, classes_of
from distill.teachers.checked import Checked
from distill.teachers.labels import labels_of
from distill.teachers.torch.blocks import block_teacher
from distill.teachers.torch.replacing import Loss, loss_of_accuracy, replaced

OUT = Path("build/predict_on_a_pic32").resolve()
CELLS = ("mean radius", "mean texture", "mean concave points")
PATIENTS = ("bmi", "bp", "s5")
# Of polynomials none has a pole where no data lie, so all can be written in fixed point.
POLYNOMIAL: dict[str, Any] = {
    "engine": "polynomial",
    "options": {"max_degree": 3, "max_terms": 8, "functions": False, "ratios": False},
}
STEPS = ("decision_tree", "random_forest")
EXACT = ExportConfig(functions="library")
TOLERANCE = 2.0  # of a formula, in the unit of what the regression predicts


@cache
def small_models() -> dict[str, tuple[Any, distill.Domain, Array, Array]]:
    """By name an estimator, the box of its inputs, the rows it learned, and as many others."""
    cells, patients = datasets.load_breast_cancer(), datasets.load_diabetes(scaled=False)
    scaled = pipeline.make_pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression()
    )
    wanted: dict[str, tuple[Any, Any, Sequence[str]]] = {
        "naive_bayes": (naive_bayes.GaussianNB(), cells, CELLS),
        "decision_tree": (tree.DecisionTreeClassifier(max_depth=4, random_state=0), cells, CELLS),
        "linear_regression": (linear_model.LinearRegression(), patients, PATIENTS),
        "logistic_regression": (scaled, cells, CELLS),
        "random_forest": (
            RandomForestClassifier(20, max_depth=5, random_state=0), cells, CELLS,
        ),
    }  # fmt: skip
    found = {}
    for name, (model, data, columns) in wanted.items():
        x = data.data[:, [list(data.feature_names).index(column) for column in columns]]
        x = x.astype(np.float32).astype(float)  # what the chip reads
        ends = zip(columns, x.min(axis=0), x.max(axis=0), strict=True)
        box = distill.Domain.box(**{c.replace(" ", "_"): (float(a), float(b)) for c, a, b in ends})
        found[name] = (model.fit(x[::2], data.target[::2]), box, x[::2], x[1::2])
    return found


def blurred(x: Array, teacher: Checked) -> Array:
    """Points (1024, d) around rows x: rows drawn again, moved by a quarter of their deviation."""
    rng = np.random.default_rng(0)
    drawn = x[rng.integers(len(x), size=1024)]
    moved = drawn + rng.normal(size=drawn.shape) * x.std(axis=0) / 4
    assert teacher.domain is not None
    return teacher.domain.clip(moved)


def exact_content(name: str) -> tuple[Checked, Content, Array]:
    """An estimator as a teacher, its own arithmetic (a formula where it is short), other rows."""
    model, domain, _, test = small_models()[name]
    teacher = distill.load_teacher(model, domain=domain, name=name)
    found = distill.distill(teacher, engine="exact", tolerance=1e-3, root=OUT / "studies").chosen
    assert found is not None
    own = found.formula
    return teacher, alone(own) if isinstance(own, ClosedForm) else (own,), test


def small_rows(name: str, evaluations: int, fresh: int) -> list[Row]:
    """An estimator exactly, by its own arithmetic, and approximately, by a searched formula."""
    teacher, content, test = exact_content(name)
    learned = small_models()[name][2]
    assert teacher.domain is not None
    numbers = not classes_of(teacher)
    bundle = written(teacher, "exact", content, 0.0, EXACT, OUT)
    rows = [row(teacher, bundle, name, test, fresh)]

    if name in STEPS:
        # A formula that meets each step of a tree is no shorter: it is searched where data lie.
        seen = blurred(learned, teacher)
        asked: Any = pd.DataFrame(seen, columns=teacher.domain.names)
        asked["margin"] = teacher.predict(seen)
    else:
        # The formula is taken by rows that were learned from, and judged by others.
        seen, asked = np.vstack([learned, teacher.domain.sample(1024)]), teacher
    study = distill.distill(
        asked, teacher.domain, points=1024,
        tolerance=TOLERANCE if numbers else 1.0, evaluations=evaluations, root=OUT / "studies",
        **(POLYNOMIAL if name in STEPS else {"engine": "structure"}),
    )  # fmt: skip
    found = [c for c in study.choices if c.candidate.engine != "exact"]  # cheapest first
    if numbers:
        taken = next(c for c in found if c.within_tolerance)
    else:
        labels = labels_of(teacher.predict(seen))
        agree = [float(np.mean((c.formula(seen) > 0) == labels)) for c in found]
        enough = min(0.95 if name in STEPS else 0.99, max(agree))
        taken = found[next(i for i, part in enumerate(agree) if part >= enough)]
    print(f"  {name}: {taken.formula.readable(4)}")
    assert isinstance(taken.formula, distill.Formula)
    # In integers, which need not be finer than a hundredth of what the formula is off by.
    fixed = ExportConfig(arithmetic="fixed")
    error = max(taken.score.max_error, 0.01)
    bundle = written(teacher, "approximate", (taken.formula,), error, fixed, OUT)
    return [*rows, row(teacher, bundle, name, test, fresh)]


def digit_network(channels: int = 6, features: int = 8, hidden: int = 24) -> torch.nn.Sequential:
    """A convolution whose maxima become a few learned features, and a head that reads those."""
    nn = torch.nn
    seen = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, channels, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(9 * channels, features), nn.Tanh(),
    )  # fmt: skip
    head = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    return nn.Sequential(OrderedDict(features=seen, head=head)).double()


def train(
    network: torch.nn.Module, part: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int
) -> None:
    """Train a part of a network by the cross entropy of the whole; smooth labels keep it tame."""
    adam = torch.optim.Adam(part.parameters(), lr=0.01, weight_decay=1e-4)
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=order).split(64):
            adam.zero_grad()
            scores = network(x[rows])
            torch.nn.functional.cross_entropy(scores, y[rows], label_smoothing=0.05).backward()
            adam.step()


def digit_rows(epochs: int, fresh: int, held_out: int) -> tuple[list[Row], Loss]:
    """The network exactly, and with ten formulas of its features in the place of its head."""
    torch.manual_seed(0)
    pixels, numbers = (torch.from_numpy(part) for part in datasets.load_digits(return_X_y=True))
    held = torch.arange(len(pixels)) % 5 == 0
    pixels = pixels / 16
    x, y, images = pixels[~held], numbers[~held], pixels[held]
    network = digit_network()
    train(network, network, x, y, epochs)

    block = block_teacher(network, "head", x)
    names = [output.name for output in block.teacher.outputs]
    found = distill.distill_all(
        distill.load_teacher(block.frame(), outputs=names), tolerance=1.0, engine="polynomial",
        root=OUT / "studies",
        options={"max_degree": 1, "max_terms": 9, "functions": False, "ratios": False},
    )  # fmt: skip
    formulas = [most_accurate(study) for study in found.studies]
    print(f"  cnn: a digit's score is such as {formulas[0].readable(3)}")
    head = formulas_to_torch(formulas, trainable=True)
    train(replaced(network, "head", head), head, x, y, epochs // 4)
    loss = loss_of_accuracy(network, "head", head, images, numbers[held])
    print(f"  right on {loss.before:.2%} of held-out digits, with formulas on {loss.after:.2%}")

    teacher, features = digit_teacher(network, "cnn"), digit_teacher(network[0], "features")
    own, first = chain_of(teacher), chain_of(features)
    assert own is not None
    assert first is not None
    with torch.no_grad():  # formulas of degree 1: their slopes are what they say of unit vectors
        at_zero = head(torch.zeros(1, first.outputs)).numpy()
        slopes = head(torch.eye(first.outputs)).numpy() - at_zero
    short = Chain(own.inputs, (*first.steps, Affine(slopes.T, at_zero[0])))
    rows = []
    for way, chain in (("exact", own), ("approximate", short)):
        bundle = written(teacher, way, chain, 1e-4, EXACT, OUT)
        rows.append(row(teacher, bundle, "cnn", images[:held_out].numpy(), fresh))
    return rows, loss


def digit_teacher(module: torch.nn.Module, name: str) -> Checked:
    """A network of digits, or its features, as a teacher that reads pixels of 0 to 1."""
    box = distill.Domain.box(**{f"p{i}": (0, 1) for i in range(64)})
    classes = [str(digit) for digit in range(10)] if name == "cnn" else None
    outputs = None if classes else [f"f{i}" for i in range(8)]
    return distill.load_teacher(
        module, domain=box, name=name, classes=classes, outputs=outputs, input_shape=[64]
    )


def most_accurate(study: distill.Study) -> distill.Formula:
    """The formula of the smallest largest error."""
    best = min(study.choices, key=lambda choice: choice.score.max_error).formula
    assert isinstance(best, distill.Formula)
    return best


def main() -> None:
    """Train, write both ways, run on the chip, compare."""
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = [row for name in small_models() for row in small_rows(name, 30_000, 500)]
    rows += digit_rows(30, 50, 100)[0]
    print(f"{'model':20} {'way':12} {'test':>10} {'fresh':>10} {'bytes':>8} {'instructions':>12}")
    print("\n".join(map(str, rows)))
    figure(rows, OUT / "predict.png")
    print(f"wrote {OUT}/*/* and {OUT / 'predict.png'}")


if __name__ == "__main__":
    main()
