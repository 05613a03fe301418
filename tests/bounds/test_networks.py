"""Proofs about networks of torch, and graphs of ONNX."""

import lightgbm
import numpy as np
import pytest
import torch
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn import ensemble, neural_network
from torch import nn

from distill.domain import Domain
from distill.formula import Formula

from .proofs import X, Y, check, closed_form, fitted


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.ReLU(), nn.GELU(), nn.SELU(), nn.Hardswish()])
def test_networks_of_torch(activation):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(2, 24), activation, nn.Linear(24, 24), activation,
                            nn.Linear(24, 2), nn.Softmax(dim=1)).eval()  # fmt: skip
    assert check(closed_form(network)).ratio <= 1.1


def test_an_image_of_nine_pixels():
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Unflatten(1, (1, 3, 3)), nn.Conv2d(1, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(3, 1),
    ).eval()  # fmt: skip
    domain = Domain.box(**{f"p{i}": (0, 1) for i in range(9)})
    formula = Formula.parse("p0/4 - p8/4", domain)
    bound = check(closed_form(network, domain), formula, ratio=1.2, boxes=30_000)
    assert bound.ratio <= 2


def exported(model, folder):
    if hasattr(model, "booster_"):
        types = [("x", FloatTensorType([None, 2]))]
        proto = convert_lightgbm(model, initial_types=types)
    else:
        proto = to_onnx(model, X[:1].astype(np.float32))
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize("kind", ["lightgbm", "forest", "network"])
def test_graphs_of_onnx(kind, tmp_path):
    model = {
        "lightgbm": lambda: lightgbm.LGBMRegressor(n_estimators=20, num_threads=1, verbose=-1),
        "forest": lambda: ensemble.RandomForestRegressor(15, max_depth=6, random_state=0),
        "network": lambda: neural_network.MLPRegressor(
            hidden_layer_sizes=(12, 12), max_iter=300, random_state=0
        ),
    }[kind]()
    path = exported(fitted(model, Y), tmp_path)
    assert check(closed_form(path)).ratio <= 1.1
