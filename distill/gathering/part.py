"""What a launcher starts: one part of the points is asked, and a record of it is left on disk."""

from __future__ import annotations

import json
import shutil
import socket
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock
from omegaconf import DictConfig

from distill.config.schema import StudyConfig, read_config
from distill.errors import BUG, DistillError, StorageError, TeacherError
from distill.files import disk_errors, write_whole
from distill.gathering.points import open_first, points_asked, slow_one
from distill.interrupts import not_lost
from distill.teachers.simulator import Tally

HOPELESS = 16
"""A teacher that has no answer at so many points, and never had one, is not asked on."""


class Abandoned(StorageError):
    """Nobody waits for this part any more."""


@dataclass(frozen=True)
class PartRecord:
    """How a part ended.

    Attributes
    ----------
    kept : points of the part whose answers are on disk; the others had none in time.
    failed : points without an answer, by reason.
    problem : what kept it from asking all its points: what, where and hint; None where nothing did.
    exit_code : of the problem; 0 without one.
    """

    kept: int
    failed: Mapping[str, int] = field(default_factory=dict)
    problem: Mapping[str, str] | None = None
    exit_code: int = 0
    host: str = field(default_factory=socket.gethostname)


@dataclass(frozen=True)
class Folder:
    """The files of one command, by the number of a part. Once it is gone, its parts stop."""

    path: Path

    def asked(self) -> int:
        """How many questions were begun in all parts."""
        return sum(file.stat().st_size for file in self.path.glob("*.asked"))

    def ledger(self, number: int) -> Path:
        """A file as long as the number of questions that the part has begun."""
        return self.path / f"{number}.asked"

    def lock(self, number: int) -> FileLock:
        """Held by who asks the part."""
        return FileLock(self.path / f"{number}.lock")

    def record(self, number: int) -> PartRecord | None:
        """How a part ended; None when it has not."""
        try:
            data = json.loads((self.path / f"{number}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return PartRecord(**data)

    def end(self) -> None:
        """Have all parts stop that still ask: nobody wants to know."""
        gone = self.path.with_name(f"{self.path.name}.ended")
        with suppress(FileNotFoundError):
            self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def keep(self, number: int, record: PartRecord) -> None:
        """Write down how a part ended."""
        if self.path.is_dir():
            write_whole(self.path / f"{number}.json", json.dumps(asdict(record)))


@dataclass(frozen=True)
class Ledger:
    """Writes questions down before they are asked, so that no kill makes them uncounted."""

    file: Path

    def __call__(self, questions: int) -> None:
        """Count questions.

        Raises
        ------
        Abandoned : when the command that wanted the answers has ended.
        """
        try:
            with disk_errors(self.file), self.file.open("ab", buffering=0) as file:
                file.write(b"." * questions)
        except StorageError:
            if self.file.parent.is_dir():
                raise
            raise Abandoned("the command that asked for this part has ended.") from None


@dataclass(frozen=True)
class AskParts:
    """A task of a launcher: asks the part whose number Hydra tells.

    Attributes
    ----------
    parts : the numbers of the parts that are to be asked, in the order of the launcher's numbers.
    of : how many parts there are.
    fingerprint : of the teacher that is to be asked.
    """

    folder: Folder
    parts: tuple[int, ...]
    of: int
    fingerprint: str

    def __call__(self, composed: DictConfig) -> None:
        """Ask the part whose turn it is."""
        from hydra.core.hydra_config import HydraConfig

        self.ask(self.parts[int(HydraConfig.get().job.num)], composed)

    def ask(self, number: int, composed: DictConfig) -> None:
        """Ask a part, unless another process has done so in the meantime."""
        if not self.folder.path.is_dir():
            return
        with self.folder.lock(number):
            if self.folder.record(number) is None:
                try:
                    with not_lost():
                        record = self._ask(read_config(composed), number)
                except Abandoned:
                    return
                except DistillError as error:
                    problem = {"what": error.what, "where": error.where, "hint": error.hint}
                    record = PartRecord(0, problem=problem, exit_code=error.exit_code)
                except Exception:
                    problem = {"what": traceback.format_exc(), "where": "", "hint": ""}
                    record = PartRecord(0, problem=problem, exit_code=BUG)
                self.folder.keep(number, record)

    def _ask(self, config: StudyConfig, number: int) -> PartRecord:
        context = open_first(config)
        checked, teacher = slow_one(context.teacher)
        if teacher.fingerprint != self.fingerprint:
            raise TeacherError(
                f"on {socket.gethostname()} the teacher is another one.",
                where=teacher.where,
                hint="all machines need the same code of it, and the same NumPy and SciPy.",
            )
        # The budget is that of all parts, and who started them keeps it.
        teacher = replace(
            teacher,
            calls=None,
            begin=Ledger(self.folder.ledger(number)),
            hopeless=HOPELESS,
            tally=Tally(),
        )
        checked = replace(checked, teacher=teacher)
        x = points_asked(config, context.domain)[number :: self.of]
        new = x[~teacher.answers.find(x)[1]]
        for at in range(0, len(new), checked.batch):
            checked.predict(new[at : at + checked.batch])
        return PartRecord(int(teacher.answers.find(x)[1].sum()), dict(teacher.tally.failed))
