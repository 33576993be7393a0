"""What this process shows: set once by the launcher, read by every visitor's page."""

from __future__ import annotations

from botopt.dashboard.views.session import Given

_shown: list[Given] = []


def hold(given: Given) -> None:
    """Show this from now on."""
    _shown[:] = [given]


def given() -> Given:
    """What is shown.

    Raises:
        RuntimeError: nothing was set: the script was not started by `botopt dashboard`.
    """
    if not _shown:
        raise RuntimeError("start it with botopt dashboard")
    return _shown[0]
