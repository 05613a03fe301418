"""The teachers of the trials: functions that are slow, silent, greedy or chatty, and networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

INPUTS = "abcdef"

STEEP = 2.0
"""The size of weights that proofs go on long with."""

QUICK_NOW = "quick_now"
"""A file beside the functions: where it is, none of them is slow. A search alone is to be slow."""

ASKED = "asked"
"""A file to which the functions add a line a call: at how many points they were asked."""

MODULE = f'''
import sys
import time
from pathlib import Path

import numpy as np

HELD = []


def asked():
    """At how many points there was an answer so far."""
    file = Path("{ASKED}")
    return sum(map(int, file.read_text().split())) if file.exists() else 0


def quick(x):
    """No short formula is near it, so that a search goes on as long as it may."""
    with open("{ASKED}", "a") as file:
        file.write(f"{{len(x)}}\\n")
    a, b, c = x.T
    waves = np.sin(7 * a * b + 3 * c) + np.abs(np.cos(5 * b * c - a))
    return np.tanh(2 * waves) * np.sqrt(1 + a * c) + 0.3 * np.sin(9 * c) / (1 + b)


def slow(x):
    if not Path("{QUICK_NOW}").exists():
        time.sleep(0.05 * len(x))
    return quick(x)


def hangs(x):
    if asked() > 500:
        time.sleep(3600)
    return quick(x)


def grows(x):
    """Takes 50 MB more a call, a few calls a second."""
    HELD.append(np.ones(6_250_000))
    time.sleep(0.1)
    return quick(x)


def leaps(x):
    """Takes 3 GB at once."""
    HELD.append(np.ones(375_000_000))
    time.sleep(3600)


def grows_later(x):
    """The same, but not before the search."""
    return grows(x) if asked() > 500 else quick(x)


def chatty(x):
    """Says 100 MB a call, in the sample."""
    if asked() > 200:
        return quick(x)
    for _ in range(1000):
        sys.stdout.write("word " * 20_000)
        sys.stdout.flush()
    time.sleep(0.1)
    return quick(x)
'''


def write_functions(folder: Path) -> None:
    """Put the module where a command will be given."""
    (folder / "their_functions.py").write_text(MODULE, encoding="utf-8")


def write_network(path: Path, layers: Sequence[int]) -> None:
    """Weights of a network with tanh, so steep that proofs go on long."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    weights = {}
    for number, (before, after) in enumerate(pairwise(layers)):
        scale = STEEP / np.sqrt(before)
        weights[f"{2 * number}.weight"] = (scale * rng.normal(size=(after, before))).astype("f4")
        weights[f"{2 * number}.bias"] = rng.uniform(-1, 1, after).astype("f4")
    save_file(weights, path)


def box(inputs: int) -> tuple[str, ...]:
    """Words that state the domain: so many inputs from 0 to 1."""
    return ("domain=box", *(f"+domain.variables.{n}={{low: 0, high: 1}}" for n in INPUTS[:inputs]))
