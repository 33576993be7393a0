from __future__ import annotations

import pytest

pytest.importorskip("duckdb", reason="pip install 'botopt[dashboard]'")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("BOTOPT_CACHE_DIR", str(folder))
    return folder
