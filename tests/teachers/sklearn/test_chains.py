"""Estimators read as chains: their labels everywhere, their values to a few float32 ulp."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from sklearn import (
    cluster,
    discriminant_analysis,
    ensemble,
    gaussian_process,
    kernel_ridge,
    linear_model,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.base import is_regressor
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.steps.columns import Branches
from distill.chain.steps.elementwise import Scale, Stretch
from distill.chain.steps.trees import Trees
from distill.errors import NotDifferentiable
from distill.teachers.sklearn.estimator import EstimatorTeacher, from_estimator

FLOWERS, SPECIES = load_iris(return_X_y=True)
# Measured to a millimetre, many flowers are equally far from others; a little noise settles which.
IRIS = np.abs(FLOWERS + default_rng(3).normal(0, 0.02, FLOWERS.shape))
LENGTH = IRIS[:, :2] @ [1.0, 2.0] + np.sin(IRIS[:, 2]) + 3.0

REGRESSIONS: dict[str, Callable[[], Any]] = {
    "linear": linear_model.LinearRegression,
    "ridge": linear_model.Ridge,
    "lasso": lambda: linear_model.Lasso(0.01),
    "elastic net": lambda: linear_model.ElasticNet(0.01),
    "huber": linear_model.HuberRegressor,
    "poisson": linear_model.PoissonRegressor,
    "tweedie": lambda: linear_model.TweedieRegressor(power=1.5),
    "pls": PLSRegression,
    "svr": svm.SVR,
    "svr poly": lambda: svm.SVR(kernel="poly", coef0=1.0, degree=2),
    "svr sigmoid": lambda: svm.SVR(kernel="sigmoid", gamma=0.01),
    "kernel ridge": lambda: kernel_ridge.KernelRidge(kernel="rbf", alpha=0.1),
    "process": lambda: gaussian_process.GaussianProcessRegressor(
        gaussian_process.kernels.ConstantKernel(2.0) * gaussian_process.kernels.RBF([1, 2, 1, 1.5])
        + gaussian_process.kernels.WhiteKernel(0.1),
        optimizer=None,
        normalize_y=True,
    ),
    "tree": lambda: tree.DecisionTreeRegressor(max_depth=6),
    "forest": lambda: ensemble.RandomForestRegressor(12, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesRegressor(8, random_state=0),
    "boosted": lambda: ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
    "histogram": lambda: ensemble.HistGradientBoostingRegressor(max_iter=10),
    "histogram gamma": lambda: ensemble.HistGradientBoostingRegressor(loss="gamma", max_iter=10),
    "bagging": lambda: ensemble.BaggingRegressor(
        linear_model.Ridge(), n_estimators=5, max_features=0.5, random_state=0
    ),
    "voting": lambda: ensemble.VotingRegressor(
        [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3))],
        weights=[1, 2],
    ),
    "neighbours": neighbors.KNeighborsRegressor,
    "neighbours by distance": lambda: neighbors.KNeighborsRegressor(weights="distance"),
    "network": lambda: neural_network.MLPRegressor(
        hidden_layer_sizes=(8, 8), max_iter=50, random_state=0
    ),
    "several": lambda: multioutput.MultiOutputRegressor(linear_model.Ridge()),
    "logarithm": lambda: TransformedTargetRegressor(
        linear_model.Ridge(), func=np.log, inverse_func=np.exp
    ),
    "scaled target": lambda: TransformedTargetRegressor(
        tree.DecisionTreeRegressor(max_depth=4), transformer=MinMaxScaler()
    ),
    "standard target": lambda: TransformedTargetRegressor(
        linear_model.Ridge(), transformer=StandardScaler()
    ),
    "polynomial": lambda: make_pipeline(
        StandardScaler(), PolynomialFeatures(3), linear_model.Ridge()
    ),
    "projected": lambda: make_pipeline(PCA(2, whiten=True), svm.SVR()),
    "scaled forest": lambda: make_pipeline(
        MinMaxScaler(), ensemble.RandomForestRegressor(5, random_state=0)
    ),
    "searched": lambda: GridSearchCV(linear_model.Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
}

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: linear_model.LogisticRegression(max_iter=500),
    "one against the rest": lambda: OneVsRestClassifier(svm.LinearSVC()),
    "linear svc": svm.LinearSVC,
    "perceptron": linear_model.Perceptron,
    "ridge classifier": linear_model.RidgeClassifier,
    "sgd": lambda: linear_model.SGDClassifier(random_state=0),
    "gaussian": naive_bayes.GaussianNB,
    "bernoulli": lambda: naive_bayes.BernoulliNB(binarize=3.0),
    "multinomial": naive_bayes.MultinomialNB,
    "complement": naive_bayes.ComplementNB,
    "lda": discriminant_analysis.LinearDiscriminantAnalysis,
    "qda": discriminant_analysis.QuadraticDiscriminantAnalysis,
    "svc": svm.SVC,
    "svc linear": lambda: svm.SVC(kernel="linear"),
    "svc poly": lambda: svm.SVC(kernel="poly", coef0=1.0),
    "svc sigmoid": lambda: svm.SVC(kernel="sigmoid", gamma=0.01),
    "svc breaks ties": lambda: svm.SVC(break_ties=True),
    "nu svc": lambda: svm.NuSVC(nu=0.3),
    "tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "blunt tree": lambda: tree.DecisionTreeClassifier(min_samples_leaf=7, random_state=0),
    "forest": lambda: ensemble.RandomForestClassifier(15, random_state=0),
    "blunt forest": lambda: ensemble.RandomForestClassifier(14, min_samples_leaf=6, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesClassifier(8, random_state=0),
    "boosted": lambda: ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0),
    "histogram": lambda: ensemble.HistGradientBoostingClassifier(max_iter=8),
    "ada boost": lambda: ensemble.AdaBoostClassifier(n_estimators=12, random_state=0),
    "bagging": lambda: ensemble.BaggingClassifier(n_estimators=6, max_features=0.5, random_state=0),
    "bagged neighbours": lambda: ensemble.BaggingClassifier(
        neighbors.KNeighborsClassifier(3), n_estimators=3, random_state=0
    ),
    "voting": lambda: ensemble.VotingClassifier(
        [
            ("a", naive_bayes.GaussianNB()),
            ("b", linear_model.LogisticRegression(max_iter=500)),
            ("c", ensemble.RandomForestClassifier(5, random_state=0)),
        ],
        voting="soft",
        weights=[1, 1, 2],
    ),
    "neighbours": lambda: neighbors.KNeighborsClassifier(4),
    "neighbours by distance": lambda: neighbors.KNeighborsClassifier(weights="distance"),
    "manhattan": lambda: neighbors.KNeighborsClassifier(3, metric="manhattan"),
    "centroid": neighbors.NearestCentroid,
    "centroid with priors": lambda: neighbors.NearestCentroid(priors="empirical"),
    "network": lambda: neural_network.MLPClassifier((8,), max_iter=60, random_state=0),
    "logistic network": lambda: neural_network.MLPClassifier(
        (6,), activation="logistic", max_iter=60, random_state=0
    ),
    "scaled tree": lambda: make_pipeline(
        StandardScaler(), tree.DecisionTreeClassifier(random_state=0)
    ),
    "robust forest": lambda: make_pipeline(
        RobustScaler(), ensemble.RandomForestClassifier(6, random_state=0)
    ),
    "stretched boosted": lambda: make_pipeline(
        MinMaxScaler((-1, 1)),
        ensemble.GradientBoostingClassifier(n_estimators=6, random_state=0),
    ),
    "columns": lambda: make_pipeline(
        make_column_transformer(
            (StandardScaler(), [2, 0]), (Binarizer(threshold=0.8), [3]), remainder="passthrough"
        ),
        linear_model.LogisticRegression(max_iter=500),
    ),
    "union": lambda: make_pipeline(
        SimpleImputer(),
        make_union(PCA(2), SelectKBest(k=1), MaxAbsScaler()),
        Normalizer(),
        FunctionTransformer(np.expm1),
        svm.LinearSVC(),
    ),
}

OTHERS: dict[str, Callable[[], Any]] = {
    "k-means": lambda: cluster.KMeans(4, random_state=0),
    "two means": lambda: cluster.KMeans(2, random_state=0),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=10, random_state=0),
    "one class": svm.OneClassSVM,
    "pca": lambda: PCA(3),
    "distances": lambda: make_pipeline(cluster.KMeans(3, random_state=0), StandardScaler()),
}


def train(make: Callable[[], Any], *, binary: bool = False) -> Any:
    model = make()
    if is_regressor(model):
        y: Any = LENGTH
        if isinstance(model, multioutput.MultiOutputRegressor):
            y = np.column_stack([LENGTH, IRIS[:, 3]])
        return model.fit(IRIS, y)
    if binary:
        return model.fit(IRIS[50:], np.array(["no", "yes"])[SPECIES[50:] - 1])
    return model.fit(IRIS, SPECIES)


def cuts(chain: Chain) -> list[tuple[int, float]]:
    """Where trees split, in the units of the chain's inputs."""
    found: list[tuple[int, float]] = []
    undo: Callable[[int, float], float] = lambda i, t: t  # noqa: E731
    for step in chain.steps:
        if isinstance(step, Branches):
            found += [pair for part in step.chains for pair in cuts(part)]
        elif isinstance(step, Scale):
            undo = lambda i, t, s=step: t * s.divisor[i] + s.shift[i]  # noqa: E731
        elif isinstance(step, Stretch):
            undo = lambda i, t, s=step: (t - s.offset[i]) / s.factor[i]  # noqa: E731
        elif isinstance(step, Trees):
            inner = np.nonzero(step.left >= 0)[0]
            found += [
                (int(step.feature[n]), undo(int(step.feature[n]), float(step.threshold[n])))
                for n in inner
            ]
    return found


def points(chain: Chain | None, count: int = 3000) -> Array:
    """Points of the box, the data itself, and every threshold with an ulp to either side."""
    rng = default_rng(0)
    low, high = IRIS.min(axis=0) - 0.2, IRIS.max(axis=0) + 0.2
    x = [np.maximum(low + (high - low) * rng.random((count, 4)), 0), IRIS]
    if chain is not None and chain.inputs == 4:
        wanted = cuts(chain)
        near = np.maximum(low + (high - low) * rng.random((len(wanted), 5, 4)), 0)
        for at, (feature, threshold) in enumerate(wanted):
            middle = np.float32(threshold)
            below = np.nextafter(middle, np.float32(-np.inf))
            above = np.nextafter(middle, np.float32(np.inf))
            near[at, :, feature] = [
                np.nextafter(below, np.float32(-np.inf)), below, middle, above,
                np.nextafter(above, np.float32(np.inf)),
            ]  # fmt: skip
        x.append(near.reshape(-1, 4))
    return np.concatenate(x).astype(np.float32).astype(np.float64)


def labels(scores: Array) -> Any:
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)


def ulps(found: Array, wanted: Array) -> float:
    rounded = wanted.astype(np.float32)
    return float(
        np.max(
            np.abs(found.astype(np.float32).astype(float) - rounded) / np.spacing(np.abs(rounded))
        )
    )


def check(model: Any) -> EstimatorTeacher:
    """The chain gives what the teacher gives, and its labels are those of ``predict``."""
    teacher = from_estimator(model, "m", None, None)
    assert teacher.chain is not None, teacher.why_no_chain
    x = points(teacher.chain)
    wanted = teacher.predict(x)
    found = teacher.chain.evaluate(x, "double")
    assert found.shape == wanted.shape == (len(x), len(teacher.outputs))
    assert ulps(found, wanted) <= 4
    if teacher.classes:
        said = model.predict(x)
        known = list(getattr(model, "classes_", sorted(set(said.tolist()))))
        numbers = np.array([known.index(one) for one in said.tolist()])
        assert len(set(numbers.tolist())) > 1
        assert (labels(wanted) == numbers).all()
        assert (labels(found) == numbers).all()
    return teacher


@pytest.mark.parametrize("name", REGRESSIONS)
def test_regressions(name: str):
    model = train(REGRESSIONS[name])
    teacher = check(model)
    assert teacher.classes == ()
    x = points(teacher.chain, 500)
    assert np.array_equal(teacher.predict(x), np.reshape(model.predict(x), (len(x), -1)))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_three_classes(name: str):
    teacher = check(train(CLASSIFIERS[name]))
    assert teacher.classes == ("0", "1", "2")
    assert [output.name for output in teacher.outputs] == ["score_0", "score_1", "score_2"]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_two_classes(name: str):
    teacher = check(train(CLASSIFIERS[name], binary=True))
    assert teacher.classes == ("no", "yes")
    assert [output.name for output in teacher.outputs] == ["margin"]


@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str):
    check(train(OTHERS[name]))


def test_ties_of_a_forest_fall_as_predict_says():
    x = default_rng(1).integers(0, 3, (40, 2)).astype(float)
    y = default_rng(2).integers(0, 2, 40)
    model = ensemble.RandomForestClassifier(10, min_samples_leaf=2, random_state=0).fit(x, y)
    grid = np.stack(np.meshgrid(*[np.arange(3.0)] * 2), -1).reshape(-1, 2)
    shares = model.predict_proba(grid)
    teacher = from_estimator(model, "m", None, None)
    assert teacher.chain is not None
    assert (labels(teacher.predict(grid)) == model.predict(grid)).all()
    assert np.array_equal(teacher.chain.evaluate(grid, "double"), shares[:, 1:] - shares[:, :1])


def test_a_margin_of_zero_is_label_one_where_predict_says_so():
    model = svm.SVC(kernel="linear").fit([[-1.0], [1.0]], [0, 1])
    assert model.decision_function([[0.0]])[0] == 0
    teacher = from_estimator(model, "m", None, None)
    assert teacher.chain is not None
    for values in (teacher.predict(np.zeros((1, 1))), teacher.chain.evaluate(np.zeros((1, 1)))):
        assert labels(values)[0] == model.predict([[0.0]])[0] == 1


def test_whatever_no_reader_knows_stays_a_black_box_that_says_why():
    model = ensemble.AdaBoostRegressor(n_estimators=3, random_state=0).fit(IRIS, LENGTH)
    teacher = from_estimator(model, "m", None, None)
    assert teacher.chain is None
    assert "AdaBoostRegressor" in teacher.why_no_chain
    assert np.array_equal(teacher.predict(IRIS)[:, 0], model.predict(IRIS))

    class Own(linear_model.LinearRegression):
        def predict(self, X: Any) -> Any:
            return super().predict(X) ** 2

    teacher = from_estimator(Own().fit(IRIS, LENGTH), "m", None, None)
    assert teacher.chain is None
    assert "Own" in teacher.why_no_chain


@pytest.mark.parametrize("weird", ["stacking", "calibrated", "hard votes", "mixture", "mean shift"])
def test_labels_of_black_boxes_are_those_of_predict(weird: str):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.mixture import GaussianMixture

    members = [("a", naive_bayes.GaussianNB()), ("b", tree.DecisionTreeClassifier(max_depth=2))]
    model = {
        "stacking": lambda: ensemble.StackingClassifier(members, cv=2),
        "calibrated": lambda: CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2),
        "hard votes": lambda: ensemble.VotingClassifier(members),
        "mixture": lambda: GaussianMixture(3, random_state=0),
        "mean shift": lambda: cluster.MeanShift(bandwidth=1.5),
    }[weird]().fit(IRIS, SPECIES)
    teacher = from_estimator(model, "m", None, None)
    assert teacher.chain is None
    x = points(None, 500)
    assert (labels(teacher.predict(x)) == model.predict(x)).all()


def test_smooth_chains_have_slopes_and_trees_say_that_they_have_none():
    model = train(REGRESSIONS["polynomial"])
    teacher = from_estimator(model, "m", None, None)
    x = IRIS[:20]
    slopes = teacher.gradient(x)
    assert slopes.shape == (20, 1, 4)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        difference = (model.predict(x + step) - model.predict(x - step)) / 2e-5
        np.testing.assert_allclose(slopes[:, 0, i], difference, rtol=1e-6, atol=1e-8)
    with pytest.raises(NotDifferentiable, match="Trees"):
        from_estimator(train(REGRESSIONS["tree"]), "m", None, None).gradient(x)
    with pytest.raises(NotDifferentiable, match="relu"):
        from_estimator(train(REGRESSIONS["network"]), "m", None, None).gradient(x)
