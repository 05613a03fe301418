"""Small bundles written by hand, of which tests replace parts by faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

import distill.firmware.verify as verify_module
from distill.arrays import Array
from distill.config.folder import conf_directory
from distill.domain import Domain
from distill.firmware.evidence import Check, Evidence
from distill.firmware.fixed.formats import QFormat, input_formats
from distill.firmware.harness import Number
from distill.firmware.interface import make_interface
from distill.firmware.subject import Subject
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import HostCompiler, host_compilers
from distill.firmware.verify import verify_bundle

DOMAIN = Domain.box(a=(-2, 2, "V"), b=(0.5, 4, "A"))

HEADER = """#ifndef PROBE_H
#define PROBE_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
float probe(float a, float b);
#ifdef __cplusplus
}
#endif
#endif
"""

# Clamps as its model does; NaN stays NaN.
SOURCE = """#include "probe.h"
#include <math.h>
float probe(float a, float b)
{
    if (a < -2.0f) { a = -2.0f; }
    if (a > 2.0f) { a = 2.0f; }
    if (b < 0.5f) { b = 0.5f; }
    if (b > 4.0f) { b = 4.0f; }
    return expf(a) / b;
}
"""

SELFTEST = """#include "probe.h"
int probe_selftest(void);
int probe_selftest(void)
{
    const float y = probe(0.0f, 2.0f);
    return ((y > 0.49f) && (y < 0.51f)) ? 0 : 1;
}
"""

MAIN = """#include <stdio.h>
int probe_selftest(void);
int main(void)
{
    const int failed = probe_selftest();
    (void)printf("%d failed\\n", failed);
    return failed;
}
"""

# The same clamps; the answer is a + b in steps of 2^-20, halves rounded up.
INTEGERS = """#include "probe.h"
int32_t probe(int32_t a, int32_t b)
{
    if (a < -536870912) { a = -536870912; }
    if (a > 536870912) { a = 536870912; }
    if (b < 67108864) { b = 67108864; }
    if (b > 536870912) { b = 536870912; }
    {
        const int64_t sum = (int64_t)a + ((int64_t)b * 2) + 274877906944;
        return (int32_t)((uint32_t)((uint64_t)sum >> 8)) - 1073741824;
    }
}
"""

OUTPUT = QFormat(20)


def exponential(x: Array) -> Array:
    inside = np.clip(x, DOMAIN.low, DOMAIN.high)
    result: Array = np.exp(inside[:, 0]) / inside[:, 1]
    return result


def wavy(x: Array) -> Array:
    return exponential(x) + 0.01 * np.sin(7 * x[:, 0])


def total(x: Array) -> Array:
    result: Array = x[:, 0] + x[:, 1]
    return result


def whole_total(x: Array) -> Array:
    """What the integer probe answers, of integers as it gets them."""
    a = np.clip(x[:, 0], -(2**29), 2**29)
    b = np.clip(x[:, 1], 2**26, 2**29)
    return np.floor((a + 2 * b) / 256)


@dataclass(frozen=True)
class Probe:
    """The texts of a bundle, and its promises."""

    source: str = SOURCE
    selftest: str = SELFTEST
    header: str = HEADER
    model: Callable[[Array], Array] = exponential
    truth: Callable[[Array], Array] | None = wavy
    tolerance: float = 0.0101
    allowed_rounding: float = 5e-6
    number: Number = "float32"
    output: QFormat | None = None
    variants: tuple[str, ...] = ()
    answers_everywhere: bool = True
    seconds: float = 60.0

    def but(self, old: str, new: str, **changes: object) -> Probe:
        """The probe with another text in its source."""
        assert old in self.source
        return replace(self, source=self.source.replace(old, new), **changes)

    def write(self, folder: Path) -> Path:
        """Write the four files."""
        texts = {"probe.h": self.header, "probe.c": self.source, "main.c": MAIN}
        for name, text in (texts | {"probe_selftest.c": self.selftest}).items():
            (folder / name).write_text(text)
        return folder


@pytest.fixture
def probe() -> Probe:
    """exp(a) / b by the C library."""
    return Probe()


@pytest.fixture
def exact() -> Probe:
    """a * b in floats, without a library: every bit is promised."""

    def model(x: Array) -> Array:
        a, b = np.clip(x, DOMAIN.low, DOMAIN.high).astype(np.float32).T
        result: Array = (a * b).astype(float)
        return result

    source = SOURCE.replace("expf(a) / b", "a * b").replace("#include <math.h>\n", "")
    selftest = SELFTEST.replace("probe(0.0f, 2.0f)", "probe(0.25f, 2.0f)")
    return Probe(source, selftest, model=model, truth=None, allowed_rounding=0.0)


@pytest.fixture
def integers() -> Probe:
    """a + b in fixed point, with integers at the door."""
    assert input_formats(DOMAIN) == (QFormat(28), QFormat(27))
    selftest = SELFTEST.replace("float y = probe(0.0f, 2.0f)", "int32_t y = probe(0, 134217728)")
    selftest = selftest.replace("(y > 0.49f) && (y < 0.51f)", "y == 1048576")
    return Probe(
        INTEGERS,
        selftest,
        HEADER.replace("float", "int32_t"),
        whole_total,
        total,
        1e-6,
        0.0,
        "int32",
        OUTPUT,
    )


@cache
def target_of(name: str) -> Target:
    """A target of the package."""
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / f"{name}.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


@pytest.fixture
def target() -> Callable[[str], Target]:
    """A target by its name."""
    return target_of


@pytest.fixture
def compiler() -> HostCompiler:
    """The first compiler of this machine."""
    return host_compilers()[0]


@pytest.fixture
def subject(tmp_path: Path) -> Callable[[Probe], Subject]:
    """A probe written to disk, as the checks see it."""

    def make(probe: Probe) -> Subject:
        folder = tmp_path / "bundle"
        folder.mkdir(exist_ok=True)
        return Subject(
            directory=probe.write(folder),
            name="probe",
            interface=make_interface(DOMAIN, probe.number, probe.output),
            variants=probe.variants,
            answers_everywhere=probe.answers_everywhere,
            seconds=probe.seconds,
            model=probe.model,
            truth=probe.truth,
            tolerance=probe.tolerance,
            allowed_rounding=probe.allowed_rounding,
            fixed=probe.output is not None,
        )

    return make


@pytest.fixture
def no_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Frama-C out, where it is installed: it takes most of a minute."""
    left_out = Check("all values, Frama-C", None, "left to the slow tests")
    monkeypatch.setattr(verify_module, "check_values", lambda code, folder: (left_out, {}))


@pytest.fixture
def verify(tmp_path: Path, no_proofs: None) -> Callable[..., Evidence]:
    """The whole verification of a probe."""

    def run(probe: Probe, **options: object) -> Evidence:
        given = {
            "inputs": DOMAIN.sample(200), "target": target_of("pic32"), "points": 5000,
            "domain": DOMAIN, "compilers": host_compilers()[:1],
        } | options  # fmt: skip
        names = (
            "model", "truth", "tolerance", "allowed_rounding", "number", "output", "variants",
            "answers_everywhere", "seconds",
        )  # fmt: skip
        given |= {name: getattr(probe, name) for name in names}
        return verify_bundle(probe.write(tmp_path), "probe", **given)  # type: ignore[arg-type]

    return run


@pytest.fixture
def outcome() -> Callable[[Evidence, str], Check]:
    """The one check whose name holds a text."""

    def find(evidence: Evidence, part: str) -> Check:
        (check,) = [check for check in evidence.checks if part in check.name]
        return check

    return find
