"""A real PostgreSQL and a real MLflow server over http, for the tests that need them.

All tests have these fixtures. Those that use them are in one worker (``TOGETHER`` in
tests/conftest.py), so that they are started once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.door import Door, door
from tests.servers.mlflow_server import MlflowServer, mlflow_server, with_tables
from tests.servers.postgres import Postgres, postgres, programs

TEMPLATE = "mlflow_template"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL for the whole session, with MLflow's empty tables in the database TEMPLATE."""
    bin_ = programs()
    if bin_ is None:
        # With DISTILL_NATIVE=required every skip fails, see tests/conftest.py.
        pytest.skip("PostgreSQL is not installed")
    with postgres(bin_) as running:
        with_tables(running, TEMPLATE)
        yield running


@pytest.fixture(scope="session")
def shared(
    cluster: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MlflowServer, Callable[[], None]]]:
    """A server with PostgreSQL behind it, and what empties its database."""

    def empty() -> None:
        cluster.replace("shared", TEMPLATE)

    empty()
    with mlflow_server(cluster.uri("shared"), tmp_path_factory.mktemp("far")) as server:
        yield server, empty


@pytest.fixture
def far(shared: tuple[MlflowServer, Callable[[], None]]) -> MlflowServer:
    """A server with an empty PostgreSQL behind it, which keeps the files itself."""
    server, empty = shared
    empty()
    return server


@pytest.fixture
def gate(far: MlflowServer) -> Iterator[Door]:
    """A door before that server."""
    with door(far.url) as made:
        yield made
