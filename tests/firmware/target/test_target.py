from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from distill.config.folder import conf_directory
from distill.errors import ConfigError
from distill.firmware.target import load_target, simulated_mcu
from distill.formula.operators import OPERATORS

FILES = sorted((conf_directory() / "target").glob("*.yaml"))


def data(file: Path) -> dict[str, object]:
    content = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


PIC32 = data(conf_directory() / "target" / "pic32.yaml")


def changed(key: str, value: object) -> dict[str, object]:
    """The PIC32 with one value changed, or one key more; dots lead into its groups."""
    content = copy.deepcopy(PIC32)
    *groups, last = key.split(".")
    inner: Any = content
    for group in groups:
        inner = inner[group]
    inner[last] = value
    return content


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_target_loads_and_is_named_after_its_file(file: Path) -> None:
    target = load_target(data(file))
    assert target.name == file.stem
    for arithmetic in ("float32", "double", "fixed"):
        assert list(target.operations(arithmetic)) == list(OPERATORS)
        assert target.operations(arithmetic)["add"] == 1.0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_of_a_shipped_target_has_a_comment(file: Path) -> None:
    head, _, _ = file.read_text().partition("operations:")
    keys = [line for line in head.splitlines() if not line.startswith("#")]
    assert keys
    assert all(" # " in line for line in keys), [line for line in keys if " # " not in line]


def test_the_seven_chips_are_there() -> None:
    shipped = {"host", "cortex_m0plus", "cortex_m4", "cortex_m4f", "pic32", "riscv32", "avr"}
    assert shipped <= {file.stem for file in FILES}


def test_only_a_chip_with_fpu_is_quick_in_floats() -> None:
    for file in FILES:
        target = load_target(data(file))
        assert (target.instructions["float32"]["add"] < 5) == target.fpu
        assert target.instructions["float32"]["sqrt"] < 5 or not target.fpu
        assert target.operations("float32")["atan"] > 5


def test_cycles_are_only_known_of_avr() -> None:
    units = {file.stem: load_target(data(file)).unit for file in FILES}
    assert {name for name, unit in units.items() if unit == "cycles"} == {"avr"}


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
        ("toolchain", "magic", "wheels, native"),
        ("fpu", 1, "true, false"),
        ("wheels", "zig", "triple, cpu, flags"),
        ("native.flags", "-lm", "list"),
        ("native.flags", ["source.c"], "list"),
        ("native.runtime", "msvc", "gcc, zig"),
        ("native.packages", "gcc", "list"),
        ("wheels.triple", 3, "one line"),
        ("name", "double", "word of the C"),
        ("description", "two\nlines", "one line"),
        ("operations", None, "by arithmetic"),
        ("operations.fixed", 3, "by operator"),
    ],
)
def test_an_unusable_value_is_refused_with_what_is_allowed(
    key: str, value: object, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_target(changed(key, value))
    assert caught.value.where == f"target.{key}"
    assert f"`target.{key}`" in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize("value", [None, 0, -1.0, float("nan"), float("inf"), "1", True])
@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_an_operation_needs_a_positive_count(arithmetic: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load_target(changed(f"operations.{arithmetic}.sqrt", value))
    assert caught.value.where == f"target.operations.{arithmetic}.sqrt"


@pytest.mark.parametrize(
    ("key", "among"),
    [
        ("flash", "flash_bytes"),
        ("native.program", "compiler"),
        ("operations.double", "float32, fixed"),
        ("operations.fixed.gamma", "sqrt"),
    ],
)
def test_an_unknown_key_is_refused_with_those_there_are(key: str, among: str) -> None:
    with pytest.raises(ConfigError, match="is not known") as caught:
        load_target(changed(key, 1))
    assert caught.value.where == f"target.{key}"
    assert among in caught.value.hint


def test_a_toolchain_without_a_compiler_for_the_chip_is_refused() -> None:
    avr = data(conf_directory() / "target" / "avr.yaml")
    with pytest.raises(ConfigError, match="no compiler for avr") as caught:
        load_target({**avr, "toolchain": "wheels"})
    assert caught.value.hint == "target.toolchain=native"
    assert load_target(changed("toolchain", "native")).toolchain == "native"


def test_an_avr_target_must_name_its_chip() -> None:
    avr = data(conf_directory() / "target" / "avr.yaml")
    assert simulated_mcu(load_target(avr)) == "atmega328p"
    native = avr["native"]
    assert isinstance(native, dict)
    with pytest.raises(ConfigError, match="name no chip"):
        load_target({**avr, "native": {**native, "flags": []}})
