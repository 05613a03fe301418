"""Blocks of networks: captured, distilled alone, put back; what is lost is measured."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from distill.domain import Domain
from distill.errors import ConfigError, FormulaError, TeacherError
from distill.formula import Formula
from distill.formula.to_torch import formulas_to_torch
from distill.teachers.load import load_teacher
from distill.teachers.torch.blocks import block_teacher
from distill.teachers.torch.capture import capture
from distill.teachers.torch.replacing import loss_of_accuracy, replaced


def _images() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.Sequential(nn.Conv2d(3, 2, 1), nn.Tanh()),
        nn.Flatten(),
        nn.Sequential(nn.Linear(72, 8), nn.ReLU(), nn.Linear(8, 4)),
    )


@pytest.fixture
def data() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((600, 1, 8, 8)).astype(np.float32)


class Message(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 2)

    def forward(self, one: torch.Tensor, *, other: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(torch.cat([one, other], dim=1)))


class Graph(nn.Module):
    """A message function called for the edges of each direction."""

    def __init__(self) -> None:
        super().__init__()
        self.message = Message()
        self.unused = nn.Linear(2, 2)

    def forward(self, nodes: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        a, b = nodes[edges[0]], nodes[edges[1]]
        there = self.message(a, other=b[:, :2])
        back = self.message(b, other=a[:, :2])
        return torch.zeros(len(nodes), 2).index_add(0, edges[1], there).index_add(0, edges[0], back)


def test_inputs_and_outputs_are_those_of_the_block_while_data_run_through(data: np.ndarray):
    network = _images().train()
    found = capture(network, "3.0", data)
    with torch.no_grad():
        inside = network[:3](torch.from_numpy(data))
        np.testing.assert_allclose(found.inputs, inside.numpy(), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(found.outputs, network[3][0](inside).numpy(), atol=1e-6)
    assert (found.inputs.shape, found.outputs.shape) == ((600, 72), (600, 8))
    assert found.calls == 3  # batches of 256
    assert network.training
    assert not network[3][0]._forward_hooks


def test_a_head_alone_answers_as_in_the_network(data: np.ndarray):
    block = block_teacher(_images(), "3", data, name="head")
    found = block.captured
    np.testing.assert_allclose(
        block.teacher.predict(found.inputs), found.outputs, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(block.domain.low, found.inputs.min(axis=0))
    np.testing.assert_array_equal(block.domain.high, found.inputs.max(axis=0))
    assert block.teacher.gradient(found.inputs[:3]).shape == (3, 4, 72)
    assert block.teacher.chain is not None
    np.testing.assert_allclose(
        block.teacher.chain.evaluate(found.inputs[:50]),
        block.teacher.predict(found.inputs[:50]),
        rtol=1e-12,
        atol=1e-12,
    )


def test_margins_and_quantiles(data: np.ndarray):
    whole = block_teacher(_images(), "3", data).domain
    wide = block_teacher(_images(), "3", data, margin=0.5).domain
    narrow = block_teacher(_images(), "3", data, quantile=0.1).domain
    np.testing.assert_allclose(wide.high - wide.low, 2 * (whole.high - whole.low))
    assert (narrow.low > whole.low).all()
    assert (narrow.high < whole.high).all()
    for options in ({"margin": -0.1}, {"quantile": 0.5}, {"margin": float("inf")}):
        with pytest.raises(ConfigError):
            block_teacher(_images(), "3", data, **options)


def test_an_input_that_never_changes_has_a_range_still():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    nn.init.constant_(network[0].bias, -100)
    block = block_teacher(network, "2", np.random.default_rng(0).random((20, 2)))
    assert (block.domain.low < 0).all()
    assert (block.domain.high > 0).all()


def test_each_position_of_an_image_is_a_point(data: np.ndarray):
    block = block_teacher(_images(), "1", data, positions="each")
    assert block.captured.inputs.shape == (600 * 36, 3)
    assert block.captured.outputs.shape == (600 * 36, 2)
    assert block.teacher.chain is not None
    with pytest.raises(TeacherError, match="sees 16384 rows and gives 9216"):
        block_teacher(_images(), "0", data, positions="each")
    with pytest.raises(TeacherError, match="off its own answers"):
        block_teacher(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1)), "0", data, positions="each")


def test_each_element_of_a_sequence_is_a_point():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    data = np.random.default_rng(0).standard_normal((10, 7, 3))
    block = block_teacher(network, "2", data, positions="each")
    assert block.captured.inputs.shape == (70, 4)
    back = replaced(network, "2", block.teacher.module, positions="each")
    x = torch.from_numpy(data).float()
    torch.testing.assert_close(back(x), network(x), rtol=1e-5, atol=1e-6)


def test_all_calls_of_a_message_function_are_captured():
    torch.manual_seed(0)
    network = Graph()
    passes = [
        (torch.randn(6, 3), torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])),
        (torch.randn(4, 3), torch.tensor([[0, 1], [1, 2]])),
    ]
    block = block_teacher(network, "message", passes, name="message")
    assert block.captured.calls == 4
    assert block.captured.inputs.shape == (12, 5)
    assert [part.name for part in block.captured.parts] == ["0", "other"]
    nodes, edges = passes[0]
    wanted = np.hstack([nodes[edges[0]].numpy(), nodes[edges[1]][:, :2].numpy()])
    np.testing.assert_allclose(block.captured.inputs[:4], wanted, rtol=1e-6)
    back = replaced(network, "message", block.teacher.module)
    torch.testing.assert_close(back(nodes, edges), network(nodes, edges), rtol=1e-5, atol=1e-6)


class Pair(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x


class First(nn.Module):
    def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return pair[0]


class Centred(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(dim=0)


@pytest.mark.parametrize(
    ("network", "path", "words"),
    [
        (nn.Sequential(Pair(), First()), "0", "answers with a tuple"),
        (nn.Sequential(Pair(), First()), "1", "takes a tuple"),
        (nn.Sequential(nn.Linear(2, 2)), "head", "has no block `head`"),
        (nn.Sequential(nn.Linear(2, 2)), "", "has no block"),
        (nn.Sequential(Centred()), "0", "off its own answers"),
    ],
)
def test_blocks_that_cannot_be_taught_are_named(network: nn.Module, path: str, words: str):
    rows = np.random.default_rng(0).standard_normal((40, 2))
    with pytest.raises(TeacherError, match=words) as caught:
        block_teacher(network, path, rows)
    assert caught.value.hint


def test_a_block_that_is_never_called_and_data_that_are_none():
    edges = torch.tensor([[0], [1]])
    with pytest.raises(TeacherError, match="never calls it"):
        block_teacher(Graph(), "unused", [(torch.randn(3, 3), edges)])
    with pytest.raises(TeacherError, match="no data"):
        block_teacher(nn.Sequential(nn.Linear(2, 2)), "0", 3)
    with pytest.raises(TeacherError, match="3 of 3 rows"):
        block_teacher(nn.Sequential(nn.Linear(2, 2)), "0", np.full((3, 2), np.nan))


CODE = """
import torch

def net():
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
"""


def test_a_block_by_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "their_blocks.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    torch.save(net.state_dict(), "net.pt")
    rows = np.random.default_rng(0).standard_normal((50, 2))
    np.save("rows.npy", rows)
    options: dict[str, Any] = {"module": "their_blocks:net", "block": "2"}
    teacher = load_teacher("net.pt", block_data="rows.npy", name="head", **options)
    assert teacher.domain is not None
    assert teacher.domain.names == ("x1", "x2", "x3")
    assert (np.abs(teacher.domain.low) < 1).all()
    h = teacher.domain.sample(9)
    weight, bias = (p.detach().double().numpy() for p in net[2].parameters())
    np.testing.assert_allclose(teacher.predict(h), h @ weight.T + bias, rtol=1e-12)
    wider = load_teacher("net.pt", block_data="rows.npy", block_margin=1.0, **options)
    assert wider.domain is not None
    assert (wider.domain.high > teacher.domain.high).all()
    for change, words in (
        ({}, "needs data"),
        ({"block_data": "no.npy"}, "cannot be read"),
        ({"block_data": "rows.npy", "block_positions": "some"}, "no way to take"),
        ({"block_data": "rows.npy", "block_margin": "wide"}, "must be a number"),
    ):
        with pytest.raises((ConfigError, TeacherError), match=words):
            load_teacher("net.pt", **options, **change)


def test_pickled_or_boundless_block_data_are_refused(tmp_path: Path):
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 2)}
        )
    (tmp_path / "text.npy").write_text("hello")
    for name in ("objects", "huge", "text"):
        with pytest.raises(TeacherError, match="cannot be read"):
            load_teacher(
                nn.Sequential(nn.Linear(2, 2)), block="0", block_data=tmp_path / f"{name}.npy"
            )


def _formulas() -> tuple[Domain, list[Formula]]:
    domain = Domain.box(a=(-1, 1), b=(-1, 1))
    texts = ["2*a + b", "a*b - 0.5", "sin(3*a)"]
    return domain, [Formula.parse(text, domain) for text in texts]


def test_formulas_become_one_module_and_train_where_asked():
    domain, formulas = _formulas()
    module = formulas_to_torch(formulas)
    x = domain.sample(30)
    answers = module(torch.from_numpy(x))
    for k, formula in enumerate(formulas):
        np.testing.assert_allclose(answers[:, k].numpy(), formula(x), rtol=1e-13, atol=1e-15)
    assert list(module.parameters()) == []
    assert module.float()(torch.from_numpy(x)).dtype == torch.float32
    trained = formulas_to_torch(formulas, trainable=True)
    trained(torch.from_numpy(x)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trained.parameters())
    with pytest.raises(FormulaError, match="same variables"):
        formulas_to_torch([formulas[0], Formula.parse("c", Domain.box(c=(0, 1)))])
    with pytest.raises(FormulaError, match="no formula"):
        formulas_to_torch([])


def test_a_formula_in_the_place_of_a_block_is_trained_through():
    torch.manual_seed(0)
    _, formulas = _formulas()
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3), nn.Linear(3, 1))
    module = formulas_to_torch(formulas, trainable=True)
    other = replaced(network, "1", module)
    x = torch.randn(200, 3)
    inside = network[0](x).detach().double().numpy()
    wanted = network[2](torch.from_numpy(np.stack([f(inside) for f in formulas], axis=1)).float())
    torch.testing.assert_close(other(x), wanted, rtol=1e-5, atol=1e-6)
    assert isinstance(network[1], nn.Linear)
    target = x.sum(1, keepdim=True)
    before = module.formulas[0].constants.detach().clone()
    optimiser = torch.optim.Adam(other.parameters(), lr=0.02)
    losses = []
    for _ in range(200):
        optimiser.zero_grad()
        loss = ((other(x) - target) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    assert not torch.equal(module.formulas[0].constants, before)


def test_the_loss_of_accuracy_of_the_whole_network(data: np.ndarray):
    network = _images()
    with torch.no_grad():
        targets = network.eval()(torch.from_numpy(data)).argmax(dim=1).numpy()
    own = block_teacher(network, "3", data)
    same = loss_of_accuracy(network, "3", own.teacher.module, data, targets)
    assert (same.before, same.after, same.lost) == (1.0, 1.0, 0.0)
    always = nn.Linear(72, 4)
    nn.init.zeros_(always.weight)
    always.bias.data = torch.tensor([1.0, 0.0, 0.0, 0.0])
    worse = loss_of_accuracy(network, "3", always, data, targets)
    assert worse.after == pytest.approx((targets == 0).mean())
    assert worse.lost == pytest.approx(1 - (targets == 0).mean())
    shape = block_teacher(network, "1", data).captured.answer
    assert shape == (2, 6, 6)
    inner = block_teacher(network, "1", data)
    kept = loss_of_accuracy(
        network, "1", inner.teacher.module, data, targets, shape=inner.captured.answer
    )
    assert kept.after > 0.99
    with pytest.raises(TeacherError, match="600 answers, and there are 5"):
        loss_of_accuracy(network, "3", own.teacher.module, data, targets[:5])
    squared = loss_of_accuracy(
        network, "3", own.teacher.module, data, np.zeros((600, 4)), metric="mse"
    )
    assert squared.before == pytest.approx(squared.after, rel=1e-5)
    most = loss_of_accuracy(
        network, "3", always, data, targets, metric=lambda a, t: float(a.abs().max())
    )
    assert most.after == 1.0
