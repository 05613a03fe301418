"""The types that a skops file may hold: those of scikit-learn that are data and known arithmetic.

skops itself trusts scikit-learn's estimators, numpy's types and functions of numbers. What is
listed here comes on top; none of it runs code of the file's choosing. Trees, prototypes and
sparse matrices are compiled code that trusts its numbers: :mod:`distill.teachers.sklearn.sound`
checks those after loading.
"""

from __future__ import annotations

_KERNELS = (
    "CompoundKernel",
    "ConstantKernel",
    "DotProduct",
    "ExpSineSquared",
    "Exponentiation",
    "Hyperparameter",
    "Matern",
    "PairwiseKernel",
    "Product",
    "RBF",
    "RationalQuadratic",
    "Sum",
    "WhiteKernel",
)
_DISTANCES = (
    "ChebyshevDistance",
    "EuclideanDistance",
    "ManhattanDistance",
    "MinkowskiDistance",
)
_SCORES = (
    "chi2",
    "f_classif",
    "f_regression",
    "r_regression",
)
_SPLITS = (
    "GroupKFold",
    "KFold",
    "LeaveOneOut",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "ShuffleSplit",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
    "TimeSeriesSplit",
)

TRUSTED: frozenset[str] = frozenset(
    [
        "numpy.dtype",
        "numpy.mean",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.mixture._gaussian_mixture.GaussianMixture",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        *(f"sklearn.gaussian_process.kernels.{name}" for name in _KERNELS),
        *(f"sklearn.metrics._dist_metrics.{name}64" for name in _DISTANCES),
        *(f"sklearn.feature_selection._univariate_selection.{name}" for name in _SCORES),
        *(f"sklearn.model_selection._split.{name}" for name in _SPLITS),
    ]
)
