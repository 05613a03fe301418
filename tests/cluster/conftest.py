"""One cluster for all tests: starting it takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.one_node import Cluster, missing, one_node_slurm


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    if reason := missing():
        # With DISTILL_NATIVE=required every skip fails, see tests/conftest.py.
        pytest.skip(reason)
    with one_node_slurm(largest_array=4) as running:
        yield running


@pytest.fixture
def cluster(slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster, found by this process and by what it starts."""
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    return slurm
