"""Official clients that run on Node.js. They are installed by `sh scripts/setup.sh clients`, never kept here."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent.parent / ".node"
_SUMS = {
    "kore-web-sdk": "sha512-F+RIia7Q6OVc1lLvIZB7NWmMTvSQm4zAGZfX//kpb5D6TCo/hI0uVh5tQ3yptmmMvP45lgb/xw5wHhbq8cjNkA==",
}


def node() -> str:
    """The interpreter. Where none is installed the test is skipped, but fails in CI."""
    found = shutil.which("node")
    return found or _without("no Node.js: sudo apt-get install -y nodejs npm")


def package(name: str) -> Path:
    """The folder of an installed package, which is the one that was meant. As for `node` where it is missing."""
    folder, lock = _FOLDER / "node_modules" / name, _FOLDER / "node_modules" / ".package-lock.json"
    if not folder.is_dir() or not lock.is_file():
        _without(f"{name} is not installed: sh scripts/setup.sh clients")
    installed = json.loads(lock.read_bytes())["packages"][f"node_modules/{name}"]
    assert installed["integrity"] == _SUMS[name], f"this is not the {name} that we know: make clean, then make test"
    return folder


def _without(message: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
