"""`botopt serve`: the live service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.options import HERE, LogFormatName, LogLevelName, Workspace

DEFAULT_STATE = Path("state.db")


def serve(  # noqa: PLR0917  # options are arguments
    workspace: Workspace = HERE,
    state: Annotated[
        Path, typer.Option("--state", help="The SQLite file that holds all that is known; made if it is not there.")
    ] = DEFAULT_STATE,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for one that is free.")] = 8080,
    public_url: Annotated[
        str | None,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="Our address as users and platforms see it. Without it buttons lead past us, and clicks are not seen.",
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let anybody call: for a try, on this machine alone.")
    ] = False,
    drain: Annotated[str, typer.Option(help="How long an end may take, to finish what has begun.")] = "20s",
    keep: Annotated[
        str, typer.Option(help="How long decisions and finished messages are kept, and click links work.")
    ] = "30d",
    queue: Annotated[
        int, typer.Option(min=1, help="How many events may wait; beyond that callers are told to wait.")
    ] = 20_000,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Events a second that each caller may send; any number without it.")
    ] = None,
    max_body: Annotated[int, typer.Option("--max-body", min=1_024, help="Bytes of a request's body.")] = 1 << 20,
    log_format: Annotated[
        LogFormatName, typer.Option("--log-format", help="auto is pretty on a terminal, and json elsewhere.")
    ] = LogFormatName.AUTO,
    log_level: Annotated[LogLevelName, typer.Option("--log-level", help="Log this, and what is graver.")] = (
        LogLevelName.INFO
    ),
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="Log whole decisions, with what users read; else only ids.")
    ] = False,
    otel: Annotated[bool, typer.Option("--otel", help="Send traces over OTLP, as the OTEL_* variables say.")] = False,
    open_metrics: Annotated[bool, typer.Option("--open-metrics", help="Show /metrics to anybody.")] = False,
    allow_private_networks: Annotated[
        bool, typer.Option("--allow-private-networks", help="Let channels send to addresses that are not public.")
    ] = False,
    sns_topic: Annotated[
        list[str] | None,
        typer.Option("--sns-topic", metavar="ARN", help="Listen to this topic of Amazon SNS. May be given again."),
    ] = None,
    webhook_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--webhook-origin",
            metavar="HOST",
            help="Who may announce CloudEvents webhooks; * for anybody. May be given again.",
        ),
    ] = None,
) -> None:
    """Take events over HTTP, decide them, and deliver messages.

    What is answered with 2xx is on the disk. The workspace is watched: a change without errors is served at once; one
    with errors is refused, and the policy before goes on.

    SIGTERM or Ctrl-C ends it: what has begun is finished, and what waits is delivered after the next start. A second
    one ends it at once.
    """
    from botopt.cli.serving import Asked, run

    run(
        Asked(
            workspace=workspace,
            state=state,
            host=host,
            port=port,
            public_url=public_url,
            no_auth=no_auth,
            drain=drain,
            keep=keep,
            queue=queue,
            rate=rate,
            max_body=max_body,
            log_format=log_format,
            log_level=log_level,
            log_texts=log_texts,
            otel=otel,
            open_metrics=open_metrics,
            allow_private_networks=allow_private_networks,
            sns_topics=tuple(sns_topic or ()),
            webhook_origins=tuple(webhook_origin or ()),
        )
    )
