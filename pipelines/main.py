"""The main pipeline: what ``distill run`` does, to be read, run and changed.

    python pipelines/main.py target=host tolerance=0.2

Overrides are those of ``distill run``. Every stage keeps its result, so that a repeated run reuses
what did not change; ``distill.pipeline.search`` and ``distill.delivery.ship`` show the stages.
"""

from __future__ import annotations

import sys

from hydra import compose, initialize_config_dir

from distill.config.folder import conf_directory
from distill.config.schema import read_config
from distill.delivery import shipping
from distill.firmware.target import load_target
from distill.pipeline import one_output
from distill.voices.terminal import Terminal


def main(overrides: list[str]) -> None:
    """Distill one teacher."""
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        config = read_config(compose("config", overrides=overrides))

    with Terminal() as progress:
        # teacher + domain -> sample -> fit -> score -> measure -> select
        study = one_output.search(config, progress)
        print(study.front[["complexity", "max_error", "instructions", "formula"]].to_string())
        print(study.selection.reason)

        # -> export -> verify; nothing chosen means that the table alone is exported
        chosen, target = study.chosen, load_target(config.target)
        shipped = shipping.ship(
            study.context,
            chosen.candidate if chosen else None,
            chosen.score.max_error if chosen else None,
            target,
            shipping.export_directory(config, study.context.teacher, target),
            progress,
        )
    print(shipped.bundle.source)
    for check in shipped.evidence.checks if shipped.evidence else ():
        print(f"  {check.name}: {check.detail}")


if __name__ == "__main__":
    main(sys.argv[1:])
