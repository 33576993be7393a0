"""An evaluation, for people and for programs."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from botopt.learning.evaluation import Estimate, sends_to_tell
from botopt.model.counting import number_of
from botopt.model.instants import instant_text
from botopt.verify.evaluating.evaluating import Evaluated
from botopt.verify.evaluating.measuring import Evaluation, Side

_RELATIVE = (0.20, 0.10, 0.05)
ONE_STEP = (
    "One step: each decision at the state that the log had led to. What other messages do to people later is no part "
    "of it."
)
_WORDS = {
    "better": "better: the interval lies above 0",
    "worse": "worse: the interval lies below 0",
    "open": "not to be told from no difference",
}


def print_evaluation(found: Evaluated, policy: Path) -> None:
    """What people read."""
    from botopt.cli.console import out, visible

    for line in lines(found, policy):
        out().print(visible(line), markup=False)


def lines(found: Evaluated, policy: Path) -> list[str]:
    """The words, line by line."""
    one = found.evaluation
    said = []
    if one.decisions:
        until = f"{minute(found.from_us)} to {minute(found.until_us)} UTC"
        whose = number_of(one.users, "user")
        named = "This policy" if policy == Path() else str(policy)
        said.append(f"{named} on {number_of(one.decisions, 'logged decision')} about {whose}, {until}.")
    if found.since is not None and one.decisions:
        said.append(f"Only later decisions count, for {found.since}.")
    if one.refusals:
        said += ["", "No estimate:"] + [f"  - {why}" for why in one.refusals]
    else:
        said += _estimates(one)
    left_out = list(found.notes)
    if found.unanswered:
        left_out.append(f"{number_of(found.unanswered, 'message')} left out: nobody knows whether they were clicked")
    return said + ([""] + [f"Note: {note}" for note in left_out] if left_out else [])


def _estimates(one: Evaluation) -> list[str]:
    old, new, difference = one.logged, one.new, one.difference
    robust, inverse, direct = one.robust, one.inverse, one.direct
    assert old is not None
    assert new is not None
    assert difference is not None
    assert robust is not None
    assert inverse is not None
    assert direct is not None
    rate = old.per_message.value
    rows = [
        ("", "logged", "this policy"),
        ("messages", f"{old.messages:,.0f}", f"{new.messages:,.1f}"),
        ("clicks in 100 decisions", share(old.per_decision), share(new.per_decision)),
        ("clicks in 100 messages", share(old.per_message), share(new.per_message)),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    sign = f"{100 * difference.value:+.2f} ({100 * difference.low:+.2f} to {100 * difference.high:+.2f})"
    beyond = f"{one.unsupported:.1%} of its messages the log says nothing about"
    return [
        ONE_STEP,
        "",
        *table,
        "",
        f"Clicks in 100 decisions, this policy less the logged one: {sign}",
        f"  {_WORDS[one.verdict]}",
        "",
        f"The log is worth {one.effective:,.0f} messages here (largest weight {one.largest:.2f}); "
        f"{number_of(one.clicks, 'click')} of it count; {beyond}"
        + ("." if not one.unsupported else ", and no click is counted for them."),
        f"By other ways: IPS {share(inverse)}; doubly robust {share(robust)}, model alone {100 * direct.value:.2f}.",
        "",
        *sample_sizes(rate),
    ]


def sample_sizes(rate: float) -> list[str]:
    """How many messages it takes to tell two policies apart at this click rate."""
    return [
        f"Messages that each side needs to tell two policies apart at {rate:.1%} clicks (8 times in 10):",
        *(f"  {relative:>4.0%} more or fewer clicks: {sends_to_tell(rate, relative):,}" for relative in _RELATIVE),
    ]


def share(estimate: Estimate) -> str:
    """In hundredths, with its interval."""
    if math.isinf(estimate.low):
        return f"{100 * estimate.value:.2f}"
    return f"{100 * estimate.value:.2f} ({100 * max(estimate.low, 0.0):.2f} to {100 * estimate.high:.2f})"


def minute(us: int) -> str:
    """A time as people read it."""
    return instant_text(us)[:16].replace("T", " ")


def evaluation_json(found: Evaluated) -> str:
    """What programs read: shares and weights as plain numbers."""
    one = found.evaluation
    written = {
        "verdict": one.verdict,
        "refusals": list(one.refusals),
        "from": instant_text(found.from_us),
        "until": instant_text(found.until_us),
        "since": found.since,
        "decisions": one.decisions,
        "users": one.users,
        "effective": round(one.effective, 3),
        "largest_weight": round(one.largest, 6),
        "clicks": one.clicks,
        "unsupported": round(one.unsupported, 6),
        "logged": side(one.logged),
        "policy": side(one.new),
        "difference": plain(one.difference),
        "difference_at_best": plain(one.at_best),
        "ips": plain(one.inverse),
        "doubly_robust": plain(one.robust),
        "direct": None if one.direct is None else {"value": round(one.direct.value, 9)},
        "sends_to_tell": None
        if one.logged is None
        else {f"{each:.0%}": sends_to_tell(one.logged.per_message.value, each) for each in _RELATIVE},
        "unanswered": found.unanswered,
        "notes": list(found.notes),
    }
    return msgspec.json.format(msgspec.json.encode(written), indent=2).decode()


def side(one: Side | None) -> dict[str, object] | None:
    """One policy as plain data."""
    if one is None:
        return None
    return {
        "messages": round(one.messages, 6),
        "clicks_per_decision": plain(one.per_decision),
        "clicks_per_message": plain(one.per_message),
    }


def plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    """An estimate as plain data; without bounds where there is a single user."""
    if estimate is None:
        return None
    bounded = not math.isinf(estimate.low)
    return {
        "value": round(estimate.value, 9),
        "low": round(estimate.low, 9) if bounded else None,
        "high": round(estimate.high, 9) if bounded else None,
    }
