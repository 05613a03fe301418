"""Where a network runs, and in which precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from distill.errors import ConfigError

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "float64"]


def device_named(text: str) -> str:
    """``cpu`` or ``cuda`` for what a user asks for: those two, or ``auto``.

    Raises
    ------
    ConfigError : for another word, or for ``cuda`` where there is none.
    """
    import torch

    where = "config key `teacher.options.device`"
    if text not in {"cpu", "cuda", "auto"}:
        raise ConfigError(f"`{text}` is no device.", where=where, hint="allowed: cpu, cuda, auto.")
    there = torch.cuda.is_available()
    if text == "cuda" and not there:
        raise ConfigError(
            "this machine has no CUDA device that torch can use.",
            where=where,
            hint="say auto (CUDA where there is one) or cpu; "
            "`python -c 'import torch; print(torch.version.cuda)'` tells what torch was built for.",
        )
    return "cuda" if there and text != "cpu" else "cpu"


def precision_named(text: object) -> Precision:
    """The precision a user asks for.

    Raises
    ------
    ConfigError : for another word.
    """
    if text == "float32" or text == "float64":  # noqa: PLR1714  # narrows the type
        return text
    raise ConfigError(
        f"`{text}` is no precision.",
        where="config key `teacher.options.dtype`",
        hint="allowed: float32, float64.",
    )


def dtype_of(precision: Precision) -> torch.dtype:
    """Torch's name for it."""
    import torch

    return torch.float32 if precision == "float32" else torch.float64
