"""A run without a state stays within its memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from botopt.state.spilling import SpillingStore
from tests.state.helpers import row


def test_few_users_stay_in_memory():
    store = SpillingStore(1_000_000)
    store.commit([row(f"u{number}", state=b"x" * 100) for number in range(500)], meta={})
    store.commit([row(f"u{number}", state=b"y" * 100) for number in range(500)], meta={})  # the same ones again
    assert not store.spilled


def test_many_go_to_a_file_that_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with SpillingStore(100_000) as store:
        store.commit([row(f"u{number:03}", state=b"x" * 100) for number in range(500)], meta={"a": "b"})
        assert store.spilled
        assert len(list(tmp_path.iterdir())) == 1
        assert len(list(store.users())) == 500
        assert store.meta() == {"a": "b"}
    assert list(tmp_path.iterdir()) == []
    assert Path(tmp_path).exists()
