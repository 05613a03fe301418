"""Names, categories and domains of estimators, and what a person is told about them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.random import default_rng
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import CategoricalNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from distill.domain import Domain, Variable
from distill.errors import ConfigError, TeacherError
from distill.firmware.names import check_function_name
from distill.identifiers import why_not_identifier
from distill.teachers.base import Classifier, Teacher, Transparent
from distill.teachers.load import load_teacher
from distill.teachers.sklearn.estimator import EstimatorTeacher

ROWS = 120


def cars() -> pd.DataFrame:
    rng = default_rng(0)
    return pd.DataFrame(
        {
            "mass (kg)": rng.uniform(800, 2000, ROWS).round(),
            "colour": rng.choice(["red", "blue", "green"], ROWS),
            "cylinders": rng.choice([4, 6, 8], ROWS),
            "turbo": rng.choice(["no", "yes"], ROWS),
        }
    )


def price(frame: pd.DataFrame) -> Any:
    return (
        frame["mass (kg)"] / 1000
        + frame["cylinders"]
        + frame["colour"].map({"red": 3, "blue": 1, "green": 2})
        + (frame["turbo"] == "yes")
    ).to_numpy()


def encoded(last: Any, **options: Any) -> Any:
    frame = cars()
    columns = make_column_transformer(
        (OneHotEncoder(**options), ["colour", "cylinders"]),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), ["turbo"]),
        (MinMaxScaler(), ["mass (kg)"]),
    )
    return make_pipeline(columns, last).fit(frame, price(frame))


def codes(frame: pd.DataFrame) -> Any:
    """The same cars as the teacher takes them."""
    return np.column_stack(
        [
            frame["mass (kg)"],
            frame["colour"].map({"blue": 0, "green": 1, "red": 2}),
            frame["cylinders"],
            frame["turbo"].map({"no": 0, "yes": 1}),
        ]
    ).astype(float)


def inner(model: Any, **options: Any) -> EstimatorTeacher:
    teacher = load_teacher(model, **options).teacher
    assert isinstance(teacher, EstimatorTeacher)
    return teacher


@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
def test_texts_become_whole_numbers_that_say_what_they_mean(drop: str | None):
    model = encoded(LinearRegression(), drop=drop)
    teacher = inner(model)
    assert teacher.domain is not None
    assert teacher.domain.names == ("mass__kg", "colour", "cylinders", "turbo")
    kinds = [(v.kind, v.low, v.high) for v in teacher.domain.variables]
    frame = cars()
    mass = frame["mass (kg)"]
    assert kinds == [
        ("continuous", mass.min(), mass.max()),
        ("integer", 0, 2),
        ("integer", 4, 8),
        ("boolean", 0, 1),
    ]
    assert teacher.domain.variables[1].unit == "0 = blue, 1 = green, 2 = red"
    wanted = model.predict(frame)
    assert np.array_equal(teacher.predict(codes(frame))[:, 0], wanted)
    assert teacher.chain is not None, teacher.why_no_chain
    np.testing.assert_allclose(
        teacher.chain.evaluate(codes(frame), "double")[:, 0], wanted, rtol=1e-13
    )


def test_a_category_that_nobody_knows_is_named():
    teacher = load_teacher(encoded(DecisionTreeRegressor()))
    point = codes(cars())[:1]
    for column, value, words in (
        (1, 3.0, r"`colour` = 3 .*0 = blue, 1 = green, 2 = red"),
        (1, 0.5, r"`colour` = 0.5"),
        (2, 5.0, r"`cylinders` = 5 .*4, 6, 8"),
        (3, -1.0, r"`turbo` = -1 .*0 = no, 1 = yes"),
    ):
        other = point.copy()
        other[0, column] = value
        with pytest.raises(TeacherError, match=words):
            teacher.predict(other)


def test_categories_an_encoder_ignores_are_not_refused():
    model = encoded(LinearRegression(), handle_unknown="ignore")
    teacher = inner(model)
    frame = cars().assign(cylinders=5)
    assert np.array_equal(teacher.predict(codes(frame))[:, 0], model.predict(frame))
    assert teacher.chain is not None
    np.testing.assert_allclose(
        teacher.chain.evaluate(codes(frame))[:, 0], model.predict(frame), rtol=1e-13
    )


def test_a_domain_with_categories_there_are_not_is_refused_at_once():
    model = encoded(LinearRegression())
    mass = Variable("mass__kg", 800, 2000)
    turbo = Variable("turbo", 0, 1, kind="boolean")
    eight = Variable("cylinders", 7, 8, kind="integer")
    colour = Variable("colour", 0, 2, kind="integer")
    with pytest.raises(TeacherError, match="`cylinders` has 3 categories"):
        load_teacher(model, domain=Domain((mass, colour, eight, turbo)))
    with pytest.raises(TeacherError, match="`colour` has 3 categories"):
        load_teacher(model, domain=Domain((mass, Variable("colour", 0, 2), eight, turbo)))
    with pytest.raises(TeacherError, match="another order"):
        load_teacher(model, domain=Domain((mass, eight, Variable("colour", 0, 2), turbo)))
    with pytest.raises(TeacherError, match="takes 4, the domain has 2"):
        load_teacher(model, domain=Domain((mass, colour)))


def test_categories_of_naive_bayes_are_whole_numbers():
    x = default_rng(0).integers(0, 4, (80, 2))
    model = CategoricalNB().fit(x, (x[:, 0] > x[:, 1]).astype(int) + (x[:, 0] == 3))
    teacher = inner(model)
    assert teacher.domain is not None
    assert [(v.kind, v.low, v.high) for v in teacher.domain.variables] == [("integer", 0, 3)] * 2
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 2), -1).reshape(-1, 2)
    assert teacher.chain is not None
    for scores in (teacher.predict(grid), teacher.chain.evaluate(grid)):
        assert np.array_equal(scores.argmax(axis=1), model.predict(grid))


def test_names_become_identifiers_each_once():
    frame = pd.DataFrame(default_rng(0).random((9, 6)))
    frame.columns = pd.Index(["a b", "a_b", "double", "Größe", "A_B", "42"])
    teacher = inner(LinearRegression().fit(frame, frame["a b"]))
    assert teacher.features is not None
    names = [feature.name for feature in teacher.features]
    assert all(why_not_identifier(name) is None for name in names)
    assert len({name.lower() for name in names}) == 6
    assert [feature.column for feature in teacher.features] == list(frame.columns)
    assert teacher.domain is None


def test_a_name_of_capitals_alone_is_no_macro_in_c():
    x = default_rng(0).random((30, 2))
    scaled = make_pipeline(StandardScaler(), SVR())
    name = load_teacher(scaled.fit(x, x[:, 0]), domain=Domain.box(a=(0, 1), b=(0, 1))).name
    assert name == "svr"
    check_function_name(name)


def test_the_contract_and_the_names_of_outputs():
    x = default_rng(0).random((60, 3))
    classes = np.array(["low", "high voltage", "1"])[np.arange(60) % 3]
    teacher = load_teacher(RandomForestClassifier(3).fit(x, classes), domain=Domain.box(
        a=(0, 1), b=(0, 1), c=(0, 1)
    ))  # fmt: skip
    assert isinstance(teacher, Teacher)
    assert isinstance(teacher, Classifier)
    assert isinstance(teacher, Transparent)
    assert teacher.name == "RandomForestClassifier"
    assert teacher.classes == ("1", "high voltage", "low")
    assert [o.name for o in teacher.outputs] == ["score_1", "score_high_voltage", "score_low"]
    assert teacher.predict(x).shape == (60, 3)
    assert teacher.predict(x[:0]).shape == (0, 3)
    two = load_teacher(LinearRegression().fit(x, x[:, :2]), name="plant")
    assert [o.name for o in two.outputs] == ["plant_0", "plant_1"]
    assert two.classes == ()
    named = load_teacher(LinearRegression().fit(x, x[:, :2]), outputs=["u", {"name": "v"}])
    assert [o.name for o in named.outputs] == ["u", "v"]
    with pytest.raises(ConfigError, match="no option `layers`"):
        load_teacher(LinearRegression().fit(x, x), layers=[1, 2])


def test_fingerprints_tell_models_apart_and_not_their_copies():
    x = default_rng(0).random((30, 2))
    prints = {
        load_teacher(Ridge(alpha).fit(x, x[:, 0] * x[:, 1])).fingerprint for alpha in (1, 1.0, 2, 3)
    }
    again = load_teacher(Ridge(1).fit(x, x[:, 0] * x[:, 1])).fingerprint
    assert again in prints
    assert 3 <= len(prints) <= 4
    lambdas = [
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=lambda y, c=c: c * y)
        for c in (1.0, 2.0)
    ]
    one, other = (load_teacher(m.set_params(check_inverse=False).fit(x, x[:, 0])) for m in lambdas)
    assert one.fingerprint != other.fingerprint


def test_ten_thousand_inputs():
    rng = default_rng(0)
    x = rng.normal(size=(40, 10_000))
    y = (x[:, 7] > 0).astype(int)
    model = make_pipeline(StandardScaler(), MinMaxScaler(), LogisticRegression(max_iter=20))
    teacher = inner(model.fit(x, y))
    assert teacher.inputs == 10_000
    assert teacher.chain is not None, teacher.why_no_chain
    labels = teacher.predict(x)[:, 0] > 0
    assert np.array_equal(labels, model.predict(x) == 1)
    assert np.array_equal(teacher.chain.evaluate(x)[:, 0] > 0, labels)


@pytest.mark.parametrize("model", [SVR(), KNeighborsClassifier(), MLPRegressor((4,), max_iter=5)])
def test_a_scaler_that_seems_to_be_missing_is_told(model: Any):
    raw = default_rng(0).uniform(900, 1100, (60, 2))
    if isinstance(model, MLPRegressor):
        model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5)
    y = (raw[:, 0] > 1000).astype(int)
    domain = Domain.box(p=(900, 1100), q=(900, 1100))
    bare = inner(model.fit(StandardScaler().fit_transform(raw), y), domain=domain)
    assert any("Pipeline" in note and "scaled before" in note for note in bare.notes)
    whole = inner(make_pipeline(StandardScaler(), model).fit(raw, y), domain=domain)
    assert not any("Pipeline" in note for note in whole.notes)


def test_an_estimator_that_raises_is_a_teacher_error():
    def refuses(x: Any) -> Any:
        if (x > 0.9).any():
            raise ValueError("valve is stuck")
        return x

    x = default_rng(0).random((20, 1)) * 0.5
    model = make_pipeline(FunctionTransformer(refuses), LinearRegression()).fit(x, x[:, 0])
    teacher = load_teacher(model, domain=Domain.box(a=(0, 1)))
    assert teacher.chain is None
    with pytest.raises(TeacherError, match=r"valve is stuck at a = 0\.9375"):
        teacher.predict(np.array([[0.5], [0.9375]]))
