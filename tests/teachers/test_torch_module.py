"""Torch modules: float64, evaluation mode, fingerprints, and what cannot be differentiated."""

from pathlib import Path

import numpy as np
import pytest
import torch

from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.teachers.card import Architecture, Card, read_outputs
from distill.teachers.load import load_teacher
from distill.teachers.mlp import FUNCTIONS
from distill.teachers.network import save_network

BOX = Domain.box(a=(-1, 1), b=(-2, 2))


def _network() -> torch.nn.Sequential:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))


def test_a_float32_module_is_evaluated_in_float64_and_left_alone():
    module = _network().train()
    teacher = load_teacher(module, domain=BOX, outputs=["p", "q"])
    x = BOX.sample(50)
    w = [p.detach().double().numpy() for p in module.parameters()]
    expected = np.tanh(x @ w[0].T + w[1]) @ w[2].T + w[3]
    np.testing.assert_allclose(teacher.predict(x), expected, rtol=1e-14, atol=1e-15)
    assert module.training
    assert next(module.parameters()).dtype == torch.float32


def test_later_training_of_the_module_does_not_reach_the_teacher():
    module = _network()
    teacher = load_teacher(module, domain=BOX, outputs=["p", "q"])
    before = teacher.predict(BOX.sample(5))
    with torch.no_grad():
        module[0].weight += 1
    np.testing.assert_array_equal(teacher.predict(BOX.sample(5)), before)


def test_dropout_is_off():
    teacher = load_teacher(torch.nn.Dropout(0.5), domain=BOX, outputs=["p", "q"])
    np.testing.assert_array_equal(teacher.predict(BOX.sample(9)), BOX.sample(9))


def test_fingerprint_follows_weights_and_structure():
    one, same, other = _network(), _network(), _network()
    with torch.no_grad():
        other[2].bias[0] += 1e-6
    relu = _network()
    relu[1] = torch.nn.ReLU()
    prints = [load_teacher(m, domain=BOX).fingerprint for m in (one, same, other, relu)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_every_activation_and_the_scaling_come_back_from_a_file(activation: str, tmp_path: Path):
    rng = np.random.default_rng(0)
    state = {
        "0.weight": rng.standard_normal((5, 2)),
        "0.bias": rng.standard_normal(5),
        "2.weight": rng.standard_normal((1, 5)),
        "2.bias": rng.standard_normal(1),
    }
    plan = Architecture((2, 5, 1), activation, (1.0, 2.0), (3.0, 4.0), (5.0,), (6.0,))
    card = Card("net", plan, read_outputs([{"name": "y", "unit": "K"}]), BOX, 0.25)
    save_network(tmp_path / "net.safetensors", card, state)
    teacher = load_teacher(tmp_path / "net.safetensors")
    assert (teacher.name, teacher.domain, teacher.validation_error) == ("net", BOX, 0.25)
    x = BOX.sample(20)
    hidden = ((x - [1, 2]) / [3, 4]) @ state["0.weight"].T + state["0.bias"]
    hidden = FUNCTIONS[activation](torch.from_numpy(hidden)).numpy()
    expected = (hidden @ state["2.weight"].T + state["2.bias"]) * 6 + 5
    np.testing.assert_allclose(teacher.predict(x), expected, rtol=1e-13)


def test_eleven_layers_keep_their_order(tmp_path: Path):
    rng = np.random.default_rng(0)
    state = {}
    for i in range(11):
        state[f"{i}.weight"] = rng.standard_normal((1 if i == 10 else 2, 2))
        state[f"{i}.bias"] = rng.standard_normal(1 if i == 10 else 2)
    plan = Architecture((*[2] * 11, 1), "tanh")
    save_network(tmp_path / "n.safetensors", Card("n", plan, read_outputs(["y"]), BOX), state)
    x = h = BOX.sample(20)
    for i in range(11):
        h = (np.tanh(h) if i else h) @ state[f"{i}.weight"].T + state[f"{i}.bias"]
    np.testing.assert_allclose(load_teacher(tmp_path / "n.safetensors").predict(x), h, rtol=1e-12)


class LeavesTorch(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.sin(x.detach().numpy()[:, 0]))


class Constant(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones(len(x))


class Calls(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.sin(x.numpy()[:, 0]))


@pytest.mark.parametrize("module", [LeavesTorch(), Constant(), Calls()])
def test_a_module_that_leaves_torch_has_values_but_no_gradient(module: torch.nn.Module):
    teacher = load_teacher(module, domain=BOX)
    assert np.isfinite(teacher.predict(BOX.sample(4))).all()
    with pytest.raises(NotDifferentiable):
        teacher.gradient(BOX.sample(4))
