"""The `botopt` command."""

from __future__ import annotations

import os
import sys


def run() -> None:
    """Entry point: `--version` at once, everything else through the commands, never a traceback."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from botopt.model.version import VERSION

        sys.stdout.write(f"botopt {VERSION}\n")
        return
    sys.exit(_run())


def _run() -> int:
    import logging

    from botopt.cli.app import app
    from botopt.cli.faults import exit_code_of

    logging.getLogger("botopt").addHandler(logging.NullHandler())  # `botopt doctor` says which network runs, and why
    try:
        app(prog_name="botopt", standalone_mode=True)
    except BaseException as fault:
        if os.environ.get("BOTOPT_TRACEBACK"):
            raise
        return exit_code_of(fault)
    return 0


if __name__ == "__main__":
    run()
