"""Weights from safe files in a module by import path; classes, shapes, devices, precisions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from distill.domain import Domain
from distill.errors import ConfigError, TeacherError
from distill.teachers.load import load_teacher

BOX = Domain.box(a=(-1, 1), b=(-2, 2))

CODE = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first = torch.nn.Linear(2, width)
        self.norm = torch.nn.BatchNorm1d(width)
        self.last = torch.nn.Linear(width, 2)

    def forward(self, x):
        return self.last(torch.tanh(self.norm(self.first(x))))

def wide():
    return Net(8)

def wrong():
    return 3

def fails():
    raise ValueError("no licence")
"""


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import sys

    (tmp_path / "their_nets.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "their_nets", raising=False)
    from distill.teachers.torch.imported import make_module

    torch.manual_seed(2)
    net = make_module("their_nets:Net", {})
    net.norm.running_mean.uniform_(-0.2, 0.2)
    for layer in (net.first, net.last):
        torch.nn.init.constant_(layer.bias, 0.0)
    torch.save(net.state_dict(), "net.pt")
    save_file(net.state_dict(), "net.safetensors")
    return net.eval()


@pytest.mark.parametrize("file", ["net.pt", "net.safetensors"])
def test_weights_fill_the_module_named(file: str, nets: torch.nn.Module):
    teacher = load_teacher(file, domain=BOX, module="their_nets:Net", outputs=["p", "q"])
    x = BOX.sample(50)
    with torch.no_grad():
        own = nets.double()(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(teacher.predict(x), own)
    assert teacher.name == "net"
    assert teacher.chain is not None
    np.testing.assert_allclose(teacher.chain.evaluate(x, "double"), own, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("their_nets:wide", None, r"`first.weight` is \[4, 2\] in the file and \[8, 2\]"),
        ("their_nets:Net", {"width": 8}, r"\[8, 2\]"),
        ("torch.nn:Linear", {"in_features": 2, "out_features": 2}, "file lacks `bias`, `weight`"),
        ("their_nets:wrong", None, "gives a int"),
        ("their_nets:fails", None, "no licence"),
        ("their_nets:nothing", None, "no class or function"),
        ("no_such_module_at_all:Net", None, "cannot be imported"),
        ("their_nets", None, "not the import path"),
        ("their_nets:Net", {"depth": 3}, "unexpected keyword"),
    ],
)
def test_what_does_not_fit_is_named(
    module: str, arguments: dict[str, int] | None, words: str, nets: torch.nn.Module
):
    with pytest.raises((TeacherError, ConfigError), match=words):
        load_teacher("net.pt", domain=BOX, module=module, module_arguments=arguments)


def test_options_that_contradict_each_other(nets: torch.nn.Module):
    for options, words in (
        ({"module": "their_nets:Net", "layers": [2, 1]}, "`layers` cannot be given"),
        ({"module": "their_nets:Net", "block_data": "x.npy"}, "no block is named"),
        ({"layers": [2, 1], "block": "first"}, "`block` cannot be given"),
        ({"module": "their_nets:Net", "dtype": "float16"}, "no precision"),
        ({"module": "their_nets:Net", "device": "tpu"}, "no device"),
        ({"module": "their_nets:Net", "classes": ["one"]}, "two classes at least"),
        ({"module": "their_nets:Net", "classes": "one"}, "two classes at least"),
        ({"module": "their_nets:Net", "input_shape": [1, -2]}, "no shape"),
        ({"module": "their_nets:Net", "probabilities": True}, "none are named"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_teacher("net.pt", domain=BOX, **options)


def test_two_classes_give_one_margin_whose_sign_is_the_label(nets: torch.nn.Module):
    teacher = load_teacher("net.pt", domain=BOX, module="their_nets:Net", classes=["no", "yes"])
    x = BOX.sample(500)
    with torch.no_grad():
        own = nets.double()(torch.from_numpy(x)).numpy()
    assert teacher.classes == ("no", "yes")
    assert [output.name for output in teacher.outputs] == ["margin"]
    labels = (teacher.predict(x)[:, 0] > 0).astype(int)
    np.testing.assert_array_equal(labels, own.argmax(axis=1))
    assert 0 < labels.mean() < 1
    assert teacher.chain is not None
    np.testing.assert_array_equal(teacher.chain.evaluate(x, "double")[:, 0] > 0, labels == 1)


def test_a_tie_of_two_classes_is_the_first():
    module = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.ones_(module.weight)
    teacher = load_teacher(module, domain=BOX, classes=["no", "yes"])
    np.testing.assert_array_equal(teacher.predict(BOX.sample(50)), 0.0)
    assert teacher.chain is not None
    np.testing.assert_array_equal(teacher.chain.evaluate(BOX.sample(50), "float32"), 0.0)


def test_one_probability_counts_from_one_half():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    teacher = load_teacher(module, domain=BOX, classes=["no", "yes"], probabilities=True)
    x = BOX.sample(200)
    with torch.no_grad():
        own = module.double()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(teacher.predict(x), own - 0.5, atol=1e-15)


def test_three_classes_give_a_score_each():
    torch.manual_seed(0)
    teacher = load_teacher(torch.nn.Linear(2, 3), domain=BOX, classes=["a", "b 2", "c"])
    assert [output.name for output in teacher.outputs] == ["score_a", "score_b_2", "score_c"]
    assert teacher.predict(BOX.sample(4)).shape == (4, 3)


def test_precision_and_shape_are_as_asked():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten())
    box = Domain.box(**{f"x{i}": (-1, 1) for i in range(16)})
    x = box.sample(30)
    names = [f"y{i}" for i in range(8)]
    seen = torch.from_numpy(x).reshape(30, 1, 4, 4)
    with torch.no_grad():
        single = module(seen.float()).double().numpy()
        double = module.double()(seen).numpy()
    module.float()
    for dtype, own in (("float32", single), ("float64", double)):
        teacher = load_teacher(
            module, domain=box, input_shape=[1, 4, 4], outputs=names, dtype=dtype
        )
        np.testing.assert_array_equal(teacher.predict(x), own)
        assert teacher.gradient(x).shape == (30, 8, 16)


def test_devices(monkeypatch: pytest.MonkeyPatch):
    module = torch.nn.Linear(2, 1)
    x = BOX.sample(5)
    cpu = load_teacher(module, domain=BOX, device="cpu").predict(x)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    np.testing.assert_array_equal(load_teacher(module, domain=BOX, device="auto").predict(x), cpu)
    with pytest.raises(ConfigError, match="no CUDA device") as caught:
        load_teacher(module, domain=BOX, device="cuda")
    assert "auto" in caught.value.hint
