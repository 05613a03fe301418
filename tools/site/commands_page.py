"""The page of every command, from what the command line says of itself."""

from __future__ import annotations

import inspect

from distill import errors
from distill.cli.front import HELP
from distill.cli.table import COMMANDS

HEAD = """# Commands

Written from what `distill --help` and `distill COMMAND --help` say. `KEY=VALUE` words need no
dashes, in any order; the keys of `run` and `sample` are those of [the config](config.md).
"""


def commands_page() -> str:
    """The page, as Markdown."""
    parts = [HEAD]
    for name, command in COMMANDS.items():
        usage = command.usage.strip()
        parts.append(f"## distill {name}\n\n{command.summary}\n\n```text\ndistill {usage}\n```\n")
    return "\n".join([*parts, "## Exit codes\n", exit_codes(), "## distill --help\n", _help()])


def exit_codes() -> str:
    """Who is to do something, and which errors end with it."""
    by_code: dict[int, list[str]] = {}
    for error in vars(errors).values():
        if inspect.isclass(error) and issubclass(error, errors.DistillError):
            if error is errors.DistillError:
                continue
            by_code.setdefault(error.exit_code, []).append(f"`{error.__name__}`")
    whose = {2: "your input", 3: "this machine (disk, compiler, MLflow)"}
    rows = ["| code | what is wrong | errors in Python |", "|---|---|---|", "| 0 | nothing | |"]
    for code, names in sorted(by_code.items()):
        rows.append(f"| {code} | {whose[code]} | {', '.join(names)} |")
    rows.append(f"| {errors.BUG} | our bug; the message names a file to report | |")
    rows.append(f"| {errors.INTERRUPTED} | Ctrl-C; the same command goes on | |")
    return "\n".join([*rows, ""])


def _help() -> str:
    lines = [f"  {name:<8} {command.summary}" for name, command in COMMANDS.items()]
    return f"```text\n{HELP.format(commands=chr(10).join(lines))}```\n"
