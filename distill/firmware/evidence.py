"""Evidence: which checks a bundle went through, with their outcome and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from distill.errors import StorageError
from distill.firmware.cost import Cost

VERSION = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it passed (None: it could not be run), why, and what was measured.

    ``detail`` is one line for people; it says why a check failed or was not run.
    """

    name: str
    passed: bool | None
    detail: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All checks of one bundle, in the order they were done, and its cost where it was measured.

    ``reports`` are whole texts by the name of the file each makes, such as the MISRA report.
    """

    checks: tuple[Check, ...]
    cost: Cost | None = None
    reports: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no check failed, and at least one was run."""
        outcomes = [check.passed for check in self.checks]
        return False not in outcomes and True in outcomes

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.passed is False)

    @property
    def not_run(self) -> tuple[Check, ...]:
        """The checks that this machine cannot do."""
        return tuple(check for check in self.checks if check.passed is None)

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {
            "version": VERSION,
            "checks": [asdict(check) for check in self.checks],
            "cost": self.cost.to_data() if self.cost else None,
            "reports": dict(self.reports),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Evidence:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        StorageError : when it is no evidence, or of another version.
        """
        checks, reports = data.get("checks"), data.get("reports")
        if (
            data.get("version") != VERSION
            or not isinstance(checks, list)
            or not isinstance(reports, Mapping)
        ):
            raise StorageError(
                f"not evidence of version {VERSION}.", hint="verify the bundle again."
            )
        cost = data.get("cost")
        return cls(
            tuple(Check(**check) for check in checks),
            Cost.from_data(cost) if isinstance(cost, Mapping) else None,
            dict(reports),
        )
