"""On what was measured: the machine, how busy it was, versions and the day."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("distill", "numpy", "torch", "scikit-learn", "pyoperon", "mlflow", "ziglang")
"""Whose versions decide figures."""

BUSY = 0.5
"""A load a core above which seconds are said to be of a busy machine."""


@dataclass(frozen=True)
class Conditions:
    """The machine, its load when the run began (None: not noted), versions, and the day (UTC)."""

    processor: str
    cores: int
    memory_gib: float
    load: float | None
    versions: dict[str, str]
    day: str

    @property
    def machine(self) -> str:
        """Processor, cores and memory."""
        return f"{self.processor}, {self.cores} cores, {self.memory_gib:.0f} GiB"

    @property
    def busy(self) -> str:
        """The load, and whether that was other work."""
        if self.load is None:
            return "the load was not noted"
        other = self.load > BUSY * self.cores
        return f"load {self.load:.1f} at the start" + (", so busy with other work" if other else "")

    def text(self) -> str:
        """One sentence for a page of figures."""
        return f"Measured on {self.day}: {self.machine}; {self.busy}; {self.software}."

    @property
    def software(self) -> str:
        """Names and versions."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


def now() -> Conditions:
    """The conditions at this moment: to be asked before a run begins."""
    return Conditions(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        load=os.getloadavg()[0],
        versions={"Python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES},
        day=datetime.now(UTC).date().isoformat(),
    )


def _processor() -> str:
    """Its name: Linux's own, as Python knows none there."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
