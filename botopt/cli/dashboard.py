"""`botopt dashboard`: what was decided and what became of it, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from botopt.dashboard.asked import Asked
    from botopt.model.policy import Policy


def dashboard(  # noqa: PLR0917  # options are arguments
    log: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            metavar="RECORDS",
            help="A file of decision records, as botopt replay --out writes it; .gz and .zst too. May be given again.",
        ),
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option(
            "--events",
            metavar="EVENTS",
            help="A file of the events: clicks, time zones, how many came. May be given again.",
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="The state file of a service, also while it runs; it is not changed.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="A running service, as http://127.0.0.1:8080.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            envvar="BOTOPT_API_KEY",
            show_envvar=False,
            help="Its API key of scope read; without the option BOTOPT_API_KEY, which others do not see in a list of "
            "processes.",
        ),
    ] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            help="The folder of the policy that decided: its time zone, budget and model, and with --events the "
            "engine's explanations.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone", help="The time zone of users whose own is not known; else that of the workspace, else UTC."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for one that is free.")] = 8501,
) -> None:
    """Show a decision log, a state file or a running service in a browser.

    Prints the address and serves until Ctrl-C. Files are read once and remembered in the cache folder; one that grew is
    read on. Nothing is changed, and nothing is sent or fetched from outside.
    """
    from botopt.cli.console import say
    from botopt.dashboard.launching import require_packages, run

    require_packages()
    asked, policy = _asked(log or [], events or [], state, url, key, workspace, zone)
    run(asked, policy, host, port, say)


def _asked(
    log: list[Path],
    events: list[Path],
    state: Path | None,
    url: str | None,
    key: str | None,
    workspace: Path | None,
    zone: str | None,
) -> tuple[Asked, Policy | None]:
    from botopt.dashboard.asked import UTC, Asked
    from botopt.model.durations import DAY_US
    from botopt.model.errors import InputError, UsageError
    from botopt.model.zones import is_zone

    if sum((bool(log), state is not None, url is not None)) != 1:
        raise UsageError("say what to look at: --log decisions.jsonl, --state state.db, or --url http://127.0.0.1:8080")
    if zone is not None and not is_zone(zone):
        raise UsageError(f'--zone: "{zone}" is no IANA name such as Europe/Berlin')
    missing = next((path for path in (*log, *events) if not path.is_file()), None)
    if missing is not None:
        raise InputError(f"{missing} is no file that can be read again and again; name a file of JSON lines")
    policy = None
    if workspace is not None:
        from botopt.verify.validate import load

        policy = load(workspace)
    settings = None if policy is None else policy.settings
    asked = Asked(
        files=tuple(log),
        state=state,
        url=url,
        key=key,
        workspace=workspace,
        events=tuple(events),
        zone=zone or (UTC if settings is None else settings.timezone),
        ignored_after_us=DAY_US if settings is None else settings.ignored_after_us,
    )
    return asked, policy
