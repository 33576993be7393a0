"""A proposal of `botopt tune`, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.authoring.tuning.cases import Totals
from botopt.authoring.tuning.tuning import Proposal
from botopt.cli.evaluate_view import ONE_STEP, minute, plain, sample_sizes, share, side
from botopt.learning.evaluation import Estimate
from botopt.model.counting import number_of
from botopt.model.instants import instant_text


def print_proposal(found: Proposal, out_file: Path | None) -> None:
    """What people read: the words, then the patch."""
    from botopt.cli.console import out, visible
    from botopt.cli.rewriting import show_diff

    for line in lines(found):
        out().print(visible(line), markup=False)
    if found.patch and out_file is None:
        out().print()
        show_diff(found.patch)
    if found.patch:
        what = "botopt tune --out FILE writes this patch" if out_file is None else f"{out_file} holds the patch"
        out().print(f"\nNothing was changed: {what}; git apply takes it.", markup=False)


def lines(found: Proposal) -> list[str]:
    """The words, line by line."""
    days = f"Chosen on {minute(found.from_us)} to {minute(found.split_us)}, reported on the days"
    said = [f"Goal: {found.goal.text}", f"{days} until {minute(found.until_us)} UTC."]
    if found.refusals:
        said += ["", "No proposal:", *(f"  - {why}" for why in found.refusals)]
        return said + (["", "What was tried:", *_turns(found)] if found.turns else [])
    return [
        *said,
        "",
        "Proposed, and what each does on the days it was chosen on:",
        *_turns(found),
        "",
        *_effect(found),
    ]


def _turns(found: Proposal) -> list[str]:
    rows = []
    for turn in found.turns:
        change = turn.change
        rows.append(
            (
                f"{change.file}:{change.line}",
                str(change.knob),
                f"{change.before or 'not set'} -> {change.after}",
                f"{turn.messages:+,.0f} messages, {turn.clicks:+,.0f} clicks",
            )
        )
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return ["  " + "  ".join([*(t.ljust(w) for t, w in zip(row, widths, strict=False)), row[3]]) for row in rows]


def _effect(found: Proposal) -> list[str]:
    before, after, now, then, saved = found.before, found.after, found.now, found.then, found.saving
    assert before is not None
    assert after is not None
    assert now is not None
    assert then is not None
    assert saved is not None
    old, new, difference = now.new, then.new, found.clicks
    assert old is not None
    assert new is not None
    assert difference is not None
    rows = [
        ("on the later days", "as it is", "proposed"),
        ("messages, estimated", f"{old.messages:,.1f}", f"{new.messages:,.1f} ({_saved(saved.estimated)})"),
        ("messages in a replay", f"{saved.before:,}", f"{saved.after:,} ({_saved(saved.replayed)})"),
        ("clicks in 100 decisions", share(old.per_decision), share(new.per_decision)),
        ("clicks in 100 messages", share(old.per_message), share(new.per_message)),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    clicks = f"{100 * difference.value:+.2f} ({100 * difference.low:+.2f} to {100 * difference.high:+.2f})"
    gain = _change(before.clicks, after.clicks)
    doubt = "" if difference.excludes_zero else ", not to be told from no difference"
    return [
        f"Together, there: {_change(before.messages, after.messages)} messages, {gain} clicks. Judge by later days:",
        "",
        *table,
        "",
        *(f"Warning: {each}." for each in found.warnings),
        *([""] if found.warnings else []),
        f"Clicks in 100 decisions, proposed less as it is: {clicks}{doubt}.",
        f"{number_of(then.clicks, 'click')} and {then.effective:,.0f} messages' worth of the log tell of it.",
        ONE_STEP,
        "For messages believe the replay: in it each policy lives with what it sent itself, budgets and caps included.",
        "For clicks believe the estimate: the replay knows only those on messages that were really sent.",
        "",
        *sample_sizes(old.per_message.value),
    ]


def _change(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "none before"


def _saved(share: Estimate) -> str:
    return f"{share.value:+.1%}, {share.low:+.1%} to {share.high:+.1%}"


def proposal_json(found: Proposal) -> str:
    """What programs read."""
    then, now, saved = found.then, found.now, found.saving
    written = {
        "goal": found.goal.text,
        "refusals": list(found.refusals),
        "from": instant_text(found.from_us),
        "split": instant_text(found.split_us),
        "until": instant_text(found.until_us),
        "changes": [
            {
                "file": turn.change.file,
                "line": turn.change.line,
                "what": str(turn.change.knob),
                "before": turn.change.before or None,
                "after": turn.change.after,
                "messages": round(turn.messages, 3),
                "clicks": round(turn.clicks, 3),
            }
            for turn in found.turns
        ],
        "earlier": None if found.after is None else {"before": _totals(found.before), "after": _totals(found.after)},
        "later": None
        if now is None or then is None
        else {"before": side(now.new), "after": side(then.new), "difference": plain(found.clicks)},
        "replayed": None if saved is None else {"before": saved.before, "after": saved.after},
        "messages": None
        if saved is None
        else {
            "estimated": plain(saved.estimated),
            "replayed": plain(saved.replayed),
            "apart": plain(saved.apart),
            "agree": saved.agree,
            "believe": "replayed",
        },
        "warnings": list(found.warnings),
        "patch": found.patch or None,
    }
    return msgspec.json.format(msgspec.json.encode(written), indent=2).decode()


def _totals(totals: Totals | None) -> dict[str, float] | None:
    return None if totals is None else {"messages": round(totals.messages, 3), "clicks": round(totals.clicks, 3)}
