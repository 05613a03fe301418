"""Jobs that log at the same time into a store that nobody has used yet."""

import pytest

from benchmarks.parallel_writers import repeat, small

WRITERS = 6


@pytest.mark.parametrize("kind", ["sqlite", "server"])
def test_nothing_is_lost_or_in_the_wrong_place(kind, request, tmp_path):
    uri = request.getfixturevalue("far").url if kind == "server" else None
    found = repeat(small(1), tmp_path, uri, WRITERS)
    assert (found.failed, found.runs, found.strangers, found.versions) == (0, 0, 0, 0)
