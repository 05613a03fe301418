"""Networks and archives of the tests."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.target,)


@pytest.fixture
def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).eval()


def export(module: torch.nn.Module, path: Path, example: torch.Tensor, fixed: bool = False) -> Path:
    """A torch.export archive of the module, for any batch or that of the example."""
    shapes = None if fixed else ({0: torch.export.Dim("n")},)
    program = torch.export.export(module, (example.clone(),), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


@pytest.fixture
def archive(network: torch.nn.Module, tmp_path: Path) -> Path:
    """A good archive of (2,) -> (3,), for any batch."""
    return export(network, tmp_path / "net.pt2", torch.zeros(3, 2))


def rewritten(source: Path, target: Path, **changes: Callable[[bytes], bytes]) -> Path:
    """A copy of an archive with entries changed, each named by a part of its name."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            for part, change in changes.items():
                if part in info.filename.replace("/", "_").replace(".", "_"):
                    data = change(data)
            new.writestr(info.filename, data)
    return target


def edited(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    """A change of an entry's JSON."""

    def edit(data: bytes) -> bytes:
        whole = json.loads(data)
        change(whole)
        return json.dumps(whole).encode()

    return edit
