"""One world that was lived through once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from botopt.verify.log import read_log
from botopt.verify.training.rows import Rows, rows_of
from tests.verify.training.world import live, policy


@pytest.fixture(scope="session")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records and events of 40 users in 50 days."""
    return live(policy(), seed=2, users=40, days=50).write(tmp_path_factory.mktemp("world") / "log.jsonl")


@pytest.fixture(scope="session")
def rows(log_file: Path) -> Rows:
    """What may be learned from them."""
    return rows_of(read_log([log_file]), policy(), "reference")
