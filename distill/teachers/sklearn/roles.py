"""What an estimator is asked for: values, scores of classes, or transformed columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.errors import TeacherError
from distill.teachers.sklearn.readers.base import TIE
from distill.teachers.sklearn.scores import (
    MARGIN_AT_ZERO,
    Ask,
    agreeing,
    class_scores,
    columns,
    decision,
    margin,
    nearer,
    nothing,
)

AGREE = frozenset(
    {
        "DecisionTreeClassifier",
        "ExtraTreeClassifier",
        "RandomForestClassifier",
        "ExtraTreesClassifier",
        "GradientBoostingClassifier",
        "HistGradientBoostingClassifier",
        "AdaBoostClassifier",
        "BaggingClassifier",
        "GaussianNB",
        "BernoulliNB",
        "MultinomialNB",
        "ComplementNB",
        "CategoricalNB",
        "LogisticRegression",
        "LogisticRegressionCV",
        "RidgeClassifier",
        "RidgeClassifierCV",
        "LinearSVC",
        "Perceptron",
        "SGDClassifier",
        "LinearDiscriminantAnalysis",
        "QuadraticDiscriminantAnalysis",
        "IsolationForest",
    }
)
"""Classes of scikit-learn whose ``predict`` compares the very scores that are asked here; the
labels of all others are asked too, and the scores corrected where they say something else."""


@dataclass(frozen=True)
class Role:
    """What the last part of an estimator gives.

    Attributes
    ----------
    ask : from what the estimator takes (n rows) to (n, k).
    classes : the names of a classifier's classes, else empty.
    names : of the outputs, where the estimator has some.
    transforms : whether the outputs are those of ``transform``.
    """

    ask: Ask
    classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    transforms: bool = False


def role_of(model: Any, where: str) -> Role:
    """What a fitted estimator is asked for.

    Raises
    ------
    TeacherError : for one that cannot answer at new points, or gives several labels.
    """
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

    before, last = _parts(model)
    if is_classifier(last):
        return _classifier(before, last, getattr(last, "classes_", None), where)
    if is_outlier_detector(last):
        if not hasattr(last, "decision_function"):
            raise _cannot(last, where, "train it with novelty=True.")
        return _of_classes(before, last, ("outlier", "inlier"), decision(last), _inlier(last))
    if is_regressor(last) or (hasattr(last, "predict") and not is_clusterer(last)):
        if hasattr(last, "predict_proba") and not is_regressor(last):
            return _mixture(before, last, where)
        return Role(lambda raw: columns(last.predict(before(raw))))
    if is_clusterer(last) and hasattr(last, "predict"):
        return _clusterer(before, last, where)
    if hasattr(last, "transform"):
        return Role(lambda raw: columns(last.transform(before(raw))), (), _names(last), True)
    raise _cannot(last, where, "give one that has `predict` or `transform`.")


def _parts(model: Any) -> tuple[Callable[[Any], Any], Any]:
    """What comes before the estimator that answers, and that one."""
    before: list[Any] = []
    while True:
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif type(model).__name__ == "Pipeline" and hasattr(model, "steps"):
            if len(model.steps) > 1:
                before.append(model[:-1])
            model = model.steps[-1][1]
        else:
            break

    def prepare(raw: Any) -> Any:
        for part in before:
            raw = part.transform(raw)
        return raw

    if isinstance(model, str) or model is None:  # a pipeline that ends in "passthrough"
        from sklearn.preprocessing import FunctionTransformer

        model = FunctionTransformer()
    return prepare, model


def _classifier(before: Callable[[Any], Any], last: Any, classes: Any, where: str) -> Role:
    several = (
        classes is None
        or isinstance(classes, list)
        or np.ndim(classes) != 1
        or getattr(last, "multilabel_", False)
        or getattr(getattr(last, "_label_binarizer", None), "y_type_", "").startswith("multilabel")
    )
    if several:
        raise TeacherError(
            f"{type(last).__name__} gives several labels at once.",
            where=where,
            hint="train one classifier for each label, and distil them one by one.",
        )
    known = np.asarray(classes)
    names = tuple(str(value) for value in known.tolist())
    if len(names) < 2:
        raise TeacherError(
            f"{type(last).__name__} knows one class only, `{''.join(names)}`.",
            where=where,
            hint="train it on two classes at least.",
        )
    position = {value: i for i, value in enumerate(known.tolist())}

    def labels(z: Any) -> npt.NDArray[np.int64]:
        said = np.asarray(last.predict(z)).ravel().tolist()
        return np.array([position[value] for value in said], dtype=np.int64)

    return _of_classes(before, last, names, class_scores(last, len(names)), labels)


def _of_classes(
    before: Callable[[Any], Any],
    last: Any,
    classes: tuple[str, ...],
    scores: Ask,
    labels: Callable[[Any], npt.NDArray[np.int64]],
) -> Role:
    own = type(last).__module__.startswith("sklearn.") and type(last).__name__ in AGREE
    tie = TIE if len(classes) == 2 and type(last).__name__ in MARGIN_AT_ZERO else 0.0

    def ask(raw: Any) -> Array:
        z = before(raw)
        values = scores(z)
        if tie:
            values = values + tie
        return values if own else agreeing(values, labels(z))

    return Role(ask, classes)


def _inlier(last: Any) -> Callable[[Any], npt.NDArray[np.int64]]:
    return lambda z: (np.asarray(last.predict(z)) == 1).astype(np.int64)


def _clusterer(before: Callable[[Any], Any], last: Any, where: str) -> Role:
    centres = getattr(last, "cluster_centers_", None)
    count = len(centres) if centres is not None else len(np.unique(last.labels_))
    if count < 2:
        raise TeacherError(
            f"{type(last).__name__} knows one cluster only.",
            where=where,
            hint="train it with two clusters at least.",
        )
    scores = nothing(count) if centres is None else nearer(centres, "euclidean")
    names = tuple(str(number) for number in range(count))
    return _of_classes(before, last, names, scores, _numbers(last))


def _numbers(last: Any) -> Callable[[Any], npt.NDArray[np.int64]]:
    return lambda z: np.asarray(last.predict(z), dtype=np.int64)


def _mixture(before: Callable[[Any], Any], last: Any, where: str) -> Role:
    """Mixtures of densities: the number of the likeliest one."""
    names = tuple(str(number) for number in range(len(last.weights_)))
    if len(names) < 2:
        raise TeacherError(
            f"{type(last).__name__} knows one component only.",
            where=where,
            hint="train it with two components at least.",
        )
    return _of_classes(before, last, names, lambda z: margin(last.predict_proba(z)), _numbers(last))


def _names(last: Any) -> tuple[str, ...]:
    try:
        return tuple(str(name) for name in last.get_feature_names_out())
    except Exception:  # an estimator of somebody else's may raise anything here
        return ()


def _cannot(last: Any, where: str, hint: str) -> TeacherError:
    return TeacherError(
        f"{type(last).__name__} cannot be asked at points it was not trained on.",
        where=where,
        hint=hint,
    )
