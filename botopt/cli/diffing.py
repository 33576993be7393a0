"""What `botopt diff` compares, within which limits, and where the result goes."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from botopt.authoring.diff_words import Limit
from botopt.authoring.revisions import check_out, endpoints, is_workspace, workspace_in
from botopt.cli.console import out, say, visible
from botopt.cli.formats.places import Places
from botopt.cli.options import ReportFormat
from botopt.cli.pages import write_page
from botopt.model.errors import PolicyError, UsageError
from botopt.model.instants import instant_text
from botopt.model.policy import Policy
from botopt.verify.diff import Difference
from botopt.verify.validate import load

_COLOURS = {"+ ": "green", "- ": "red", "~ ": "yellow"}


class End(msgspec.Struct, frozen=True):
    """One of the two policies, and what people call it. `place` is where its files stand for people, also when `folder`
    holds only a copy of a revision.
    """

    name: str
    folder: Path
    policy: Policy
    place: Path


def loaded(held: ExitStack, old: str, new: str | None, workspace: Path) -> tuple[End, End]:
    """Both policies. Folders of revisions last as long as `held`.

    Raises:
        PolicyError: one of them has errors; it is said which.
        UsageError, InputError: there is no such policy.
    """
    first, last = endpoints(old, new)
    folders = [_folder(held, end, workspace) for end in (first, last)]
    ends = []
    for (name, folder, place), role in zip(folders, ("OLD", "NEW"), strict=True):
        try:
            ends.append(End(name, folder, load(folder), place))
        except PolicyError:
            say(f"{role} ({name}) has errors:", "red")
            raise
    return ends[0], ends[1]


def _folder(held: ExitStack, end: str | None, workspace: Path) -> tuple[str, Path, Path]:
    if end is None:
        return str(workspace), workspace, workspace
    if is_workspace(end):
        return end, Path(end), Path(end)
    folder = Path(held.enter_context(TemporaryDirectory(prefix="botopt-")))
    commit = check_out(end, workspace, folder)
    name = end if end.startswith(commit) else f"{end} ({commit})"
    return name, workspace_in(folder, workspace), workspace


def asked_share(option: str, text: str) -> float:
    """`5%` as 0.05.

    Raises:
        UsageError: it is no percentage.
    """
    if not re.fullmatch(r"\d+(\.\d+)?%", text) or float(text[:-1]) > 100:
        raise UsageError(f'{option}: "{text}" is not a percentage; write it as 5%')
    return float(text[:-1]) / 100


def limits_of(found: Difference, messages: int | None, share: float | None) -> list[Limit]:
    """The limits that were set, and whether they hold."""
    limits = []
    if messages is not None:
        over = found.new.over(messages)
        words = f"the most is {found.new.most:,}"
        if over:
            most = found.new.busiest[0]
            words += f" ({most.user} on {instant_text(most.day_us)[:10]})"
            words += f"; more than {messages:,} on {over:,} user {'day' if over == 1 else 'days'}"
        limits.append(Limit("--max-messages-per-user-day", f"{messages:,}", words, not over))
    if share is not None:
        words = f"{_percent(found.share)} of the events end differently for users"
        limits.append(Limit("--max-change", _percent(share), words, found.share <= share))
    return limits


def _percent(share: float) -> str:
    """Enough digits that a change is never shown as none."""
    text = f"{share * 100:.2f}".rstrip("0").rstrip(".")
    return "less than 0.01%" if share and text == "0" else f"{text}%"


def show(
    found: Difference, limits: Sequence[Limit], format: str, file: Path | None, samples: int, before: End, after: End
) -> None:
    """Print the result, or write it to a file."""
    old, new = before.name, after.name
    if format in (ReportFormat.GITHUB, ReportFormat.SARIF, ReportFormat.JUNIT):
        from botopt.cli.formats.comparison import written

        text = written(ReportFormat(format), found, limits, Places(before.place), Places(after.place))
        _write(f"{text}\n", file)
    elif format == "html":
        from botopt.authoring.diff_page import diff_page

        page = diff_page(found, limits, samples, old, new)
        if file is not None:
            write_page("--out", file, page)
            return
        _write(page, None)
    elif format == "markdown":
        from botopt.authoring.diff_markdown import diff_markdown

        _write(diff_markdown(found, limits, samples, old, new), file)
    elif format == "json":
        from botopt.authoring.diff_plain import diff_plain

        plain = diff_plain(found, limits, old, new)
        _write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n", file)
    else:
        from botopt.authoring.diff_text import diff_text

        lines = [f"{old} → {new}", "", *diff_text(found, limits, samples)]
        if file is not None:
            _write("".join(f"{visible(line)}\n" for line in lines), file)
            return
        for line in lines:
            out().print(visible(line), markup=False, style=_style(line))


def _style(line: str) -> str | None:
    if line.startswith("  TOO MUCH"):
        return "bold red"
    return _COLOURS.get(line[:2]) or (None if line.startswith(" ") else "bold")


def _write(text: str, file: Path | None) -> None:
    if file is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    else:
        file.write_text(text, encoding="utf-8", newline="\n")
