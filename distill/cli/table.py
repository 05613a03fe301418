"""The commands by name; heavy rooms are imported by the one that runs."""

from __future__ import annotations

from distill.cli import (
    check,
    choose,
    compare,
    doctor,
    export,
    report,
    reproduce,
    run,
    sample,
    sync,
    ui,
    verify,
)
from distill.cli import list as list_
from distill.cli.command import Command

COMMANDS: dict[str, Command] = {
    "run": Command(
        "sample, fit, score, measure, select, export, verify, and log to MLflow",
        "run [--quiet | --json] [-m] [GROUP=OPTION ...] [KEY=VALUE ...]",
        run.run,
    ),
    "sample": Command(
        "ask a slow teacher ahead, in parts over processes or a cluster",
        "sample [--quiet | --json] [sampling.jobs=N] [hydra/launcher=joblib|slurm]"
        " [GROUP=OPTION ...] [KEY=VALUE ...]",
        sample.run,
    ),
    "compare": Command(
        "hold recorded studies against each other",
        "compare STUDY STUDY ... [sweep=NAME] [out=FILE.csv|FILE.json] [root=FOLDER]",
        compare.run,
    ),
    "choose": Command(
        "make a candidate the champion in MLflow, with its C",
        "choose [--quiet | --json] run=RUN_ID|models:/NAME/VERSION|STUDY [c=false] [trust=true]"
        " [root=FOLDER] [uri=MLFLOW]",
        choose.run,
    ),
    "export": Command(
        "write the C of a candidate that MLflow knows",
        "export [--quiet | --json] run=RUN_ID|models:/NAME@champion|STUDY [target=TARGET]"
        " [export.KEY=VALUE ...] [trust=true] [root=FOLDER] [uri=MLFLOW]",
        export.run,
    ),
    "check": Command(
        "verify the proven bound in a certificate.json, box by box",
        "check FILE [teacher=NAME|FILE] [jobs=N] [budget=N]",
        check.run,
    ),
    "verify": Command(
        "hold a bundle, anybody's, against what it states: written again, compiled, run",
        "verify [--quiet | --json] BUNDLE [teacher=NAME|FILE] [points=N] [target.KEY=VALUE ...]",
        verify.run,
    ),
    "reproduce": Command(
        "do a study of MLflow again, from its run alone, and say what differs",
        "reproduce [--quiet | --json] RUN_ID|STUDY [teacher.source=FILE] [KEY=VALUE ...]"
        " [trust=true] [root=FOLDER] [uri=MLFLOW]",
        reproduce.run,
    ),
    "report": Command(
        "write the page of a recorded study: front, formulas, errors, costs, C",
        "report [STUDY] [out=FILE] [root=FOLDER]",
        report.run,
    ),
    "ui": Command(
        "open MLflow on the candidates",
        "ui [port=5000] [open=true] [root=FOLDER] [uri=MLFLOW]",
        ui.run,
    ),
    "sync": Command(
        "log to MLflow every study that is on disk and not there yet",
        "sync [study=STUDY] [--quiet | --json] [root=FOLDER] [uri=MLFLOW]",
        sync.run,
    ),
    "doctor": Command("what this machine has, and what is missing", "doctor", doctor.run),
    "list": Command(
        "shipped teachers, engines and targets", "list [teachers] [engines] [targets]", list_.run
    ),
}
