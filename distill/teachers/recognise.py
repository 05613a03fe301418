"""What a user calls a teacher, told apart: an object by its type, a text by its form, a file by its
suffix and its first bytes. What is dangerous is refused unopened.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from distill.errors import ConfigError, TeacherError
from distill.teachers.base import Teacher
from distill.teachers.kinds import (
    CALLABLE,
    CSV,
    ESTIMATOR,
    ESTIMATOR_FILE,
    EXPORTED,
    FRAME,
    IMPORTED,
    MODULE,
    NETWORK,
    ONNX,
    PARQUET,
    SCRIPT,
    SIMULATOR,
    TEACHER,
    Kind,
)

_SHIPPED = Path(__file__).with_name("shipped")
_IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")
_WHAT = (
    "a teacher is a shipped name, a .safetensors, .pt, .onnx, .skops, .csv or .parquet file, or "
    "`package.module:function`."
)

_REFUSED = {".dill": "a pickle"}
_ESTIMATORS = frozenset({".skops", ".pkl", ".pickle", ".joblib", ".sav"})
"""Files of scikit-learn; all but the first are opened only when the user says so."""
_UNSUPPORTED = {".h5": "a Keras model", ".keras": "a Keras model"}


def recognise(source: object, kind: str | None) -> tuple[Kind, object]:
    """The kind of a teacher, and what its reader reads.

    Raises
    ------
    TeacherError : for what is no teacher, a shipped one that does not exist, or a file that is not
        opened.
    ConfigError : for a kind that there is not.
    """
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if kind is not None and kind not in _TEXTS:
        raise ConfigError(
            f"`{kind}` is not a kind of teacher.",
            where="config key `teacher.kind`",
            hint=f"allowed: {', '.join(_TEXTS)}.",
        )
    if isinstance(source, str):
        return _TEXTS[kind or _kind_of_text(source)](source)
    if isinstance(source, Path):
        return _TEXTS[kind or "file"](str(source))
    if torch is not None and isinstance(source, torch.nn.Module):
        return MODULE, source
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return FRAME, source
    sklearn = sys.modules.get("sklearn.base")
    if sklearn is not None and isinstance(source, sklearn.BaseEstimator):
        return ESTIMATOR, source
    if isinstance(source, Teacher):
        return TEACHER, source
    if callable(source):
        return CALLABLE, source
    hint = _WHAT
    if callable(getattr(source, "predict", None)):
        hint = "give its method: load_teacher(model.predict, domain=...)."
    raise TeacherError(
        f"a {type(source).__qualname__} is no teacher.",
        where="the source of the teacher",
        hint=hint,
    )


def _kind_of_text(text: str) -> str:
    """Files win over import paths, shipped names over files of the working folder."""
    if text in shipped_files():
        return "shipped"
    path = _path(text)
    if _IMPORT_PATH.match(text) and not path.exists():
        return "function"
    return "file" if path.suffix or "/" in text or path.exists() else "shipped"


def _path(text: str) -> Path:
    """A path that can be looked at."""
    try:
        text.encode()  # the libraries that open files take no other names
        path = Path(text).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path
    except (OSError, ValueError, RuntimeError) as error:  # too long, not UTF-8, no such user
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise TeacherError(
            f"{text[:40]!r} is no path: {why}.", where="config key `teacher.source`", hint=_WHAT
        ) from None
    return path


def shipped_files() -> dict[str, Path]:
    """The files of the teachers that come with the package, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.safetensors"))}


def _from_shipped(text: str) -> tuple[Kind, object]:
    files = shipped_files()
    if text in files:
        return NETWORK, files[text]
    close = get_close_matches(text, files, cutoff=0.5)
    raise TeacherError(
        f"there is no shipped teacher `{text}`"
        + (f"; did you mean `{close[0]}`?" if close else "."),
        where="config key `teacher.source`",
        hint=f"shipped: {', '.join(files)}. Otherwise {_WHAT}",
    )


def _from_import(text: str) -> tuple[Kind, object]:
    if _IMPORT_PATH.match(text):
        return IMPORTED, text
    raise TeacherError(
        f"`{text}` is not the import path of a function.",
        where="config key `teacher.source`",
        hint="write package.module:function.",
    )


def _from_simulator(text: str) -> tuple[Kind, object]:
    return SIMULATOR, _from_import(text)[1]


def _from_file(text: str) -> tuple[Kind, object]:
    path = _path(text)
    return _file_kind(path), path


def _from_weights(text: str) -> tuple[Kind, object]:
    kind, path = _from_file(text)
    return _only(kind, path, (NETWORK, EXPORTED, SCRIPT), "a network of torch's")


def _from_onnx(text: str) -> tuple[Kind, object]:
    kind, path = _from_file(text)
    return _only(kind, path, (ONNX,), "an .onnx file")


def _from_estimator(text: str) -> tuple[Kind, object]:
    kind, path = _from_file(text)
    return _only(kind, path, (ESTIMATOR_FILE,), "a .skops file (or a pickle) of scikit-learn")


def _from_table(text: str) -> tuple[Kind, object]:
    kind, path = _from_file(text)
    return _only(kind, path, (CSV, PARQUET), "a CSV or Parquet file")


def _only(kind: Kind, path: object, allowed: tuple[Kind, ...], wanted: str) -> tuple[Kind, object]:
    if kind not in allowed:
        raise TeacherError(
            f"`{path}` is {kind.title}, but {wanted} is wanted here.",
            where="config key `teacher.source`",
            hint="choose the teacher group that fits: teacher=torch, teacher=table ...",
        )
    return kind, path


_TEXTS: dict[str, Callable[[str], tuple[Kind, object]]] = {
    "shipped": _from_shipped,
    "torch": _from_weights,
    "function": _from_import,
    "simulator": _from_simulator,
    "onnx": _from_onnx,
    "sklearn": _from_estimator,
    "table": _from_table,
    "file": _from_file,
}


def _file_kind(path: Path) -> Kind:
    """What a file is, by its suffix and its first bytes; dangerous ones are refused unopened."""
    suffix = path.suffix.lower()
    if suffix == ".py":
        raise TeacherError(
            "a Python file is given by the import path of its function.",
            where=str(path),
            hint=f"write `{path.stem}:function`, started in the folder of the file.",
        )
    if suffix in _REFUSED:
        raise TeacherError(
            f"{_REFUSED[suffix]} is not opened: it can run any code when it is.",
            where=str(path),
            hint="save the weights as safetensors, or give a function that asks the model "
            "(`package.module:function`).",
        )
    if suffix in _ESTIMATORS - {".skops"}:
        return ESTIMATOR_FILE  # judged there, unopened
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
        raise TeacherError(
            f"`{path}` is no plain file.", where=str(path), hint="name the model's file itself."
        )
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        raise TeacherError(
            f"there is no file `{path}`.",
            where=str(path.resolve()),
            hint=f"check the path. Otherwise {_WHAT}",
        ) from None
    except OSError as error:
        raise TeacherError(
            f"the file cannot be read: {error.strerror}.", where=str(path), hint=_WHAT
        ) from None
    if suffix in _UNSUPPORTED:
        from distill.teachers.network import not_supported

        raise not_supported(path, _UNSUPPORTED[suffix])
    if suffix == ".onnx":
        return ONNX
    if suffix == ".skops":
        return ESTIMATOR_FILE
    if suffix == ".safetensors":
        return NETWORK
    if suffix in {".pt", ".pth", ".pt2", ".ptl"}:
        from distill.teachers.torch.recognise import kind_of_archive

        return {"weights": NETWORK, "exported": EXPORTED, "script": SCRIPT}[kind_of_archive(path)]
    if start == b"PAR1" or suffix in {".parquet", ".pq"}:
        return PARQUET
    # Pickle protocols 2 to 5 begin so; .pt and .pth are judged by torch's weights-only reader.
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise TeacherError(
            "the file is a pickle and is not opened: it can run any code when it is.",
            where=str(path),
            hint="save the weights as safetensors.",
        )
    if suffix in {".csv", ".tsv", ".txt"}:
        return CSV
    raise TeacherError(
        f"`{path.name}` is of no kind that can be read.", where=str(path), hint=_WHAT
    )
