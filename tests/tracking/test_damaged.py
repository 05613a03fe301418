"""Records that something has damaged: told as such, whatever is wrong in them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.errors import StorageError
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.recorded import recorded_studies
from tests.tracking.conftest import make_study

WRONG = st.sampled_from([None, [], {}, "x", -1, 10**400, [None], {"a": 1}, True, "9" * 5000])


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in the data."""
    inner = (
        data.items() if isinstance(data, dict)
        else enumerate(data) if isinstance(data, list)
        else ()
    )  # fmt: skip
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


WHOLE = json.loads(json.dumps(make_study((1,)).to_data()))
WHOLE["candidates"] = WHOLE["candidates"][:1]
WHOLE["history"] = WHOLE["history"][:1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "wet_bulb" / "study" / "5a"
    save_record(make_study((1,)), folder)
    return folder


@given(st.sampled_from(places(WHOLE)), WRONG)
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_wrong_value_anywhere_is_told_or_does_no_harm(folder, place, wrong):
    data = copy.deepcopy(WHOLE)
    if place:
        inner = data
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = wrong
    else:
        data = wrong
    (folder / "study.json").write_text(json.dumps(data))
    recorded_studies(folder.parent.parent.parent)  # one broken record hides no other
    told = None
    try:
        load_record(folder)
    except StorageError as error:
        told = error
    assert told is None or (str(folder) in told.where and told.hint)
