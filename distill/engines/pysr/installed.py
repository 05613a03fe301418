"""What is installed of PySR and Julia, found without starting either of them."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from distill.engines.child import EngineError
from distill.errors import ConfigError

OLDEST, BEFORE = (1, 5), (3, 0)
WANTED = "1.5 or later, before 3"
"""Versions of PySR that distill speaks with."""

INSTALL = "python -m pip install 'distill[pysr]'"

WAYS_OUT = (
    'connect this machine once and run `python -c "import pysr"`; or use the Docker image, which '
    'has all of it (`docker build -t distill .`, then `docker run --rm -v "$PWD:/study" distill '
    "run ...`); or take `engine=structure`, which needs no Julia."
)
"""What to do where Julia or its packages are missing and cannot be downloaded."""


# Orders of magnitude; what is there already, and the network, make the difference.
SOME = "some 300 MB, 1 GB on disk, about 5 to 10 minutes"
ALL = "some 500 MB, 2 GB on disk, about 5 to 15 minutes"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of PySR: its annotation and its default as they are written."""

    annotation: str
    default: object


@dataclass(frozen=True)
class Installed:
    """The PySR that is installed, and where."""

    version: str
    folder: Path

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version; (0, 0) where the version does not start with them."""
        match = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    @property
    def supported(self) -> bool:
        """Whether distill speaks with this version."""
        return OLDEST <= self.release < BEFORE

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of ``PySRRegressor``, in order.

        Raises
        ------
        EngineError : when the installation is not whole.
        """
        return self._signature("__init__")

    @cached_property
    def of_fit(self) -> Mapping[str, Parameter]:
        """The parameters of ``PySRRegressor.fit``, in order.

        Raises
        ------
        EngineError : when the installation is not whole.
        """
        return self._signature("fit")

    @cached_property
    def renamed(self) -> Mapping[str, str]:
        """Old names of parameters and what they are called now."""
        for node in self._tree("deprecated.py").body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEPRECATED_KWARGS":
                names: dict[str, str] = ast.literal_eval(node.value)
                return names
        return {}

    def _signature(self, method: str) -> dict[str, Parameter]:
        for node in self._tree("sr.py").body:
            if isinstance(node, ast.ClassDef) and node.name == "PySRRegressor":
                for function in node.body:
                    if isinstance(function, ast.FunctionDef) and function.name == method:
                        return _parameters(function.args)
        raise self._broken("sr.py")

    def _tree(self, file: str) -> ast.Module:
        try:
            return ast.parse((self.folder / file).read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError) as error:
            raise self._broken(file) from error

    def _broken(self, file: str) -> EngineError:
        return EngineError(
            f"PySR {self.version} is not installed as a whole: its parameters cannot be read.",
            where=str(self.folder / file),
            hint="python -m pip install --force-reinstall --no-deps pysr",
        )


def _parameters(arguments: ast.arguments) -> dict[str, Parameter]:
    """Parameters with their annotations; ``self`` and ``**kwargs`` are none."""
    plain = [*arguments.posonlyargs, *arguments.args]
    given = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(plain, given, strict=True)][1:]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {
        argument.arg: Parameter(
            ast.unparse(argument.annotation) if argument.annotation else "",
            _literal(default) if default else None,
        )
        for argument, default in pairs
    }


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def find() -> Installed | None:
    """The installed PySR, of whatever version; None where there is none. It is not imported."""
    try:
        version = importlib.metadata.version("pysr")
    except importlib.metadata.PackageNotFoundError:
        return None
    spec = importlib.util.find_spec("pysr")
    if spec is None or spec.origin is None:
        return None
    return Installed(version, Path(spec.origin).parent)


def require() -> Installed:
    """The installed PySR, of a version that distill speaks with.

    Raises
    ------
    ConfigError : when there is none, or it is too old or too new.
    """
    installed = find()
    if installed is None:
        raise ConfigError(
            "PySR is not installed.",
            where="config key `engine.name`",
            hint=f"{INSTALL}, or take engine=structure.",
        )
    if not installed.supported:
        raise ConfigError(
            f"PySR {installed.version} is installed, but distill needs {WANTED}.",
            where=str(installed.folder),
            hint=f"{INSTALL}, or take engine=structure.",
        )
    return installed


@dataclass(frozen=True, slots=True)
class Julia:
    """The Julia that PySR would start.

    Attributes
    ----------
    executable : None where there is none yet.
    packages : whether what the installed PySR needs in it is there, too.
    """

    executable: Path | None
    packages: bool


def julia(installed: Installed | None) -> Julia:
    """What is there of Julia, by the files of juliapkg, which sets it up when PySR is imported.

    Nothing is started, written or downloaded.
    """
    own = os.environ.get("PYTHON_JULIACALL_EXE"), os.environ.get("PYTHON_JULIACALL_PROJECT")
    if all(own):  # juliapkg is not asked then: its user answers for the packages
        executable = _program(own[0])
        return Julia(executable, executable is not None and Path(str(own[1])).is_dir())
    folder = _project() / "pyjuliapkg"
    meta = _meta(folder / "meta.json")
    given = os.environ.get("PYTHON_JULIAPKG_EXE")
    used = _program(meta.get("executable"))
    executable = _program(given) or used or _program(folder / "install" / "bin" / "julia")
    packages = (
        installed is not None
        and used is not None
        and meta.get("override_executable") == given
        and _resolved(meta, installed.folder / "juliapkg.json")
        and any((depot / "packages" / "SymbolicRegression").is_dir() for depot in _depots())
    )
    return Julia(executable or _program("julia"), packages)


def lacks() -> str:
    """Why PySR cannot search here at once, and what to do; empty where it can."""
    try:
        line = first_use(require())
    except ConfigError as error:
        return f"{error.what} To do: {error.hint}"
    return f"{line}. To do: {WAYS_OUT}" if line else ""


def first_use(installed: Installed) -> str:
    """One line on what PySR's first start downloads and how long it takes; empty for nothing."""
    there = julia(installed)
    if there.packages:
        return ""
    what, cost = ("its Julia packages", SOME) if there.executable else ("Julia and packages", ALL)
    return f"the first start of PySR downloads {what}: {cost}, once"


def _program(name: object) -> Path | None:
    found = shutil.which(str(name)) if name else None
    return Path(found) if found else None


def _depots() -> list[Path]:
    """Where Julia keeps packages; an empty entry stands for its usual place."""
    entries = os.environ.get("JULIA_DEPOT_PATH", "").split(os.pathsep)
    return [Path(entry) if entry else Path.home() / ".julia" for entry in entries]


def _project() -> Path:
    """Where juliapkg keeps Julia's project, by its rules."""
    given = os.environ.get("PYTHON_JULIAPKG_PROJECT")
    if given:
        return Path(given)
    prefix = sys.prefix if sys.prefix != sys.base_prefix else os.environ.get("CONDA_PREFIX")
    return Path(prefix) / "julia_env" if prefix else _depots()[0] / "environments" / "pyjuliapkg"


def _meta(path: Path) -> Mapping[str, object]:
    """What juliapkg wrote down when it had set up Julia; empty where it has not."""
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _resolved(meta: Mapping[str, object], wanted: Path) -> bool:
    """Whether Julia's packages are those that the file ``wanted`` asks for today."""
    files = meta.get("deps_files")
    # The name as juliapkg has it: links are not followed.
    name = os.path.normcase(os.path.abspath(wanted))  # noqa: PTH100
    about = files.get(name) if isinstance(files, dict) else None
    try:
        content = wanted.read_bytes()
    except OSError:
        return False
    digest = hashlib.sha256(content).hexdigest()
    return isinstance(about, dict) and about.get("hash_sha256") == digest
