"""Values of options against annotations."""

from dataclasses import dataclass, field

import pytest

from distill.engines.options import checked, defaults, did_you_mean, read, writable
from distill.errors import ConfigError


@dataclass(frozen=True)
class Options:
    size: int = 3
    share: float = 0.5
    deep: bool = True
    names: tuple[str, ...] = ()
    depth: "int | None" = None
    rest: dict[str, int] = field(default_factory=dict)


def test_defaults_are_what_a_user_may_give():
    assert defaults(Options) == {
        "size": 3,
        "share": 0.5,
        "deep": True,
        "names": (),
        "depth": None,
    }


def test_values_reach_the_options():
    assert read(Options, {"size": 5, "share": 1, "depth": 2}, "any") == Options(5, 1, depth=2)


@pytest.mark.parametrize(
    ("value", "annotation", "result"),
    [
        (3, "int", 3),
        (3, "float", 3),
        (3, "int | float", 3),
        (None, "str | None", None),
        (["a", "b"], "tuple[str, ...]", ("a", "b")),
        ([], "tuple[str, ...]", ()),
        (("a",), "list[str]", ["a"]),
        ([1, -1], "int | tuple[int, int]", (1, -1)),
        ([[1, 2], [3, 4]], "list[tuple[int, int]]", [(1, 2), (3, 4)]),
        ({"a": [1, 2]}, "dict[str, int | tuple[int, int]] | None", {"a": (1, 2)}),
        (16, "Literal[16, 32]", 16),
        ("auto", "bool | Literal['auto']", "auto"),
        ("x", "str | Path", "x"),
    ],
)
def test_what_fits_is_kept(value, annotation, result):
    found = checked("key", value, annotation, None)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("value", "annotation", "said"),
    [
        (True, "int", "int"),
        (True, "Literal[1, 2]", "1 or 2"),
        (1.0, "int", "int"),
        ("1", "float", "float"),
        ("ab", "list[str]", "list of str"),
        ([1], "tuple[str, ...]", "list of str"),
        ([1, 2, 3], "tuple[int, int]", "list of int, int"),
        ({1: 1}, "dict[str, int]", "mapping of str to int"),
        ([1], "dict[str, int]", "mapping of str to int"),
        (64, "Literal[16, 32]", "16 or 32"),
        (None, "int | str", "int or str"),
        (object(), "np.random.RandomState | int | None", "int or null"),
    ],
)
def test_what_does_not_is_refused_with_the_type_that_is_wanted(value, annotation, said):
    with pytest.raises(ConfigError) as caught:
        checked("key", value, annotation, 7)
    assert caught.value.what == f"`key` must be of type {said}, not {value!r}."
    assert caught.value.where == "config key `engine.options.key`"
    assert caught.value.hint == "its default is 7."


@pytest.mark.parametrize(
    ("annotation", "can"),
    [
        ("int | None", True),
        ("Literal['a']", True),
        ("dict[str, int | tuple[int, ...]]", True),
        ("int | np.random.RandomState", True),
        ("AbstractSpec | None", False),
        ("dict[str, Callable] | None", False),
        ("Mapping[AbstractMutation, float] | None", False),
        ("Sequence[AbstractPlugin]", False),
        ("list[AnyValue] | list[list[AnyValue]]", False),
    ],
)
def test_python_objects_cannot_be_written(annotation, can):
    assert writable(annotation) is can


def test_close_names_are_asked_for():
    assert did_you_mean("sise", ["size", "share"]) == "did you mean `size`?"
    assert did_you_mean("aab", ["aaa", "aac", "x"], 3) == "did you mean `aac` or `aaa`?"
    assert did_you_mean("q", ["size"]) == ""
    assert did_you_mean(7, ["size"]) == ""
