"""Writing the page of a recorded study."""

from __future__ import annotations

from pathlib import Path

from distill.errors import StorageError
from distill.files import write_whole
from distill.progress import Progress, Silent
from distill.reporting.targets import with_every_target
from distill.tracking.record_folder import load_record
from distill.tracking.recorded import find_study


def write_report(name: str, root: Path, out: Path | None, progress: Progress | None = None) -> Path:
    """Write the page of a recorded study; gives the file.

    ``name`` is what people call it: nothing for the newest, a teacher's name for its newest, a
    study's name, the start of a key, a folder. Without ``out`` it is ``report.html`` beside the
    record. The chosen formula is measured on the targets where that was not done before.

    Raises
    ------
    ConfigError : when there is no such study.
    StorageError : when its record is broken, or the file cannot be written.
    """
    from distill.tracking.report import study_report

    folder = find_study(root, name).folder
    file = out or folder / "report.html"
    if file.is_dir():
        raise StorageError(
            "this is a folder.", where=str(file), hint="give a file, such as out=report.html."
        )
    record = with_every_target(load_record(folder), folder, progress or Silent())
    write_whole(file, study_report(record))
    return file
