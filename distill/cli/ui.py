"""``distill ui``: MLflow, opened on the candidates."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Open MLflow on the candidates."""
    from distill.commands import running

    options = arguments_of(
        arguments, {"root": "studies", "uri": "", "port": "5000", "open": "false"}
    )
    if not options["port"].isdecimal() or not 0 < int(options["port"]) < 65536:
        raise ConfigError(f"`{options['port']}` is no port.", where="port", hint="1 to 65535.")
    running.open_ui(
        Path(options["root"]),
        options["uri"] or None,
        int(options["port"]),
        browser=options["open"] == "true",
    )
    return 0
