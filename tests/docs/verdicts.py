"""Whether a command that a page shows is one: its program, options, keys and files exist."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from omegaconf import OmegaConf

from distill.cli.table import COMMANDS
from distill.config.folder import conf_directory
from distill.config.overrides import apply_overrides
from distill.config.schema import read_config, read_sweep
from tests.docs.blocks import ROOT

SHELL = {"cat", "cd", "cp", "export", "git", "jq", "ls", "mkdir", "source"}
VOICES = {"--quiet", "--json"}
PLACEHOLDERS = {"...", "GROUP=OPTION", "KEY=VALUE"}


class Wrong(Exception):
    """What a page says cannot be done."""


def check(words: list[str], made: set[str]) -> None:
    """Check one program's words; ``made`` are files that the page itself makes.

    Raises
    ------
    Wrong : saying what does not exist.
    """
    name = Path(words[0]).name
    if name in SHELL:
        return
    if name not in PROGRAMS:
        raise Wrong(f"nobody knows whether `{name}` works: run it, or mark what it needs")
    PROGRAMS[name](words[1:], made)


def known(words: list[str]) -> bool:
    """Whether a program is ours, or one whose words can be checked."""
    return Path(words[0]).name in PROGRAMS and words[1:2] != ["-m"]


def _distill(words: list[str], made: set[str]) -> None:
    if words[0] in {"--help", "--version"}:
        return
    if words[0] not in COMMANDS:
        raise Wrong(f"there is no `distill {words[0]}`")
    if words[1:2] == ["--help"]:
        return
    usage = COMMANDS[words[0]].usage
    given = [w for w in words[1:] if not (w in VOICES and w in usage)]
    if words[0] in {"run", "sample"}:
        _compose(given)
        return
    known = set(re.findall(r"(?<![\w.])([a-z_]+)=", usage)) | {"run", "root", "uri"}
    overrides = []
    for word in (w for w in given if "=" in w):
        key = word.lstrip("-").partition("=")[0]
        if key not in known:
            if "export.KEY=VALUE" not in usage:
                raise Wrong(f"`distill {words[0]}` has no `{key}`")
            overrides.append(word)
    dashed = [w for w in given if w.startswith("--") and w.partition("=")[0] not in usage]
    if dashed and words[0] != "check":
        raise Wrong(f"`distill {words[0]}` has no `{dashed[0]}`")
    apply_overrides(_base(), overrides)


def _base() -> dict[str, Any]:
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        composed = compose("config")
    plain = OmegaConf.to_container(
        OmegaConf.masked_copy(composed, [k for k in composed if k != "sweep"])
    )
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _compose(words: list[str]) -> None:
    """Compose the config of the words, of a sweep that of its first and of its last job."""
    flags = {"-m", "--multirun", "--cfg", "job", "--info", "--help"}
    parsed = OverridesParser.create().parse_overrides(
        [w for w in words if w not in flags and w not in PLACEHOLDERS]
    )
    sweeps = any(override.is_sweep_override() for override in parsed)
    if sweeps and "-m" not in words:
        raise Wrong("several values without -m")
    left_out = "..." in words
    for end in (0, -1) if sweeps else (0,):
        lines = [_single(override, end) for override in parsed]
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            composed = compose("config", overrides=lines, return_hydra_config=True)
        if left_out and OmegaConf.is_missing(composed.teacher, "source"):
            composed.teacher.source = "left out"
        OmegaConf.set_struct(composed, False)
        read_sweep(composed)
        read_config(composed)


def _single(override: Override, end: int) -> str:
    if not override.is_sweep_override():
        return str(override.input_line)
    value: Any = override.value()
    if isinstance(value, IntervalSweep):
        found = str((value.start, value.end)[end])
        if str(override.key_or_group).endswith("points"):
            found = str(int(float(found)))
    elif isinstance(value, RangeSweep):
        found = str(int((value.start or 0, (value.stop or 1) - 1)[end]))
    else:
        found = list(override.sweep_string_iterator())[end]
    return f"{override.key_or_group}={found}"


def _python(words: list[str], made: set[str]) -> None:
    if words[0] == "-m" and words[1] in {"pip", "pytest"}:
        PROGRAMS[words[1]](words[2:], made)
        return
    if words[0] == "-m":
        raise Wrong(f"nobody knows whether `python -m {words[1]}` works: mark what it needs")
    if words[0] == "-c":
        compile(words[1], "command", "exec")
        return
    script = ROOT / words[0]
    if not script.exists():
        if words[0] not in made:
            raise Wrong(f"there is no `{words[0]}`")
        return
    text = script.read_text(encoding="utf-8")
    folder = script.with_suffix("")
    text += "".join(f.read_text(encoding="utf-8") for f in folder.glob("*.py"))
    text += "".join(
        (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("machine", "figures_json", "publish")
        if (ROOT / "benchmarks" / f"{name}.py").exists()
    )
    for option in (w.partition("=")[0] for w in words[1:] if w.startswith("--")):
        if f'"{option}"' not in text:
            raise Wrong(f"`{words[0]}` has no `{option}`")


def _pip(words: list[str], made: set[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    stated = [
        *project["dependencies"],
        *(n for e in extras for n in project["optional-dependencies"][e]),
    ]
    packages = {re.split(r"[<>=\[~! ]", one)[0].lower() for one in stated} | {"distill"}
    for word in (w for w in words if not w.startswith("-") and w not in {"install", "."}):
        name = re.split(r"[<>=\[~! ]", word)[0].lower()
        wanted = re.search(r"\[([\w,]+)\]", word)
        if missing := set(wanted[1].split(",") if wanted else []) - extras:
            raise Wrong(f"distill has no extra {missing}")
        if name and not name.startswith(".") and name not in packages and not Path(name).suffix:
            raise Wrong(f"`{word}` is no package of pyproject.toml")


def _make(words: list[str], made: set[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        if "=" in word:
            name = word.partition("=")[0]
            if f"$({name})" not in makefile and f"$(if $({name})" not in makefile:
                raise Wrong(f"the Makefile has no {name}")
        elif not re.search(rf"^{re.escape(word)}:", makefile, re.M):
            raise Wrong(f"the Makefile has no target `{word}`")


def _pytest(words: list[str], made: set[str]) -> None:
    for word in words:
        place = word.partition("::")[0]
        if "/" in place and not (ROOT / place).exists():
            raise Wrong(f"there is no `{place}`")


PROGRAMS: dict[str, Callable[[list[str], set[str]], None]] = {
    "distill": _distill,
    "make": _make,
    "pip": _pip,
    "pytest": _pytest,
    "python": _python,
}
