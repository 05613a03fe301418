"""Mistakes of our own: written down for a report, told without a traceback."""

from __future__ import annotations

import sys
import tempfile
import traceback

from distill.cli.command import print_error
from distill.identifiers import visible


def report_bug() -> None:
    """Write the error that is being handled into a file, and say where it is."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="distill-bug-", suffix=".txt", delete=False
    ) as file:
        file.write(visible(f"arguments: {sys.argv[1:]}\n\n{traceback.format_exc()}"))
    last = traceback.format_exc().strip().splitlines()[-1]
    print_error(
        f"distill: this is a mistake of distill, not yours: {last}\n"
        f"  where: {file.name}\n"
        "  next:  please report it with that file. Finished stages are kept."
    )
