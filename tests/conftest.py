"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from botopt.verify.cache.store import VARIABLE


@pytest.fixture(scope="session", autouse=True)
def no_findings_are_remembered() -> Iterator[None]:
    """Nobody's own cache is touched, and no test hears what another one found; tests of the cache name a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "off")
        yield
