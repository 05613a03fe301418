"""A local store to compare a server with."""

from tests.tracking.conftest import template

__all__ = ["template"]
