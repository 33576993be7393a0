"""`botopt status`: how the live service is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from botopt.cli.exits import Exit
from botopt.cli.options import Format, OutputFormat

if TYPE_CHECKING:
    import httpx

KEY_VARIABLE = "BOTOPT_API_KEY"
_SECONDS = 10.0
_COUNTED = ("botopt_decisions_total", "botopt_deliveries_total", "botopt_suppressed_total")


def status(
    url: Annotated[
        str | None,
        typer.Option("--url", help=f"Ask this service. With an API key in {KEY_VARIABLE} its numbers are shown, too."),
    ] = None,
    state: Annotated[Path | None, typer.Option("--state", help="Look into this state file instead.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Say how a live service is: what it serves, what waits, and what keeps it from working.

    Ends with 0 if the service is ready, with 1 if it is not.
    """
    from botopt.model.errors import UsageError

    if (url is None) == (state is None):
        raise UsageError("say whom to ask: --url http://127.0.0.1:8080, or --state state.db")
    told = of_file(state) if state is not None else of_service(str(url))
    if format is Format.JSON:
        typer.echo(msgspec.json.encode(told).decode())
    else:
        from botopt.cli.console import visible
        from botopt.cli.status_view import lines

        for line in lines(told):
            typer.echo(visible(line))
    if told.get("ready") is False:
        raise typer.Exit(Exit.INTERNAL)


def of_service(url: str) -> dict[str, Any]:
    """What `/readyz` says, and `/metrics` if there is a key.

    Raises:
        UsageError: a package is missing.
        InputError: nobody answers there.
    """
    import os

    from botopt.cli.serving import require_packages
    from botopt.model.errors import InputError

    require_packages()
    import httpx

    key = os.environ.get(KEY_VARIABLE)
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url, timeout=_SECONDS, follow_redirects=False) as client:
            told: dict[str, Any] = client.get("/readyz").json()
            numbers = client.get("/metrics", headers=headers)
    except httpx.ConnectError as fault:
        raise InputError(f"no botopt answers at {url}: no connection; does botopt serve run there?") from fault
    except httpx.TimeoutException as fault:
        raise InputError(f"no botopt answers at {url}: nothing came within {_SECONDS:.0f} seconds") from fault
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
        raise InputError(f"no botopt answers at {url}: write it as http://127.0.0.1:8080") from fault
    except (httpx.HTTPError, ValueError) as fault:
        raise InputError(f"no botopt answers at {url}: something else speaks there ({type(fault).__name__})") from fault
    if not isinstance(told, dict):
        raise InputError(f"no botopt answers at {url}: /readyz says something else")
    told["ready"] = told.get("ready") is True
    if numbers.status_code == 200:
        told["counts"] = dict(_counts(numbers.text))
    elif key is not None:
        told["no_counts"] = _why(numbers)
    return told


def of_file(path: Path) -> dict[str, Any]:
    """What a state file says by itself, whether a service runs or not."""
    from botopt.model.instants import instant_text
    from botopt.model.live import DecisionQuery
    from botopt.runtime.clock import now_us
    from botopt.state.opening import open_reader

    reader = open_reader(path)
    try:
        at_us = now_us()
        newest = reader.decisions(DecisionQuery(limit=1))
        counts = reader.outbox_counts()
        return {
            "state": str(path),
            "held": reader.held(),
            "outbox": {f"{channel}/{status}": count for (channel, status), count in sorted(counts.items())},
            "silences": [
                {"id": one.id, "events": one.events, "until": instant_text(one.until_us), "why": one.why}
                for one in reader.silences(at_us)
            ],
            "keys": sum(1 for key in reader.api_keys() if key.revoked_us is None),
            "newest_decision": instant_text(newest[0].decided_us) if newest else None,
        }
    finally:
        reader.close()


def _why(answer: httpx.Response) -> str:
    """Why there are no numbers, in the service's own words where it has some."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"/metrics says {answer.status_code}"


def _counts(page: str) -> Iterator[tuple[str, float]]:
    for line in page.splitlines():
        if line.startswith(_COUNTED):
            name, _, value = line.rpartition(" ")
            yield name, float(value)
