"""`botopt why-not`: why events of a type led to no message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.options import Format, OutputFormat

if TYPE_CHECKING:
    from botopt.model.policy import Policy


def why_not(
    event_type: Annotated[str, typer.Argument(metavar="EVENT_TYPE", help="Such as payment_failed.")],
    records: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECORDS",
            help="Files of decision records, as botopt replay --out writes them; .gz and .zst too. "
            "Without: standard input.",
        ),
    ] = None,
    user: Annotated[str | None, typer.Option(help="Only this user's events.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was decided at or after this time; 7d: in the last 7 days of the log.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what was decided before this time; or a duration.")] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", "-w", help="The folder of the policy that decided: then the answer says where its rules are."
        ),
    ] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Say why events of one type led to no message: counts by reason, and for each the nearest miss.

    Reads decision records, so it needs no policy. The nearest miss is the message that lacked the least score, or whose
    reason would have ended soonest.
    """
    from botopt.cli.moments import moment_or_ago
    from botopt.cli.why_not_view import answer_json, print_answer
    from botopt.model.errors import UsageError
    from botopt.verify.whynot.asking import why_not as ask
    from botopt.verify.whynot.log import Log
    from botopt.verify.whynot.places import places

    if not records and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("name a file of decision records; botopt replay events.jsonl --out decisions.jsonl writes one")
    twice = next((name for name in records or () if (records or []).count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice: its records would be counted twice")
    policy = None if workspace is None else _loaded(workspace)
    with Log(records or ["-"]) as log:
        since_us = None if since is None else moment_or_ago("--since", since, log.newest_us)
        until_us = None if until is None else moment_or_ago("--until", until, log.newest_us)
        answer = ask(log, event_type, user=user, since_us=since_us, until_us=until_us, policy=policy)
    known = {} if policy is None or policy.revision not in answer.revisions else places(policy, event_type)
    if policy is not None and answer.revisions and not known:
        _other_policy(policy, answer.revisions)
    if format is Format.JSON:
        typer.echo(answer_json(answer, known, user=user, since_us=since_us, until_us=until_us))
    else:
        print_answer(answer, known, user, bounded=(since_us, until_us) != (None, None))


def _loaded(workspace: Path) -> Policy:
    from botopt.verify.validate import load

    return load(workspace)


def _other_policy(policy: Policy, revisions: tuple[str, ...]) -> None:
    from botopt.cli.console import say

    decided = ", ".join(revisions)
    say(f"the workspace is at revision {policy.revision}, and {decided} decided: its rules are not shown", "yellow")
