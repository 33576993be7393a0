"""The image, built once, and what is mounted into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.container.reading import ROOT, UID
from tests.container.running import Image, owned

SCRIPT = ROOT / "scripts" / "image.sh"


@pytest.fixture(scope="session")
def image() -> Image:
    """The image of this checkout, over a Debian made here."""
    lacks = subprocess.run(["sh", SCRIPT, "lacks"], capture_output=True, text=True, check=True).stdout.strip()
    if lacks:
        pytest.skip(lacks)
    built = subprocess.run(["sh", SCRIPT, "trial"], capture_output=True, text=True, timeout=1800, check=False)
    assert built.returncode == 0, built.stderr
    said = dict(line.split("=", 1) for line in built.stdout.splitlines())
    return Image.read(Path(said["root"]), Path(said["settings"]))


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """The volume of the state, empty, and owned as an engine makes it."""
    return owned(tmp_path / "volume", UID)


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter policy, as `botopt init` writes it, readable by everybody."""
    folder = tmp_path_factory.mktemp("policy") / "shop"
    subprocess.run([sys.executable, "-m", "botopt", "init", folder], cwd=ROOT, capture_output=True, check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    return folder
