"""Batches sized to memory, and halved when memory runs out."""

import numpy as np
import pytest
import torch

from distill.domain import Domain
from distill.errors import TeacherError
from distill.teachers.load import load_teacher
from distill.teachers.torch import batches

BOX = Domain.box(a=(-1, 1), b=(-2, 2))


class Watched(torch.nn.Module):
    """Notes how many points come at once, and has memory for ``most`` of them."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self.most = most
        self.sizes: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
        return (x * 2).sum(1)


def _asked(module: Watched, n: int) -> tuple[np.ndarray, list[int]]:
    teacher = load_teacher(module, domain=BOX)
    answers = teacher.predict(BOX.sample(n))
    np.testing.assert_array_equal(answers[:, 0], (BOX.sample(n) * 2).sum(axis=1))
    return answers, teacher.teacher.module.sizes


def test_bytes_of_a_point_are_counted():
    points = torch.zeros(4, 2, dtype=torch.float64)
    assert batches.bytes_per_point(lambda x: x * 2, points) == 16
    assert batches.bytes_per_point(lambda x: (x * 2).sum(1), points) == 24
    assert batches.bytes_per_point(torch.nn.Linear(2, 100).double(), points) > 800


def test_a_budget_sets_the_batch(monkeypatch: pytest.MonkeyPatch):
    assert _asked(Watched(), 10)[1] == [10]
    assert _asked(Watched(), 5000)[1] == [2, 5000]
    # a point is moved (16 bytes), doubled (16) and summed (8)
    monkeypatch.setattr(batches, "CPU_BUDGET", 40 * 1000)
    sizes = _asked(Watched(), 5000)[1]
    assert sizes[0] == 2
    assert 4 <= len(sizes[1:]) <= 6
    assert max(sizes) <= 1300


def test_a_batch_is_halved_until_memory_suffices():
    answers, sizes = _asked(Watched(most=300), 2000)
    assert len(answers) == 2000
    assert max(s for s in sizes if s <= 300) >= 150
    assert sum(s for s in sizes[1:] if s <= 300) == 2000
    failed = [s for s in sizes if s > 300]
    assert failed == [2000, 1000, 500]


def test_no_memory_for_one_point_is_said():
    with pytest.raises(TeacherError, match="one point alone"):
        load_teacher(Watched(most=0), domain=BOX).predict(BOX.sample(3))


def test_other_errors_are_not_taken_for_memory():
    class Fails(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("shapes do not match")

    with pytest.raises(TeacherError, match="shapes do not match"):
        load_teacher(Fails(), domain=BOX).predict(BOX.sample(3))


def test_gradients_come_in_batches_too(monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 50), torch.nn.Tanh(), torch.nn.Linear(50, 2))
    x = BOX.sample(300)
    whole = load_teacher(module, domain=BOX, outputs=["p", "q"]).gradient(x)
    monkeypatch.setattr(batches, "CPU_BUDGET", 50_000)
    parts = load_teacher(module, domain=BOX, outputs=["p", "q"]).gradient(x)
    np.testing.assert_allclose(parts, whole, rtol=1e-13, atol=1e-15)


def test_small_batches_take_one_thread_and_leave_the_others_as_they_were(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        used = []

        def ask(x: torch.Tensor) -> torch.Tensor:
            used.append(torch.get_num_threads())
            return x * 2

        batches.in_batches(ask, torch.zeros(100, 3), "cpu")
        assert set(used) == {1}
        assert torch.get_num_threads() == 2
        monkeypatch.setattr(batches, "SHARED", 100)
        used.clear()
        batches.in_batches(ask, torch.zeros(100, 3), "cpu")
        assert used[-1] == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
