"""The chain of a network agrees with the network; where there is none the reason is said."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from distill.chain.data import chain_data
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches
from distill.chain.steps.elementwise import Apply
from distill.chain.steps.images import Convolution, Pool
from distill.teachers.load import load_teacher
from distill.teachers.mlp import FUNCTIONS, MLP
from distill.teachers.torch.tracing import chain_of

ACTIVATIONS = [
    *(nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ELU(0.5), nn.GELU()),
    *(nn.SiLU(), nn.Softplus(), nn.Hardtanh(), nn.Hardsigmoid(), nn.Hardswish(), nn.Softsign()),
    *(nn.SELU(), nn.Mish(), nn.PReLU(), nn.Identity()),
]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.a(x))
        return self.c(h + torch.tanh(self.b(h)))


class ResidualImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding="same")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.a(x))
        return (h + self.b(h)).mean((2, 3))


class Lambda(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


NETWORKS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "dropout and normalisation": (
        nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)),
        (4,),
    ),
    "normalisation alone": (nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2)), (4,)),
    "images": (
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, stride=(2, 1)),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, (2, 3), groups=2, dilation=(1, 2), bias=False),
            nn.AvgPool2d((1, 2)),
            nn.Flatten(),
            nn.LazyLinear(10),
        ),
        (1, 10, 14),
    ),
    "images normalised after relu": (
        nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU(), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1)),
        (1, 5, 5),
    ),
    "padded pools": (
        nn.Sequential(nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(2, 2, 1, ceil_mode=True), nn.Flatten()),
        (2, 9, 8),
    ),
    "padding that does not count": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 7, 7)),
    "signals": (
        nn.Sequential(
            nn.Conv1d(2, 4, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool1d(3),
            nn.Conv1d(4, 2, 3),
            nn.AvgPool1d(2),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
        ),
        (2, 24),
    ),
    "residual": (Residual(), (4,)),
    "residual images": (ResidualImages(), (1, 6, 5)),
    "softmax": (nn.Sequential(nn.Linear(4, 5), nn.Softmax(dim=1)), (4,)),
    "arithmetic": (Lambda(lambda x: 2 - 3 * (x - 1) / torch.tensor([2.0, 3.0, 4.0, 5.0])), (4,)),
    "products": (Lambda(lambda x: x[:, :2] * x[:, 2:].flip(1) - x[:, 1:3] ** 2), (4,)),
    "quotients": (
        Lambda(lambda x: x[:, :2] / (1 + x[:, 2:].abs()) + 1 / (2 + x[:, :2] ** 2)),
        (4,),
    ),
    "moved": (
        Lambda(lambda x: torch.cat([x.permute(0, 2, 1).reshape(x.shape[0], -1), x[:, 1]], dim=1)),
        (3, 4),
    ),
    "every row": (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Flatten()), (5, 4)),
    "matrix": (Lambda(lambda x: x @ torch.arange(8.0, dtype=x.dtype).reshape(4, 2)), (4,)),
    "clamped": (Lambda(lambda x: x.clamp(min=0) + x.clamp(-1, 1)), (4,)),
    "shared": (Lambda(lambda x: torch.stack([x.sin(), x.cos()], dim=1)), (4,)),
    **{repr(a): (nn.Sequential(nn.Linear(4, 8), a), (4,)) for a in ACTIVATIONS},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_chain_is_the_network(name: str):
    module, shape = NETWORKS[name]
    torch.manual_seed(0)
    x = np.random.default_rng(1).standard_normal((300, int(np.prod(shape))))
    points = torch.from_numpy(x).reshape(-1, *shape)
    module.train()(points.float())  # statistics of batches; lazy shapes
    traced = chain_of(module.eval(), shape)
    assert traced.chain is not None, traced.reason
    with torch.no_grad():
        single = module.float()(points.float()).reshape(300, -1).double().numpy()
        double = module.double()(points).reshape(300, -1).numpy()
    module.float()
    largest = np.abs(double).max()
    found = traced.chain.evaluate(x, "double")
    np.testing.assert_allclose(found, double, rtol=0, atol=1e-12 * largest)
    off = np.abs(traced.chain.evaluate(x, "float32") - single).max()
    assert off <= 8 * np.spacing(np.float32(largest))


def test_layers_become_the_steps_meant_for_them():
    module, shape = NETWORKS["images"]
    module.train()(torch.zeros(2, *shape))
    chain = chain_of(module.eval(), shape).chain
    assert chain is not None
    kinds = [type(step) for step in chain.steps]
    assert kinds == [Convolution, Apply, Pool, Convolution, Pool, Affine]
    residual = chain_of(Residual(), (4,)).chain
    assert residual is not None
    assert [type(s) for s in residual.steps] == [Affine, Apply, Branches, Affine, Affine]


def test_a_scaled_network_of_ours_has_a_chain():
    teacher = load_teacher("wet_bulb")
    assert teacher.chain is not None
    x = teacher.domain.sample(500)
    np.testing.assert_allclose(
        teacher.chain.evaluate(x, "double"), teacher.predict(x), rtol=1e-12, atol=1e-12
    )


def test_labels_of_a_classifier_are_the_networks_own():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 5)).eval()
    chain = chain_of(module, (4,)).chain
    assert chain is not None
    x = np.random.default_rng(0).standard_normal((20_000, 4)).astype(np.float32).astype(float)
    with torch.no_grad():
        labels = module.double()(torch.from_numpy(x)).argmax(dim=1).numpy()
    assert len(set(labels.tolist())) == 5
    np.testing.assert_array_equal(chain.evaluate(x, "double").argmax(axis=1), labels)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 3, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gru(x)[0][:, -1]


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x
        return -x


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.LayerNorm(4), (4,), "`layer_norm`"),
        (nn.LogSoftmax(dim=1), (4,), "`log_softmax`"),
        (nn.GELU("tanh"), (4,), "approximation by tanh"),
        (nn.Hardtanh(-2, 2), (4,), "clamps"),
        (nn.Softplus(beta=2), (4,), "beta"),
        (nn.AdaptiveAvgPool2d(3), (1, 5, 5), "overlap"),
        (nn.AvgPool2d(2, ceil_mode=True), (1, 5, 5), "rounds sizes up"),
        (Recurrent(), (2, 4), "`gru`"),
        (Lambda(lambda x: x - x.mean()), (4,), "mean over"),
        (Lambda(lambda x: x.flip(0)), (4,), "mixes points"),
        (Lambda(lambda x: torch.ones(x.shape[0], 1)), (4,), "no input decides"),
        (Lambda(lambda x: x**3.5), (4,), "power of 3.5"),
        (Lambda(lambda x: x[:, :1] + x), (4,), "adds values"),
        (Raises(), (4,), "cannot trace"),
    ],
)
def test_the_reason_is_said(module: nn.Module, shape: tuple[int, ...], words: str):
    traced = chain_of(module, shape)
    assert traced.chain is None
    assert words in traced.reason


def test_the_module_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(4, 2), nn.Dropout()).train()
    weight = module[0].weight.clone()
    assert chain_of(module, (4,)).chain is not None
    assert module.training
    assert module[0].weight.dtype == torch.float32
    torch.testing.assert_close(module[0].weight, weight, rtol=0, atol=0)


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
@pytest.mark.parametrize("layers", [(3, 1), (2, 5, 4, 2)])
def test_our_own_network_says_what_torchs_trace_of_it_is_read_as(
    layers: tuple[int, ...], activation: str
) -> None:
    rng = np.random.default_rng(0)
    first, last = layers[0], layers[-1]
    net = MLP(
        [(rng.normal(size=(k, d)), rng.normal(size=k)) for d, k in pairwise(layers)],
        activation,
        (rng.normal(size=first), rng.uniform(1, 2, first)),
        (rng.normal(size=last), rng.uniform(1, 2, last)),
    )
    own = chain_of(net, (first,)).chain
    traced = chain_of(nn.Sequential(net), (first,)).chain
    assert own is not None
    assert traced is not None
    assert chain_data(own) == chain_data(traced)
