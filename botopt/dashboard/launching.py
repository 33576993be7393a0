"""Starts Streamlit on this machine alone: it asks for no e-mail, sends no statistics, fetches nothing from outside."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from botopt.dashboard.asked import Asked
from botopt.model.errors import UsageError
from botopt.model.policy import Policy

_SCRIPT = Path(__file__).parent / "views" / "script.py"
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def require_packages() -> None:
    """Say which extra is missing.

    Raises:
        UsageError: it is.
    """
    if any(find_spec(name) is None for name in ("streamlit", "duckdb")):
        raise UsageError("the dashboard needs more packages: pip install 'botopt[dashboard]'")


def free_port(host: str, port: int) -> int:
    """The port, or, for 0, one that is free.

    Raises:
        UsageError: it is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            why = (fault.strerror or str(fault)).lower()
            raise UsageError(f"cannot listen on {host} port {port}: {why}; name another with --port") from fault
        return int(probe.getsockname()[1])


def options(host: str, port: int) -> dict[str, object]:
    """Streamlit's settings, which win over what its own files say."""
    found: dict[str, object] = {
        "server_address": host,
        "server_port": port,
        "server_headless": True,  # opens no browser, asks for no e-mail
        "server_showEmailPrompt": False,
        "server_fileWatcherType": "none",
        "server_runOnSave": False,
        "server_maxUploadSize": 1,
        "browser_gatherUsageStats": False,
        "client_showErrorDetails": "none",  # no stack reaches a page
        "client_showErrorLinks": False,
        "client_toolbarMode": "minimal",
        "global_developmentMode": False,
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        # No theme of our own: with one, Streamlit would no longer follow the reader's light or dark.
    }
    if host in _LOCAL:
        found["server_allowedHosts"] = [*sorted(_LOCAL)]  # no page from elsewhere gets in under another name
    return found


def run(asked: Asked, policy: Policy | None, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until somebody ends it.

    Args:
        asked: what to look at.
        policy: that of the workspace, if one is named.
        host: the address to listen on.
        port: 0 for one that is free.
        say: tells people.

    Raises:
        UsageError: a package is missing, or the port is taken.
    """
    require_packages()
    from streamlit.web import bootstrap

    from botopt.dashboard.holding import hold
    from botopt.dashboard.views.session import Given

    port = free_port(host, port)
    hold(Given(asked, policy))
    found = options(host, port)
    bootstrap.load_config_options(found)
    shown = f"[{host}]" if ":" in host else host
    say(f"botopt dashboard: {asked.name} at http://{shown}:{port} (Ctrl-C ends it)")
    if host not in _LOCAL:
        say("Anybody who reaches this address sees users' ids and messages.")
    bootstrap.run(str(_SCRIPT), is_hello=False, args=[], flag_options=found)
