"""``distill report``: one page of a recorded study."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, print_text
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Write the page of a study, or of the newest one."""
    from distill.reporting import write_report
    from distill.voices.terminal import Terminal

    named = [a for a in arguments if "=" not in a]
    if len(named) > 1:
        raise ConfigError(
            f"one study at a time, not {' and '.join(f'`{name}`' for name in named)}.",
            where="command line",
            hint="distill report STUDY [out=FILE]",
        )
    options = arguments_of([a for a in arguments if "=" in a], {"root": "studies", "out": ""})
    out = Path(options["out"]) if options["out"] else None
    with Terminal() as progress:
        file = write_report(named[0] if named else "", Path(options["root"]), out, progress)
    print_text(f"{file}\n")
    return 0
