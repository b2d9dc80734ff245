"""Stages of the hand-made world are made once and removed at the end."""

import pytest

from tests.flow import forks, parties


@pytest.fixture(scope="session", autouse=True)
def _stages():
    yield
    forks.stop()
    parties.forget()


@pytest.fixture
def at(tmp_path):
    """`at("encoded")`: a fresh copy of the world as it stands after a step; folders by party."""

    def copy(stage):
        return parties.world_at(stage, tmp_path / "world")

    return copy
