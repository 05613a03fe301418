"""What a chip computes that read a few numbers: ``python pipelines/predict_on_a_pic32.py``.

Small models of scikit-learn read three measures of a cell and give 1 (benign) or 0, or three of a
patient and give a number; a small convolutional network of torch reads 8x8 digits. Each is written
as C for a PIC32 exactly (its own arithmetic) and approximately (a formula that was searched for),
and that C runs in the emulator on held-out rows and on fresh points of the inputs' box. Writes C, a
table and a figure into build/predict_on_a_pic32/. Takes under three minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from sklearn import datasets, linear_model, naive_bayes, pipeline, preprocessing, tree
from sklearn.ensemble import RandomForestClassifier

import distill
from distill.arrays import Array
from distill.building_vector import Content, VectorOrder, alone, build_vector
from distill.chain.closed_form import ClosedForm
from distill.chain.fold import merged
from distill.config import ExportConfig, read_option
from distill.firmware.cost import COUNTED, build_image
from distill.firmware.emulator import emulator_for
from distill.firmware.harness import chip_label, chip_loop
from distill.firmware.target import load_target
from distill.firmware.toolchains import toolchain_for
from distill.firmware.vector.bundle import VectorBundle, write_vector_bundle
from distill.formula.to_torch import formulas_to_torch
from distill.scoring.labels import labels_of
from distill.teachers.base import Teacher, chain_of, classes_of
from distill.teachers.torch.blocks import block_teacher
from distill.teachers.torch.replacing import loss_of_accuracy, replaced

mpl.use("Agg")
from matplotlib import pyplot as plt

OUT = Path("build/predict_on_a_pic32")
# The digits keep 5 KiB of numbers between two layers on the stack; the chip has 32 KiB of RAM.
CHIP = replace(load_target(read_option("target", "pic32")), stack_bytes=8192)
CELLS = ("mean radius", "mean texture", "mean concave points")
PATIENTS = ("bmi", "bp", "s5")
AGREE = {"decision_tree": 0.88, "random_forest": 0.88}  # of a formula; the others 0.99
TOLERANCE = 2.0  # of a formula, in the unit of what the regression predicts


@dataclass(frozen=True)
class Row:
    """A line of the table; of numbers ``test`` and ``fresh`` are largest errors, else agreement."""

    model: str
    way: str
    test: float
    fresh: float
    flash: int
    instructions: float
    labels: bool = True

    def __str__(self) -> str:
        test, fresh = (f"{v:.2%}" if self.labels else f"±{v:.2g}" for v in (self.test, self.fresh))
        figures = f"{self.flash:>8,} {self.instructions:>12,.0f}"
        return f"{self.model:20} {self.way:12} {test:>10} {fresh:>10} {figures}"


def written(
    teacher: Teacher, way: str, content: Content, error: float, options: ExportConfig
) -> VectorBundle:
    """The folder of C of a chain or of formulas, ``error`` off the teacher at most."""
    assert teacher.domain is not None
    k = len(teacher.outputs)
    order = VectorOrder(
        name=teacher.name, domain=teacher.domain, content=content, outputs=teacher.outputs,
        classes=classes_of(teacher), max_errors=(error,) * k, tolerance=max(2 * error, 1e-3),
        options=options, target=CHIP, provenance={"teacher": teacher.name, "way": way},
    )  # fmt: skip
    spec = build_vector(order, "fixed" if options.arithmetic == "fixed" else "float32")
    return write_vector_bundle(spec, OUT / teacher.name / way)


def on_chip(bundle: VectorBundle, points: Array) -> tuple[Array, int, float]:
    """Outputs and label (n, columns) in the emulator, bytes of flash, mean instructions a call."""
    signature, name = bundle.spec.numbers.signature, bundle.spec.name
    folder = bundle.directory.parent / f"built_{bundle.directory.name}"
    folder.mkdir(exist_ok=True)
    images = [
        build_image([bundle.source], loop(name, signature), toolchain_for(CHIP), folder)
        for loop in (chip_loop, chip_label if signature.label else chip_loop)
    ]
    answers = emulator_for(CHIP, images[0], 300).run(points, signature).astype(float)
    counts = emulator_for(CHIP, images[1], 300).count(points[:COUNTED], signature)
    return answers, images[1].flash_bytes, float(counts.calls.mean())


def row(teacher: Teacher, bundle: VectorBundle, model: str, test: Array, fresh: int) -> Row:
    """Run a bundle on the chip and compare it with its teacher."""
    assert teacher.domain is not None
    x = bundle.spec.numbers.inside(np.vstack([test, teacher.domain.sample(fresh, seed=9)]))
    answers, flash, instructions = on_chip(bundle, x)
    truth = teacher.predict(x)
    if classes_of(teacher):
        same = answers[:, -1] == labels_of(truth)
        good = float(same[: len(test)].mean()), float(same[len(test) :].mean())
    else:
        off = np.abs(answers - truth)[:, 0]
        good = float(off[: len(test)].max()), float(off[len(test) :].max())
    return Row(
        model, bundle.directory.name, *good, flash, instructions, bool(classes_of(teacher))
    )


def small_models() -> dict[str, tuple[Any, distill.Domain, Array]]:
    """By name an estimator trained on half of the rows, its box, and the other rows."""
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
        found[name] = (model.fit(x[::2], data.target[::2]), box, x[1::2])
    return found


def small_rows(name: str, evaluations: int, fresh: int) -> list[Row]:
    """An estimator exactly, by its own arithmetic, and approximately, by a searched formula."""
    model, domain, test = small_models()[name]
    teacher = distill.load_teacher(model, domain=domain, name=name)
    numbers = not classes_of(teacher)
    exact = distill.distill(teacher, engine="exact", tolerance=1e-3, root=OUT / "studies").chosen
    assert exact is not None
    own = exact.formula
    content = alone(own) if isinstance(own, ClosedForm) else (own,)
    bundle = written(teacher, "exact", content, 0.0, ExportConfig(functions="library"))
    rows = [row(teacher, bundle, name, test, fresh)]

    study = distill.distill(
        teacher, engine="operon" if name in AGREE else "structure",
        tolerance=TOLERANCE if numbers else 1.0, evaluations=evaluations, points=1024,
        root=OUT / "studies", **({} if numbers else {"select": "agrees", "min_agreement": 0.99}),
    )  # fmt: skip
    found = [c for c in study.choices if c.candidate.engine != "exact"]  # cheapest first
    if numbers:
        taken = next(c for c in found if c.within_tolerance)
    else:
        agree = {c: c.score.labels.agreement for c in found if c.score.labels}
        enough = [c for c in found if agree.get(c, 0) >= AGREE.get(name, 0.99)]
        taken = enough[0] if enough else max(agree, key=lambda c: agree[c])
    print(f"  {name}: {taken.formula.readable(4)}")
    assert isinstance(taken.formula, distill.Formula)
    # In integers, which need not be finer than a hundredth of what the formula is off by.
    fixed = ExportConfig(arithmetic="fixed")
    error = max(taken.score.max_error, 0.01)
    bundle = written(teacher, "approximate", (taken.formula,), error, fixed)
    return [*rows, row(teacher, bundle, name, test, fresh)]


class Digits(torch.nn.Module):
    """A convolution whose maxima become eight learned features, and a head that reads those."""

    def __init__(self, channels: int = 6, features: int = 8, hidden: int = 24) -> None:
        super().__init__()
        nn = torch.nn
        self.features = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, channels, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(9 * channels, features), nn.Tanh(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, 10) of images (n, 64) of 0 to 16."""
        scores: torch.Tensor = self.head(self.features(x / 16))
        return scores


def trained(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int) -> None:
    """Adam on the cross entropy; smoothed labels keep the scores small."""
    adam = torch.optim.Adam(network.parameters(), lr=0.01, weight_decay=1e-4)
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=order).split(64):
            adam.zero_grad()
            scores = network(x[rows])
            torch.nn.functional.cross_entropy(scores, y[rows], label_smoothing=0.05).backward()
            adam.step()


def digit_rows(epochs: int, fresh: int, images: int) -> list[Row]:
    """The network exactly, and with ten formulas of its features in the place of its head."""
    torch.manual_seed(0)
    pixels, numbers = (torch.from_numpy(part) for part in datasets.load_digits(return_X_y=True))
    held = torch.arange(len(pixels)) % 5 == 0
    network = Digits().double()
    trained(network, pixels[~held], numbers[~held], epochs)

    block = block_teacher(network, "head", pixels[~held])
    names = [output.name for output in block.teacher.outputs]
    found = distill.distill_all(
        distill.load_teacher(block.frame(), outputs=names), tolerance=1.0, engine="polynomial",
        select="most_accurate", root=OUT / "studies",
        options={"max_degree": 1, "max_terms": 9, "functions": False, "ratios": False},
    )  # fmt: skip
    formulas = [formula for study in found.studies if (formula := best(study)) is not None]
    head = formulas_to_torch(formulas)
    loss = loss_of_accuracy(network, "head", head, pixels[held], numbers[held])
    print(f"  cnn: {formulas[0].readable(3)} is the score of a 0 by the learned features;")
    print(f"  right on {loss.before:.2%} of held-out digits, with formulas {loss.after:.2%}")

    box = distill.Domain.box(**{f"p{i}": (0, 16) for i in range(64)})
    rows = []
    for way, module in (("exact", network), ("approximate", replaced(network, "head", head))):
        teacher = distill.load_teacher(
            module, domain=box, name="cnn", classes=list("0123456789"), input_shape=[64]
        )
        chain = chain_of(teacher)
        assert chain is not None
        bundle = written(teacher, way, merged(chain), 1e-4, ExportConfig())
        rows.append(row(distill.load_teacher(network, domain=box, name="cnn",classes=list("0123456789"), input_shape=[64]), bundle, "cnn", pixels[held][:images].numpy(), fresh))
    return rows


def best(study: distill.Study) -> distill.Formula | None:
    """The most accurate formula of a study."""
    found = [c for c in study.choices if isinstance(c.formula, distill.Formula)]
    formula = min(found, key=lambda c: c.score.teacher.rmse).formula
    return formula if isinstance(formula, distill.Formula) else None


def figure(rows: Sequence[Row]) -> None:
    """Flash and instructions of every model, both ways."""
    _, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    models = list(dict.fromkeys(row.model for row in rows))
    for axis, key, title in zip(axes, ("flash", "instructions"), ("bytes of flash", "instructions a call"), strict=True):
        for shift, way in ((-0.2, "exact"), (0.2, "approximate")):
            chosen = [r for r in rows if r.way == way]
            places = [models.index(r.model) + shift for r in chosen]
            axis.barh(places, [getattr(r, key) for r in chosen], height=0.4, label=way)
        axis.set(xscale="log", xlabel=title)
    axes[0].set_yticks(range(len(models)), [m.replace("_", " ") for m in models])
    axes[0].invert_yaxis()
    axes[1].legend()
    plt.tight_layout()
    plt.savefig(OUT / "predict.png", dpi=120)


def main() -> None:
    """Train, write both ways, run on the chip, compare."""
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = [row for name in small_models() for row in small_rows(name, 30_000, 500)]
    rows += digit_rows(30, 50, 100)
    print(f"{'model':20} {'way':12} {'test':>10} {'fresh':>10} {'bytes':>8} {'instructions':>12}")
    print("\n".join(map(str, rows)))
    figure(rows)
    print(f"wrote {OUT}/*/* and {OUT / 'predict.png'}")


if __name__ == "__main__":
    main()
