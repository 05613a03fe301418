"""Reading estimators from files: skops by a list of trusted types, pickles only when told to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distill.errors import TeacherError
from distill.teachers.sklearn.archive import DAMAGED, Contents, look_through
from distill.teachers.sklearn.sound import check_sound
from distill.teachers.sklearn.trusted import TRUSTED

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".sav"})


def read_estimator(
    path: Path, trusted: Sequence[str] = (), *, trust_pickle: bool = False
) -> tuple[Any, tuple[str, ...]]:
    """The estimator in a file, and what a person should know about it.

    Parameters
    ----------
    trusted : types that a skops file may hold besides scikit-learn's, by their full names.
    trust_pickle : whether a pickle or joblib file may be opened, which runs any code in it.

    Raises
    ------
    TeacherError : for a file that is not read, with what to do about it.
    """
    pickle = path.suffix.lower() in PICKLES
    if pickle and not trust_pickle:
        raise TeacherError(
            f"`{path.name}` is a pickle and is not opened: it can run any code when it is, with "
            "all your rights.",
            where=str(path),
            hint="best save the model as skops.io.dump(model, 'model.skops'), the weights of a "
            "network as safetensors. If you made the file yourself, or trust whoever did as you "
            "trust a program: "
            "teacher.options.trust_pickle=true (in Python: trust_pickle=True).",
        )
    if not path.is_file():
        raise TeacherError(
            f"there is no file `{path}`.", where=str(path.resolve()), hint="check the path."
        )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = _read_pickle(path) if pickle else _read_skops(path, trusted)
    return model, _versions(told)


def _read_skops(path: Path, trusted: Sequence[str]) -> Any:
    contents = look_through(path)
    _check_types(path, contents, trusted)
    from skops.io import load  # it ships no types

    try:
        model = load(path, trusted=sorted(TRUSTED | set(trusted)))
    except Exception as error:  # whatever parts that do not fit each other raise
        raise TeacherError(
            f"the model cannot be put together ({type(error).__name__}: {_short(error)}); "
            f"{_trained(contents)}.",
            where=str(path),
            hint=f"use the version it was trained with, or train it again. {DAMAGED.capitalize()}",
        ) from None
    _check_estimator(model, path)
    check_sound(model, str(path))
    return model


def _check_types(path: Path, contents: Contents, trusted: Sequence[str]) -> None:
    """Refuse what is neither scikit-learn's own data nor named by the user."""
    from skops.io import get_untrusted_types

    allowed = TRUSTED | set(trusted)
    try:
        refused = set(get_untrusted_types(file=path)) - allowed
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TeacherError(
            f"the file is damaged ({type(error).__name__}: {_short(error)}).",
            where=str(path),
            hint=DAMAGED,
        ) from None
    # skops judges node by node; whatever it names must pass here once more, however it is reached.
    refused |= {name for name in contents.types if not _known(name) and name not in allowed}
    if refused:
        names = ", ".join(sorted(refused))
        raise TeacherError(
            f"the file holds types that are not trusted: {names}. They could run code.",
            where=str(path),
            hint="if you know them all, and trust whoever made the file: "
            f"teacher.options.trusted=[{names.replace(' ', '')}].",
        )


def _known(name: str) -> bool:
    """Whether skops trusts a type, wherever in a file it stands."""
    from skops.io import _trusted_types as lists

    return (
        name in _PLAIN
        or name in lists.PRIMITIVE_TYPE_NAMES
        or name in lists.CONTAINER_TYPE_NAMES
        or name in lists.SKLEARN_ESTIMATOR_TYPE_NAMES
        or name in lists.SKLEARN_INTERNAL_TYPE_NAMES
        or name in lists.NUMPY_DTYPE_TYPE_NAMES
        or name in lists.NUMPY_UFUNC_TYPE_NAMES
        or name in lists.SCIPY_UFUNC_TYPE_NAMES
        or name in lists.NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES
        or name.startswith(("scipy.sparse.", "sklearn._loss.", "sklearn.linear_model._sgd_fast."))
    )


_PLAIN = frozenset(
    {
        "builtins.dict",
        "builtins.bytes",
        "builtins.bytearray",
        "builtins.slice",
        "builtins.NoneType",
        "collections.OrderedDict",
        "collections.defaultdict",
        "numpy.ndarray",
        "numpy.ma.MaskedArray",
        "numpy.random.mtrand.RandomState",
        "numpy.random._generator.Generator",
    }
)


def _read_pickle(path: Path) -> Any:
    import joblib
    import sklearn

    try:
        model = joblib.load(path)
    except Exception as error:  # a pickle may raise anything
        raise TeacherError(
            f"the pickle cannot be loaded ({type(error).__name__}: {_short(error)}).",
            where=str(path),
            hint="a pickle needs the libraries it was made with; scikit-learn here is "
            f"{sklearn.__version__}. Save it as skops.io.dump(model, 'model.skops').",
        ) from None
    _check_estimator(model, path)
    return model


def _check_estimator(model: Any, path: Path) -> None:
    from sklearn.base import BaseEstimator

    if not isinstance(model, BaseEstimator):
        raise TeacherError(
            f"the file holds a {type(model).__qualname__}, no estimator of scikit-learn.",
            where=str(path),
            hint="save the trained estimator or Pipeline itself.",
        )


def _trained(contents: Contents) -> str:
    import sklearn

    if not contents.versions:
        return f"scikit-learn here is {sklearn.__version__}"
    return (
        f"it was trained with scikit-learn {', '.join(contents.versions)}, "
        f"here is {sklearn.__version__}"
    )


def _versions(told: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """One sentence about estimators that another version of scikit-learn trained."""
    from sklearn.exceptions import InconsistentVersionWarning

    found = [one.message for one in told if isinstance(one.message, InconsistentVersionWarning)]
    if not found:
        return ()
    names = ", ".join(sorted({one.estimator_name for one in found}))
    old = ", ".join(sorted({one.original_sklearn_version for one in found}))
    return (
        f"{names} was trained with scikit-learn {old}, here is "
        f"{found[0].current_sklearn_version}: compare some answers with those of {old}, or train "
        "it again.",
    )


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
