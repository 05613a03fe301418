import sys
from pathlib import Path

import pytest

from distill.domain import Domain

FUNCTIONS = '''
"""Functions of a user, good and bad."""
import os, sys, time
import numpy as np


def product(x):
    """Product of the inputs."""
    return x[:, 0] * x[:, 1]


def both(x):
    return np.column_stack([x.sum(axis=1), x.prod(axis=1)])


def scalar(a, b):
    return a * b


def chatty(x):
    print("thinking ...")
    print("still thinking", file=sys.stderr)
    return x[:, 0]


def spoils_its_input(x):
    x *= 2
    return x[:, 0]


def hangs(x):
    while True:
        pass


def sleeps(x):
    time.sleep(60)


def hangs_above_one(x):
    if (x[:, 0] > 1).any():
        time.sleep(60)
    return x[:, 0]


def dies(x):
    os.abort()


def leaves(x):
    print("no licence", file=sys.stderr)
    sys.exit(3)


def refuses_large(x):
    if (x[:, 0] > 1.5).any():
        raise ValueError("valve is stuck")
    return x[:, 0]


def nothing(x):
    return None


def one_number(x):
    return 1.0


def a_row(x):
    return x[:, :1].T


def text(x):
    return np.array(["a"] * len(x))


def some_none(a, b):
    return None if a > 1.5 else a


def complex_root(x):
    return np.sqrt(x[:, 0].astype(complex) - 1.5)


def big(a, b):
    return 10**30


def partly_nan(x):
    return np.where(x[:, 0] > 1.5, np.nan, x[:, 0])


not_a_function = 3
'''


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of the user's, in the working folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "their_model.py").write_text(FUNCTIONS)
    monkeypatch.chdir(folder)
    assert "their_model" not in sys.modules
    return "their_model"


@pytest.fixture
def box() -> Domain:
    return Domain.box(a=(1, 2, "m"), b=(3, 5))
