"""Whether the tests that build the image were asked for."""

from __future__ import annotations

import os

import pytest


def skip_unless_asked() -> None:
    """Leave a whole file out, in one line, unless `make image-test` or `make soak` runs."""
    if not (os.environ.get("BOTOPT_IMAGE") or os.environ.get("BOTOPT_SOAK")):
        pytest.skip("builds an image, which takes minutes: make image-test", allow_module_level=True)
