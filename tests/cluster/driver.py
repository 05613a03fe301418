"""A sweep without its jobs: ``driver.py FOLDER SECONDS,... WORD...`` launches tasks that sleep.

A task whose seconds are negative kills itself instead, the first time; a file ``go`` ends all
sleep. What each did is left in the folder: ``began0`` has a sign for each time, ``ended0`` how it
ended and what it was given.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext
from omegaconf import DictConfig

from distill.config.folder import conf_directory
from distill.errors import DistillError
from distill.sweeping.launch import launch, rejoin


@dataclass(frozen=True)
class Sleep:
    folder: Path
    seconds: tuple[float, ...]

    def __call__(self, composed: DictConfig) -> None:
        job = HydraConfig.get().job
        began, ended = (self.folder / f"{word}{job.num}" for word in ("began", "ended"))
        try:
            with began.open("a") as file:
                file.write("+")
            if self.seconds[job.num] < 0 and began.read_text() == "+":
                os.kill(os.getpid(), signal.SIGKILL)
            end = time.monotonic() + abs(self.seconds[job.num])
            while time.monotonic() < end and not (self.folder / "go").exists():
                time.sleep(0.1)
        except KeyboardInterrupt:
            if began.exists():
                ended.write_text("told to end")
            raise
        said = {
            "tolerance": composed.tolerance,
            "threads": os.environ["OMP_NUM_THREADS"],
            "element": job.id,
        }
        ended.write_text(" ".join(f"{key}={value}" for key, value in said.items()))


def main(folder: Path, seconds: tuple[float, ...], words: list[str]) -> None:
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        given = ["hydra/launcher=slurm", *words]
        config = compose("config", overrides=given, return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), Callbacks())
        rejoin(context, config, folder)
        left = [n for n in range(len(seconds)) if not (folder / f"ended{n}").exists()]
        if left:
            assert left == list(range(len(seconds)))
            launch(context, config, Sleep(folder, seconds), len(seconds), ["tolerance=0.3"], folder)


if __name__ == "__main__":
    try:
        main(
            Path(sys.argv[1]),
            tuple(float(s) for s in sys.argv[2].split(",")),
            sys.argv[3:],
        )
    except DistillError as error:
        sys.exit(str(error))
