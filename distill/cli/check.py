"""``distill check``: a certificate verified, box by box."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, print_text
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Verify a certificate, box by box, without trusting what wrote it."""
    from distill.checking.command import check_file
    from distill.checking.leaf import BUDGET
    from distill.checking.workers import cores

    plain = _joined(arguments)
    files = [a for a in plain if "=" not in a]
    if len(files) != 1:
        raise ConfigError(
            "which certificate?" if not files else f"{len(files)} files are given, not one.",
            where="command line",
            hint="distill check build/wet_bulb/certificate.json",
        )
    given = {"teacher": "", "jobs": str(cores()), "budget": str(BUDGET)}
    options = arguments_of([a for a in plain if "=" in a], given)
    for key in ("jobs", "budget"):
        if not options[key].isdecimal() or not 0 < int(options[key]) < 10**9:
            raise ConfigError(f"`{options[key]}` is no count.", where=key, hint="1 or more.")
    verdict = check_file(
        Path(files[0]),
        teacher=options["teacher"],
        jobs=int(options["jobs"]),
        budget=int(options["budget"]),
    )
    print_text(verdict)
    return 0


def _joined(arguments: list[str]) -> list[str]:
    """``--key value`` and ``--key=value`` as ``key=value``."""
    joined: list[str] = []
    left = iter(arguments)
    for argument in left:
        key = argument.removeprefix("--")
        bare = argument.startswith("--") and "=" not in argument
        joined.append(f"{key}={next(left, '')}" if bare else key)
    return joined
