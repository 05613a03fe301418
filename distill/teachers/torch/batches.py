"""Batches as large as memory allows, and smaller ones where it turns out to allow less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from distill.errors import TeacherError

if TYPE_CHECKING:
    import torch

MOST = 65_536
"""Points evaluated at once, however little memory each needs."""

FEW = 16
"""So many points are asked without measuring first."""

SHARED = 64 * 2**20
"""Bytes of activations from which on a batch is worth more than one thread. Below, threads wait for
each other longer than they work: on a busy machine by a factor of ten."""

CPU_BUDGET = 512 * 2**20
"""Bytes that the activations of one batch may take in main memory."""


def bytes_made(ask: Callable[[], object]) -> tuple[int, int]:
    """Bytes of all tensors that are made while something is asked, and of the largest."""
    from torch.utils._python_dispatch import TorchDispatchMode

    sizes = [0]

    class Watching(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # to keep its compiler out, torch would load it first, for seconds

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            sizes.extend(t.numel() * t.element_size() for t in _tensors(result))
            return result

    with Watching():  # type: ignore[no-untyped-call]
        ask()
    return sum(sizes), max(sizes)


def bytes_per_point(ask: Callable[[torch.Tensor], object], points: torch.Tensor) -> float:
    """Bytes of all tensors made on the way from ``points`` (n, ...) to the answers, by point.

    Without a gradient many of them are freed at once: it is an upper bound, and with one about
    what is kept.
    """
    return bytes_made(lambda: ask(points))[0] / len(points)


def batch_size(needed: float, device: str) -> int:
    """How many points of ``needed`` bytes fit into the budget of a device, 1 at least."""
    import torch

    budget = CPU_BUDGET if device == "cpu" else torch.cuda.mem_get_info()[0] // 4
    return int(max(1, min(MOST, budget // max(needed, 1.0))))


@contextmanager
def threads_for(size: float) -> Iterator[None]:
    """One thread of torch's for so many bytes of activations, or as many as it has."""
    import torch

    before = torch.get_num_threads()
    if size >= SHARED or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_batches(
    ask: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor, device: str
) -> torch.Tensor:
    """The answers to all points, asked in batches that fit into memory.

    A batch for which there is no memory after all is asked in halves.

    Raises
    ------
    TeacherError : when there is not enough for a single point.
    """
    import torch

    needed, size = 0.0, MOST
    if len(points) > FEW:
        with threads_for(0.0):
            needed = bytes_per_point(ask, points[:2])
        size = batch_size(needed, device)
    answers: list[torch.Tensor] = []
    at = 0
    while at < len(points):
        part = points[at : at + size]
        try:
            with threads_for(needed * len(part)):
                answers.append(ask(part))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if len(part) == 1:
                raise TeacherError(
                    "one point alone needs more memory than there is.",
                    where=f"device {device}",
                    hint="use a machine with more, or a smaller network.",
                ) from error
            size = len(part) // 2
            if device != "cpu":
                torch.cuda.empty_cache()
            continue
        at += len(part)
    return torch.cat(answers)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on the CPU torch has no type of its own for it."""
    import torch

    text = str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        "can't allocate memory" in text or "not enough memory" in text
    )


def _tensors(result: object) -> Iterator[torch.Tensor]:
    import torch

    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _tensors(part)
