"""Slurm's queue, asked through its own commands; accounting, which not all have, is not used."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from distill.errors import ClusterError

COMPLETED = "COMPLETED"

ENDED = frozenset(
    f"BOOT_FAIL CANCELLED {COMPLETED} DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED "
    "TIMEOUT".split()
)
"""States that nothing follows. What is requeued is pending again."""

ASK_SECONDS = 60
"""How long one of Slurm's commands may take."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0
"""Seconds between two looks: a twentieth of the time waited so far, within these."""

_STEADY = (
    "`sinfo` and `scontrol ping` say how the cluster is; the same command goes on with the sweep."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Element:
    """One element of an array, a range of those not begun yet, or a job that is no array.

    Attributes
    ----------
    array : the number that ``scancel`` takes; ``index`` is empty where there is no array.
    state : Slurm's word for it, as RUNNING.
    """

    array: str
    index: str
    state: str

    @property
    def name(self) -> str:
        """As Slurm writes it: ``57_3``."""
        return f"{self.array}_{self.index}" if self.index else self.array

    @property
    def active(self) -> bool:
        """It runs, ends or waits."""
        return self.state not in ENDED


@dataclass
class Queue:
    """What was submitted from scripts in one folder: Slurm keeps the script's path with each job.

    So a sweep that is gone on with finds what an earlier driver has started, however that died.

    Attributes
    ----------
    states : the last state seen of each element, by name; Slurm forgets it minutes after its end.
    """

    folder: Path
    states: dict[str, str] = field(default_factory=dict)

    def active(self) -> list[Element]:
        """What runs, ends or waits.

        Raises
        ------
        ClusterError : when Slurm does not answer.
        """
        text = ask("squeue", "--me", "--noheader", "--states=all", "--format=%F|%K|%T|%o")
        rows = [line.split("|", 3) for line in text.splitlines() if line.count("|") >= 3]
        inside = f"{self.folder.absolute()}/"
        elements = [
            Element(array, "" if index == "N/A" else index, state)
            for array, index, state, script in rows
            if script.startswith(inside)
        ]
        self.states.update((e.name, e.state) for e in elements)
        return [e for e in elements if e.active]

    def wait(self) -> None:
        """Return when nothing is active any more.

        A controller that does not answer is asked again: what runs goes on without it.
        """
        began, said = time.monotonic(), False
        while True:
            try:
                if not self.active():
                    return
            except ClusterError as error:
                if not said:
                    log.warning("%s\nAsking again until it answers.", error)
                said = True
            waited = time.monotonic() - began
            time.sleep(min(max(FIRST_PAUSE, waited / 20), LONGEST_PAUSE))

    @contextmanager
    def cancelled_by_ctrl_c(self) -> Iterator[None]:
        """Ctrl-C in the block ends what is active."""
        try:
            yield
        except KeyboardInterrupt:
            arrays = sorted({e.array for e in self.active()})
            if arrays:
                ask("scancel", *arrays)
                log.warning("cancelled in Slurm: %s", ", ".join(arrays))
            raise

    def deaths(self) -> str:
        """What ended otherwise than by itself, in words: ``2 TIMEOUT (first 57_3)``; else empty."""
        dead = {n: s for n, s in self.states.items() if s in ENDED and s != COMPLETED}
        return ", ".join(
            f"{count} {state} (first {next(n for n, s in dead.items() if s == state)})"
            for state, count in Counter(dead.values()).most_common()
        )


def largest_array() -> int:
    """How many elements an array may have on this cluster.

    Raises
    ------
    ClusterError : when there is no Slurm here, or it does not answer.
    """
    text = ask("scontrol", "show", "config")
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", text, re.MULTILINE)
    # An index must be smaller than it, and they count from 0.
    return max(1, int(found.group(1))) if found else 1


def ask(command: str, *arguments: str) -> str:
    """What one of Slurm's commands prints.

    Raises
    ------
    ClusterError : when it is not installed, fails or does not end.
    """
    if shutil.which(command) is None:
        raise ClusterError(
            f"`{command}` is not installed here.",
            where="hydra/launcher=slurm",
            hint="call distill on a machine from which `sbatch` works, as a login node; "
            "on one machine take hydra/launcher=joblib.",
        )
    try:
        answer = subprocess.run(
            [command, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=ASK_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        says = error.stderr.strip() or f"it left with {error.returncode}"
        raise ClusterError(f"`{command}` failed: {says}", where="Slurm", hint=_STEADY) from error
    except subprocess.TimeoutExpired as error:
        says = f"`{command}` did not answer within {ASK_SECONDS} s."
        raise ClusterError(says, where="Slurm", hint=_STEADY) from error
    return answer.stdout
