"""One application per test."""

import pytest

from tests.unit.gateway.kit import World


@pytest.fixture
def world() -> World:
    """An application over scripted services."""
    return World()
