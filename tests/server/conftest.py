"""What the tests of the server share."""

from __future__ import annotations

import pytest

from botopt.model.policy import Policy
from botopt.verify.validate import load
from tests.cli.running import ROOT
from tests.server.house import house


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load(ROOT)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, policy):
    """One service for all tests of a module that leave nothing behind, and do not mind what others left."""
    with house(tmp_path_factory.mktemp("shared"), policy) as running:
        yield running


@pytest.fixture
def live(tmp_path, policy):
    with house(tmp_path, policy) as running:
        yield running
