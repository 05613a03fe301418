"""Every place in the package that could run code of others is listed here; there is no other."""

import ast
import re
from pathlib import Path

import distill

PACKAGE = Path(distill.__file__).parent

LISTED = {
    # Python that the user names, in the config or on the command line.
    ("teachers/worker.py", "import_module"),
    ("teachers/torch/imported.py", "import_module"),
    # A pickle of a model, with trust_pickle=true.
    ("teachers/sklearn/files.py", "joblib.load"),
    # A file of types that were looked through before.
    ("teachers/sklearn/files.py", "skops.load"),
    # What a launch of our own wrote into the sweep's folder a moment ago.
    ("sweeping/slurm_call.py", "pickle.loads"),
    # TorchScript, with trust_torchscript=true.
    ("teachers/torch/script.py", "torch.jit.load"),
    # Names of our own.
    ("__init__.py", "import_module"),
    ("firmware/unicorn_emulator.py", "import_module"),
    # Launcher and sweeper from the list of cli/hydra_door.py.
    ("sweeping/launch.py", "instantiate_launcher"),
}

RUNNING = {
    "eval", "exec", "__import__", "import_module", "instantiate", "instantiate_launcher",
    "get_class", "get_method", "get_object", "sympify", "parse_expr", "lambdify", "os.system",
    "os.popen",
    "unpack_archive", "extractall", "run_path", "run_module", "exec_module",
}  # fmt: skip
"""Functions that run, or unpack, what they are given."""

UNPICKLING = {"pickle", "cloudpickle", "dill", "joblib", "torch", "np", "yaml", "skops", "marshal"}
"""Modules whose `load` and `loads` run code, unless an argument keeps them from it."""

_WORDS = re.compile(
    rf"shell=True|\b(?:{'|'.join(sorted(UNPICKLING))})\b.*\bloads?\b|{'|'.join(sorted(RUNNING))}"
)
"""What a file must have for a closer look."""


def _calls(tree):
    """Every call, with what its name was imported as."""
    origin = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                origin[name.asname or name.name] = f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = _dotted(node.func)
            yield node, origin.get(name, name)


def _dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _keyword(node, name):
    return next((ast.unparse(k.value) for k in node.keywords if k.arg == name), None)


def _found():
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if not _WORDS.search(text):
            continue
        where = file.relative_to(PACKAGE).as_posix()
        for node, name in _calls(ast.parse(text)):
            root, last = name.partition(".")[0], name.rpartition(".")[2]
            if _keyword(node, "shell") == "True":
                yield where, "shell=True"
            if {name, last} & RUNNING and not _is_method(node):
                yield where, last
            if last in {"load", "loads"} and root in UNPICKLING and not _unpickles_nothing(node):
                yield where, f"skops.{last}" if root == "skops" else name


def _is_method(node):
    """Whether it is `module.eval()` of a network, which takes no text."""
    return isinstance(node.func, ast.Attribute) and node.func.attr == "eval" and not node.args


def _unpickles_nothing(node):
    return _keyword(node, "allow_pickle") == "False" or _keyword(node, "weights_only") == "True"


def test_nothing_else_runs_what_it_reads():
    found = set(_found())
    assert found - LISTED == set()
    assert LISTED - found == set(), "these are gone: take them off the list"
