"""The page of every config key: what it means, its default, what it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from distill.config.folder import conf_directory
from distill.config.rules import ALLOWED, LARGER_THAN, SWEEP_ALLOWED, SWEEP_LARGER_THAN

HEAD = """# Config

Every key of `conf/`, from its files: what it means, and what it holds unless you say otherwise.
`group=option` picks another file of a group, `group.key=value` changes a value, `+group.key=value`
adds one that the file does not have. Values with signs in them want quotes twice:
`'+domain.variables.speed={low: 0, high: 9, unit: "m/s"}'`.
"""

LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_][\w/ ]*): ?(?P<rest>.*)$")


@dataclass(frozen=True)
class Key:
    """One key of a file: its dotted name, its text, and the comment beside it."""

    name: str
    value: str
    comment: str


def keys_of(text: str) -> Iterator[Key]:
    """The keys of a YAML file in its order, with what stands beside them."""
    path: list[tuple[int, str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = LINE.match(line)
        if match is None:
            continue
        depth = len(match["indent"])
        path = [*(p for p in path if p[0] < depth), (depth, match["key"])]
        value, _, comment = _parted(match["rest"])
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        if not value and follows.strip().startswith(("[", "- ")):
            value = follows.strip()
        yield Key(".".join(name for _, name in path), value, comment)


def config_page() -> str:
    """The page, as Markdown."""
    folder = conf_directory()
    parts = [HEAD, _section(folder / "config.yaml", folder)]
    for group in sorted(f for f in folder.rglob("*") if f.is_dir()):
        files = sorted(group.glob("*.yaml"))
        if files:
            parts.append(f"## {group.relative_to(folder).as_posix()}\n")
            parts += [_section(file, folder) for file in files]
    return "\n".join(parts)


def _section(file: Path, folder: Path) -> str:
    """One file: the comment at its head, and a row for each key."""
    place = file.relative_to(folder).with_suffix("")
    text = file.read_text(encoding="utf-8")
    head = [line.removeprefix("#").strip() for line in _leading(text, "#")]
    group = "" if place.parent == Path() else place.parent.as_posix().replace("/", ".") + "."
    title = f"## {place}" if not group else f"### {place.parent.as_posix()}={place.name}"
    rows = [
        f"| `{group}{key.name}` | {_code(key.value)} | {_cell(_meaning(group + key.name, key))} |"
        for key in keys_of(text)
        if key.comment or key.value
    ]
    table = ["| key | default | |", "|---|---|---|", *rows] if rows else []
    return "\n".join([title, "", _prose(head), "", *table, ""])


def _prose(head: list[str]) -> str:
    """The words at a file's head; what is indented there is a command."""
    return " ".join(head).replace("<", "&lt;")


def _leading(text: str, sign: str) -> list[str]:
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith(sign)), len(lines))
    return lines[:end]


def _meaning(name: str, key: Key) -> str:
    """The comment, and what the rules say besides."""
    rules = {**ALLOWED, **{f"sweep.{k}": v for k, v in SWEEP_ALLOWED.items()}}
    bounds = {**LARGER_THAN, **{f"sweep.{k}": v for k, v in SWEEP_LARGER_THAN.items()}}
    said = [key.comment]
    if name in rules and not all(value in key.comment for value in rules[name]):
        said.append("allowed: " + ", ".join(rules[name]))
    if name in bounds:
        said.append(f"larger than {bounds[name]:g}")
    return "; ".join(part for part in said if part)


def _parted(rest: str) -> tuple[str, str, str]:
    """A value and the comment behind it; a # inside of quotes or a word is none."""
    match = re.match(r"""^((?:"[^"]*"|'[^']*'|[^"'#]|(?<=\S)#)*?)(?:(?:^|\s)(#)\s(.*))?$""", rest)
    if match is None:
        return rest, "", ""
    return match[1].strip(), match[2] or "", match[3] or ""


def _code(value: str) -> str:
    shown = _cell(value)
    return f"`{shown}`" if shown else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
