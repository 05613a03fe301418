from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from distill.config import conf_directory
from distill.errors import ConfigError
from distill.firmware.target import load_target
from distill.formula.operators import OPERATORS

FILES = sorted((conf_directory() / "target").glob("*.yaml"))


def data(file: Path) -> dict[str, object]:
    content = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


PIC32 = data(conf_directory() / "target" / "pic32.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_target_loads_and_is_named_after_its_file(file: Path) -> None:
    target = load_target(data(file))
    assert target.name == file.stem
    assert set(target.operations) == set(OPERATORS)
    assert target.operations["add"] == 1.0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_of_a_shipped_target_has_a_comment(file: Path) -> None:
    head, _, _ = file.read_text().partition("operations:")
    keys = [line for line in head.splitlines() if not line.startswith("#")]
    assert keys
    assert all(" # " in line for line in keys), [line for line in keys if " # " not in line]


def test_pic32_is_dear_in_functions_and_the_host_is_not() -> None:
    pic32, host = load_target(PIC32), load_target(data(conf_directory() / "target" / "host.yaml"))
    assert pic32.operations["atan"] > 5
    assert pic32.instructions["add"] > 20 > host.instructions["add"]
    assert not pic32.fpu
    assert host.fpu


@pytest.mark.parametrize("key", list(PIC32))
def test_a_missing_key_is_named(key: str) -> None:
    given = {k: v for k, v in PIC32.items() if k != key}
    with pytest.raises(ConfigError, match="is missing") as caught:
        load_target(given)
    assert caught.value.where == f"target.{key}"


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("flash_bytes", 0, "1 or more"),
        ("flash_bytes", "64k", "whole number"),
        ("ram_bytes", True, "whole number"),
        ("stack_bytes", 1.5, "whole number"),
        ("optimization", "-O9", "-Os, -O1, -O2, -O3"),
        ("emulator", "z80", "mipsel"),
        ("toolchain", "magic", "wheels"),
        ("fpu", 1, "true, false"),
        ("int_bits", 24, "16, 32, 64"),
        ("flags", "-lm", "list"),
        ("flags", ["source.c"], "list"),
        ("name", "double", "word of the C"),
        ("description", "two\nlines", "one line"),
        ("operations", None, "by operator name"),
    ],
)
def test_an_unusable_value_is_refused_with_what_is_allowed(
    key: str, value: object, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_target({**PIC32, key: value})
    assert caught.value.where == f"target.{key}"
    assert f"`target.{key}`" in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize("value", [None, 0, -1.0, float("nan"), float("inf"), "1", True])
def test_an_operation_needs_a_positive_count(value: object) -> None:
    operations = PIC32["operations"]
    assert isinstance(operations, dict)
    with pytest.raises(ConfigError) as caught:
        load_target({**PIC32, "operations": {**operations, "sqrt": value}})
    assert caught.value.where == "target.operations.sqrt"


def test_an_unknown_key_and_an_unknown_operation_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        load_target({**PIC32, "flash": 1})
    assert caught.value.where == "target.flash"
    assert "flash_bytes" in caught.value.hint
    operations = PIC32["operations"]
    assert isinstance(operations, dict)
    with pytest.raises(ConfigError) as caught:
        load_target({**PIC32, "operations": {**operations, "gamma": 3}})
    assert caught.value.where == "target.operations.gamma"
