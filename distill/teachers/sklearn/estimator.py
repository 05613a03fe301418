"""Any fitted estimator or pipeline as a teacher."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import NotDifferentiable, TeacherError
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.options import identifier
from distill.teachers.sklearn.features import (
    Feature,
    as_input,
    check_domain,
    domain_of,
    features_of,
)
from distill.teachers.sklearn.gradients import slopes
from distill.teachers.sklearn.readers.read import Reading, read_chain
from distill.teachers.sklearn.remarks import remarks
from distill.teachers.sklearn.roles import Role, role_of

NUMBERS = 2**22
"""Numbers handed over at once: bounds the memory of whatever an estimator makes of them."""


@dataclass(frozen=True)
class EstimatorTeacher:
    """A fitted estimator, asked in this process.

    Attributes
    ----------
    features : its inputs, with what whole numbers stand for; None where it does not say.
    classes : a classifier's, a clusterer's or an outlier detector's; else empty.
    notes : what a person should know before trusting the figures, each a sentence.
    """

    model: Any = field(repr=False)
    role: Role = field(repr=False)
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    features: tuple[Feature, ...] | None = field(repr=False)
    domain: Domain | None = None
    notes: tuple[str, ...] = ()
    can_be_asked: bool = True
    validation_error: float | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels; empty where numbers are meant."""
        return self.role.classes

    @property
    def input_names(self) -> tuple[str, ...] | None:
        """The names of its inputs, where the estimator says them."""
        return None if self.features is None else tuple(f.name for f in self.features)

    @property
    def inputs(self) -> int | None:
        """How many inputs there are, where the estimator says it."""
        return None if self.features is None else len(self.features)

    @property
    def chain(self) -> Chain | None:
        """The estimator's own arithmetic, where its family is known."""
        return self._reading.chain

    @property
    def why_no_chain(self) -> str:
        """Why there is no chain; empty where there is one."""
        return self._reading.why

    @cached_property
    def _reading(self) -> Reading:
        if self.features is None:
            return Reading(None, "the estimator does not say how many inputs it has")
        columns = tuple(feature.values if feature.coded else None for feature in self.features)
        return read_chain(self.model, columns, transforms=self.role.transforms)

    def predict(self, x: Array) -> Array:
        """Values, scores or the margin at x (n, d), shape (n, k).

        Raises
        ------
        TeacherError : for a category that there is not.
        """
        rows = max(1, NUMBERS // max(x.shape[1], len(self.outputs), 64))
        return np.concatenate([self._ask(x[at : at + rows]) for at in range(0, len(x), rows)])

    def _ask(self, x: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about names of columns, at every single call
            return self.role.ask(as_input(self.features or (), x))

    def gradient(self, x: Array) -> Array:
        """Derivatives at x (n, d), shape (n, k, d), by differences of values.

        Raises
        ------
        NotDifferentiable : where the arithmetic is not known to be smooth.
        """
        if self.chain is None:
            raise NotDifferentiable(
                f"the arithmetic of `{self.name}` is not known: {self.why_no_chain}.",
                hint="differences of its values stand in for derivatives where they only save "
                "time.",
            )
        if self.domain is not None and any(v.discrete for v in self.domain.variables):
            raise NotDifferentiable(f"`{self.name}` has inputs that take whole values only.")
        return slopes(self.chain, x, self.name)


def from_estimator(
    model: Any,
    name: str | None,
    outputs: tuple[Output, ...] | None,
    domain: Domain | None,
    *,
    where: str = "",
    mark: str | None = None,
    notes: tuple[str, ...] = (),
) -> EstimatorTeacher:
    """A teacher from a fitted estimator.

    Parameters
    ----------
    domain : checked against the inputs; the ranges the estimator remembers if None.
    where : what to call it in messages.
    mark : its fingerprint where that is known already, such as the hash of its file.

    Raises
    ------
    TeacherError : for one that is not fitted, cannot answer, or does not fit the domain.
    """
    name = name or identifier(_title(model))
    where = where or f"teacher `{name}`"
    _check_fitted(model, where)
    features = features_of(model)
    if domain is not None and features is not None:
        check_domain(features, domain, where)
    if domain is None and features is not None:
        domain = domain_of(features)
    teacher = EstimatorTeacher(
        model=model,
        role=role_of(model, where),
        name=name,
        outputs=outputs or (),
        fingerprint=mark or _fingerprint(model),
        features=features,
        domain=domain,
        notes=notes,
    )
    if outputs is None:
        teacher = replace(teacher, outputs=_outputs(teacher, where))
    return replace(teacher, notes=(*notes, *remarks(model, domain)))


def _title(model: Any) -> str:
    while type(model).__name__ == "Pipeline" and hasattr(model, "steps"):
        model = model.steps[-1][1]
    name = type(model).__name__
    return name.lower() if name.isupper() else name  # in C, capitals alone are a macro's


def _check_fitted(model: Any, where: str) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError:
        raise TeacherError(
            f"the {type(model).__name__} is not trained.", where=where, hint="call its `fit` first."
        ) from None
    except (TypeError, AttributeError) as error:  # no estimator's type, or one that lacks parts
        raise TeacherError(f"no estimator: {error}", where=where) from None


def _outputs(teacher: EstimatorTeacher, where: str) -> tuple[Output, ...]:
    """Names for what the estimator gives, which one point tells the number of."""
    role, name = teacher.role, teacher.name
    if len(role.classes) == 2:
        return (Output("margin"),)
    if role.classes:
        return _numbered([f"score_{label}" for label in role.classes], "score")
    count = _probe(teacher, where).shape[1]
    if len(role.names) == count:
        return _numbered(role.names, "output")
    return (Output(name),) if count == 1 else _numbered([f"{name}_{i}" for i in range(count)], name)


def _numbered(texts: Any, stem: str) -> tuple[Output, ...]:
    """Identifiers that resemble the texts; numbers where two of them would be the same."""
    names = [identifier(text) for text in texts]
    if len({name.lower() for name in names}) < len(names):
        names = [f"{stem[:50]}_{i}" for i in range(len(names))]
    return tuple(Output(name) for name in names)


def _probe(teacher: EstimatorTeacher, where: str) -> Array:
    """The answer at one point; several are tried, as not every function takes every number."""
    features = teacher.features
    width = len(teacher.domain) if teacher.domain is not None else len(features or ())
    if width == 0:
        raise TeacherError(
            "the estimator does not say how many inputs it has.",
            where=where,
            hint="state the domain, one variable for each input.",
        )
    points = [np.full(width, value) for value in (0.5, 1.0, 0.0)]
    if teacher.domain is not None:
        points.insert(
            0, teacher.domain.clip(0.5 * (teacher.domain.low + teacher.domain.high)[None])[0]
        )
    failure: Exception | None = None
    for point in points:
        for i, feature in enumerate(features or ()):
            if feature.values is not None and point[i] not in feature.values:
                point[i] = feature.values[0]
        try:
            return teacher.predict(point[None, :])
        except TeacherError:
            raise
        except Exception as error:  # whatever an estimator raises
            failure = error
    raise TeacherError(
        f"the estimator raised {type(failure).__name__}: {failure}",
        where=where,
        hint="load it with the library's version it was trained with, and check its inputs.",
    ) from failure


def _fingerprint(model: Any) -> str:
    """Hash of what was learned, and of the code of classes that are not scikit-learn's own."""
    import joblib
    import sklearn

    try:
        learned: object = joblib.hash(model)
    except Exception:  # what cannot be pickled, a lambda in a FunctionTransformer among it
        learned = model
    return fingerprint.of("estimator", learned, type(model), sklearn.__version__)
