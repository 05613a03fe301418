"""What a study told on its way: its warnings, and its stages as they ended."""

from __future__ import annotations

from distill.progress import Silent


class Heard(Silent):
    """Keeps warnings, and of every stage that ended its name, its line and whether it was kept."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.ends: list[tuple[str, str, bool]] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        self.ends.append((stage, detail, reused))
