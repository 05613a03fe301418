"""torch.export and TorchScript archives that are as they should be."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from distill.domain import Domain
from distill.errors import TeacherError
from distill.teachers.load import load_teacher
from tests.teachers.torch.conftest import export

BOX = Domain.box(a=(-1, 1), b=(-2, 2))


def test_answers_are_those_of_the_module_in_its_own_precision(
    archive: Path, network: torch.nn.Module
):
    teacher = load_teacher(archive, domain=BOX)
    x = BOX.sample(100)
    with torch.no_grad():
        own = network(torch.from_numpy(x).float()).double().numpy()
    np.testing.assert_array_equal(teacher.predict(x), own)
    assert [output.name for output in teacher.outputs] == ["net_1", "net_2", "net_3"]
    double = load_teacher(archive, domain=BOX, dtype="float64").predict(x)
    assert 0 < np.abs(double - own).max() < 1e-6


def test_gradients_are_those_of_the_module(archive: Path, network: torch.nn.Module):
    x = BOX.sample(5)
    slopes = load_teacher(archive, domain=BOX, dtype="float64").gradient(x)
    jacobian = torch.func.vmap(torch.func.jacrev(network.double()))(torch.from_numpy(x))
    np.testing.assert_allclose(slopes, jacobian.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_a_batch_fixed_at_export_is_kept_to(network: torch.nn.Module, tmp_path: Path):
    class Fixed(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[0] == 4
            return network(x).reshape(2, 2, 3).reshape(4, 3)

    path = export(Fixed(), tmp_path / "fixed.pt2", torch.zeros(4, 2), fixed=True)
    teacher = load_teacher(path, domain=BOX)
    assert teacher.teacher.batch == 4
    x = BOX.sample(11)
    with torch.no_grad():
        own = network(torch.from_numpy(x).float()).numpy()
    np.testing.assert_allclose(teacher.predict(x), own, rtol=1e-6, atol=1e-7)
    assert teacher.gradient(x).shape == (11, 3, 2)


def test_images_sizes_and_several_parts(tmp_path: Path):
    class Odd(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(1, 4, 3, padding=1)
            self.offset = torch.tensor([2.0, 3.0])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.relu(self.conv(x)).view(x.shape[0], 4, -1)
            first, second = h.chunk(2, dim=1)
            top = torch.max(first, dim=2).values + self.offset
            return torch.cat([top, second.mean(2), torch.ones(x.shape[0], 1)], dim=1)

    torch.manual_seed(1)
    module = Odd()
    path = export(module, tmp_path / "odd.pt2", torch.zeros(3, 1, 4, 4))
    teacher = load_teacher(path, outputs=[f"y{i}" for i in range(5)])
    assert teacher.inputs == 16
    x = np.random.default_rng(0).standard_normal((7, 16))
    with torch.no_grad():
        own = module(torch.from_numpy(x).float().reshape(7, 1, 4, 4)).double().numpy()
    np.testing.assert_array_equal(teacher.predict(x), own)


def test_a_fingerprint_follows_file_and_precision(archive: Path, tmp_path: Path):
    same = load_teacher(archive, domain=BOX).fingerprint
    assert load_teacher(archive, domain=BOX).fingerprint == same
    assert load_teacher(archive, domain=BOX, dtype="float32").fingerprint == same
    assert load_teacher(archive, domain=BOX, dtype="float64").fingerprint != same
    assert load_teacher(archive, domain=BOX, classes=["a", "b", "c"]).fingerprint != same


def test_two_inputs_or_outputs_are_refused(tmp_path: Path):
    class Two(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return a + b

    program = torch.export.export(Two(), (torch.zeros(2, 1), torch.zeros(2, 1)))
    torch.export.save(program, tmp_path / "two.pt2")
    with pytest.raises(TeacherError, match="takes 2 tensors and gives 1"):
        load_teacher(tmp_path / "two.pt2", domain=BOX)


class Writes(torch.nn.Module):
    """Creates a file while it is loaded, by an operator of torch's own."""

    def __init__(self, proof: str) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.proof = proof

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, str]:
        return self.weight, self.proof

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, str]) -> None:
        self.proof = state[1]
        self.weight = state[0] + torch.from_file(state[1], True, 1).sum() * 0
        self.training = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(1) * self.weight


def _script(module: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(module), path)
    return path


@pytest.mark.parametrize("name", ["net.pt", "net.ptl", "net.pth"])
def test_torchscript_is_a_program_and_needs_a_word_of_trust(name: str, tmp_path: Path):
    proof = tmp_path / "proof"
    path = _script(Writes(str(proof)), tmp_path / name)
    for options in ({}, {"trust_torchscript": False}):
        with pytest.raises(TeacherError, match="is a program") as caught:
            load_teacher(path, domain=BOX, **options)
        assert "trust_torchscript=true" in caught.value.hint
    assert not proof.exists()
    teacher = load_teacher(path, domain=BOX, trust_torchscript=True)
    np.testing.assert_allclose(
        teacher.predict(BOX.sample(3))[:, 0], BOX.sample(3).sum(axis=1), rtol=1e-6, atol=1e-7
    )
    assert proof.exists()  # this is what the word of trust is about


def test_a_trusted_torchscript_answers_and_has_gradients(network: torch.nn.Module, tmp_path: Path):
    path = _script(network, tmp_path / "net.pt")
    teacher = load_teacher(
        path, domain=BOX, trust_torchscript=True, outputs=["p", "q", "r"], dtype="float64"
    )
    x = BOX.sample(20)
    with torch.no_grad():
        own = network.double()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(teacher.predict(x), own, rtol=1e-13, atol=1e-15)
    assert np.isfinite(teacher.gradient(x)).all()
    kept = load_teacher(path, domain=BOX, trust_torchscript=True, outputs=["p", "q", "r"])
    assert kept.teacher.dtype == "float32"
    assert teacher.chain is None
    assert ".pt2" in teacher.why_no_chain


def test_a_damaged_torchscript_is_named(network: torch.nn.Module, tmp_path: Path):
    whole = _script(network, tmp_path / "net.pt").read_bytes()
    (tmp_path / "x.pt").write_bytes(whole.replace(b"c__torch__.", b"c__torxh__."))
    with pytest.raises(TeacherError, match="cannot read the TorchScript"):
        load_teacher(tmp_path / "x.pt", domain=BOX, trust_torchscript=True)
