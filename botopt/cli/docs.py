"""`botopt docs`: a handbook of the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.options import HERE, Workspace


def docs(
    folder: Annotated[
        Path, typer.Argument(help="The folder to write: a new one, an empty one, or an earlier handbook.")
    ],
    workspace: Workspace = HERE,
    title: Annotated[str, typer.Option(help="What the handbook is called.")] = "Message handbook",
) -> None:
    """Write a handbook of the policy: pages for people who decide about messages, to be opened in a browser.

    Every rule and every suppression in a sentence, with its numbers; example messages in every language; rule tests
    with their results; pictures of what leads to what. The pages need nothing else and no network: send them to
    whom you like.

    A folder that holds anything else is not touched. The same policy gives the same bytes.
    """
    from botopt.authoring.handbook.book import pages
    from botopt.authoring.handbook.contents import contents
    from botopt.authoring.handbook.folder import write_handbook
    from botopt.cli.console import say
    from botopt.cli.moments import SAMPLES_AT, moment
    from botopt.engine.build import build
    from botopt.model.diagnostic import has_errors
    from botopt.model.errors import PolicyError
    from botopt.verify.ruletest.reading import read_tests
    from botopt.verify.ruletest.running import run_tests
    from botopt.verify.validate import load

    policy = load(workspace)
    read = read_tests(policy, workspace)
    if has_errors(read.diagnostics):
        raise PolicyError(read.diagnostics)
    engine = build(policy, "reference")  # the decisions are the same, and it is there everywhere
    results = tuple(run_tests(engine, read.tests))
    written = list(pages(contents(engine, title, results, moment("--at", SAMPLES_AT))))
    stale = write_handbook(folder, written)
    removed = f"; removed {len(stale)} that nothing leads to any more" if stale else ""
    say(f"wrote {len(written)} pages{removed}")
    failed = sum(bool(result.failures) for result in results)
    if failed:
        say(
            f"{failed} of {len(results)} rule tests failed, and the handbook says so; botopt test shows why",
            style="yellow",
        )
    say(f"open {folder / 'index.html'}")
