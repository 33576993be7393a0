"""What a change of the policy did, in sentences: the same for a terminal, a pull request and a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from botopt.model.counting import number_of
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.instants import instant_text
from botopt.model.policy import RESERVED_TYPES
from botopt.verify.diff import SEEN, Change, Consequence, Difference, Edit, Kind, Link, Load

_MORE: Mapping[Kind, tuple[str, str]] = {
    Kind.GAINED: ("message more", "messages more"),
    Kind.LOST: ("message fewer", "messages fewer"),
    Kind.MOVED: ("at another time", "at another time"),
    Kind.REROUTED: ("on another channel", "on another channel"),
    Kind.REWORDED: ("in other words", "in other words"),
    Kind.REASON: ("silent for another reason", "silent for another reason"),
    Kind.NUMBERS: ("with another score", "with another score"),
}
_BECAME: Mapping[Kind | None, str] = {
    Kind.GAINED: "sent now",
    Kind.LOST: "not sent any more",
    Kind.MOVED: "sent at another time",
    Kind.REROUTED: "sent on another channel",
    Kind.REWORDED: "sent in other words",
    Kind.REASON: "decided otherwise",
    Kind.NUMBERS: "decided otherwise for a while",
    None: "decided otherwise for a while",
}
_WHY: Mapping[Reason, str] = {
    Reason.REJECTED: "rejected",
    Reason.DUPLICATE: "the same event came before",
    Reason.EXPIRED: "it came too late",
    Reason.NO_CONSENT: "the user did not consent",
    Reason.SKIPPED: "skipped by rule",
    Reason.HOLDOUT: "the user is in the holdout",
    Reason.SILENCED: "silenced by an operator:",
    Reason.MUTED: "muted by",
    Reason.RESOLVED: "resolved:",
    Reason.INHIBITED: "a more important message went first:",
    Reason.IN_CONVERSATION: "in the middle of a conversation:",
    Reason.COOLDOWN: "cooldown",
    Reason.CAPPED: "cap",
    Reason.PACED: "the budget of messages is used up",
    Reason.QUIET_HOURS: "quiet hours",
    Reason.SEND_TIME: "waits for a better hour",
    Reason.RENDER_FAILED: "the message could not be rendered:",
}


class Limit(msgspec.Struct, frozen=True):
    """A limit that somebody set, and whether it holds."""

    option: str
    limit: str
    found: str
    holds: bool

    @property
    def words(self) -> str:
        """`--max-change 5%: 7.2% of the events end differently for users`."""
        return f"{self.option} {self.limit}: {self.found}"


def summary(found: Difference) -> list[str]:
    """The change in a few sentences, the most important one first."""
    events = number_of(found.decided, "event")
    if not found.counts:
        if not found.edits:
            return [f"No difference: the policies are the same, and decide all {events} alike."]
        places = number_of(len(found.edits), "place")
        if not found.decided:
            none = f"of {number_of(found.lines, 'line')} none is an event that either policy decides"
            return [
                f"Nothing to compare: the policy changed in {places}, and {none}. Are these the right files of events?"
            ]
        return [f"No difference: the policy changed in {places}, and all {events} are decided as before."]
    lines = []
    if found.seen:
        ends = "ends" if found.seen == 1 else "end"
        lines.append(
            f"Of {events}, {found.seen:,} {ends} differently for users: {_kinds(_by_kind(found, None), SEEN)}."
        )
        users = f"{found.users_changed:,} of {number_of(found.users, 'user')}"
        lines.append(
            f"{users} would notice. Messages in all: {found.old.messages:,} before, {found.new.messages:,} now."
        )
        passed = sum(number for kind, direct, number in found.counts if kind in SEEN and not direct)
        if passed:
            lines.append(f"{passed:,} of these are consequences: another message came, went or moved before.")
    else:
        lines.append(f"Nothing changes for users: of {events}, none ends with another message.")
    rest = [f"{number:,} {_MORE[kind][1]}" for kind in (Kind.REASON, Kind.NUMBERS) if (number := found.count(kind))]
    if rest:
        lines.append(f"Nobody notices: {' and '.join(rest)}.")
    return lines


class Effect(msgspec.Struct, frozen=True):
    """What one edit did: sentences, the direct effect first."""

    edit: Edit
    said: tuple[str, ...]


def effects(found: Difference) -> tuple[list[Effect], list[Edit]]:
    """Edits with an effect, the largest first, and those without."""
    counts: dict[int, dict[tuple[Kind, bool], int]] = {}
    for number, kind, direct, events in found.by_edit:
        counts.setdefault(number, {})[kind, direct] = events
    known = sorted(
        counts, key=lambda number: (-sum(n for (kind, _), n in counts[number].items() if kind in SEEN), number)
    )
    listed = []
    for number in known:
        said = []
        for direct, lead in ((True, ""), (False, "as a consequence: ")):
            by_kind = {kind: n for (kind, one), n in counts[number].items() if one is direct}
            words = _kinds(by_kind, (*SEEN, Kind.REASON))
            if words:
                said.append(f"{lead}{words}")
        listed.append(Effect(found.edits[number], tuple(said)))
    return listed, [edit for number, edit in enumerate(found.edits) if number not in counts]


def consequences(found: Difference) -> list[Consequence]:
    """Those that users notice, the most frequent first."""
    return [one for one in found.consequences if one.kind in SEEN]


def left_words(left: Sequence[Consequence]) -> str:
    """Those that no line is left for."""
    events = sum(one.events for one in left)
    return f"… and {number_of(events, 'more event')}, in {number_of(len(left), 'other way')}"


def consequence_words(one: Consequence) -> str:
    """`12 parcel_delayed messages fewer: same-parcel stops them now, because of parcel_shipped messages that are …`."""
    what = _MORE[one.kind][one.events != 1]
    noun, them = ("message", "it") if one.events == 1 else ("messages", "them")
    lead = f"{one.events:,} {one.event_type} {what if noun in what else f'{noun} {what}'}"
    before = f"{one.because_type} messages that are {_BECAME[one.because]}"
    if one.because_type in RESERVED_TYPES:
        before = f"{one.because_type} events that have another effect now"
    if one.window is None:
        worth = {Kind.GAINED: ": worth it now", Kind.LOST: ": not worth it any more"}.get(one.kind, "")
        return f"{lead}{worth if one.reason == Reason.BELOW_THRESHOLD else ''}, after {before}"
    if one.kind is Kind.GAINED:
        return f"{lead}: {one.window} no longer stops {them}, because of {before}"
    return f"{lead}: {one.window} stops {them} now, because of {before}"


def chain_words(change: Change, edits: Sequence[Edit]) -> str:
    """`event e3 <- event e1 (payment_failed, sent now) <- rules/payments.yaml:31`."""
    steps = [f"event {change.event_id} of user {change.user}"]
    if change.window is not None:
        steps[0] += f" ({change.window})"
    steps += [_link(link) for link in change.chain]
    if change.edits:
        steps.append(" or ".join(edits[number].place for number in change.edits[:3]))
    return " ← ".join(steps)


def _link(link: Link) -> str:
    became = "has another effect now" if link.event_type in RESERVED_TYPES else _BECAME[link.kind]
    return f"event {link.event_id} ({link.event_type}, {became})"


def load_rows(found: Difference) -> list[tuple[str, str, str]]:
    """What users get: a name, before, now."""

    def row(name: str, value: object) -> tuple[str, str, str]:
        assert callable(value)
        return name, value(found.old), value(found.new)

    return [
        row("messages", lambda load: f"{load.messages:,}"),
        row("users who get any", lambda load: f"{load.users:,}"),
        row("a user's day: mean", lambda load: f"{load.mean:.2f}"),
        row("a user's day: 95 % have at most", lambda load: f"{load.quantile(0.95):,}"),
        row("a user's day: the most", lambda load: f"{load.most:,}"),
        row("busiest", _busiest),
    ]


def _busiest(load: Load) -> str:
    return ", ".join(f"{one.user} {_day(one.day_us)} ({one.messages:,})" for one in load.busiest) or "nobody"


def affected_words(found: Difference) -> str:
    """`ada 3 → 7, bob 5 → 2`: the users whose number of messages changes most."""
    return ", ".join(f"{one.user} {one.old:,} → {one.new:,}" for one in found.affected)


class Group(msgspec.Struct, frozen=True):
    """Samples of one kind."""

    title: str
    sign: str
    changes: tuple[Change, ...]


_TITLES = {
    Kind.GAINED: ("Messages more", "+"),
    Kind.LOST: ("Messages fewer", "-"),
    Kind.MOVED: ("At another time", "~"),
    Kind.REROUTED: ("On another channel", "~"),
    Kind.REWORDED: ("In other words", "~"),
}


def samples(found: Difference, most: int) -> list[Group]:
    """Samples that users would notice, at most so many of each kind, from as many edits as there are."""
    groups = []
    seen = [change for change in found.samples if change.kind in SEEN]
    for kind in SEEN:
        by_edit = [
            list(some)
            for _, some in groupby((c for c in seen if c.kind is kind), key=lambda c: (c.edits[:1], c.direct))
        ]
        mixed = [some[at] for at in range(max(map(len, by_edit), default=0)) for some in by_edit if at < len(some)]
        if mixed:
            title, sign = _TITLES[kind]
            groups.append(Group(title, sign, tuple(mixed[:most])))
    return groups


def sample_head(change: Change) -> str:
    """`payment_failed, user ada, 2026-03-01 09:00:00, event e1`."""
    return f"{change.event_type}, user {change.user}, {moment(change.time_us)}, event {change.event_id}"


def ending(decision: Decision | None, other: Decision | None = None) -> tuple[str, str | None]:
    """What became of an event in words, and the text that was sent, if one was."""
    if decision is None:
        return "only remembered", None
    if decision.message is not None:
        words: list[str] = []
        if other is not None and other.message is not None:
            if other.time_us != decision.time_us:
                words.append(f"at {moment(decision.time_us or 0)}")
            if other.message.channel != decision.message.channel:
                words.append(f"on {decision.message.channel}")
            if other.message.locale != decision.message.locale:
                words.append(f"in {decision.message.locale}")
        return " ".join(("sent", *words)), _spoken(decision)
    return _silence(decision), None


def _spoken(decision: Decision) -> str:
    message = decision.message
    assert message is not None
    title = f"{message.title} | " if message.title else ""
    buttons = "".join(f" [{button.label}]" for button in message.buttons)
    return f"{title}{message.text}{buttons}"


def _silence(decision: Decision) -> str:
    until = "" if decision.until_us is None else f", until {moment(decision.until_us)}"
    if decision.outcome is Outcome.HELD:
        return f"held by {decision.by}{until}"
    if decision.reason is Reason.BELOW_THRESHOLD:
        return f"not worth it: score {decision.score:g}, more than {decision.threshold:g} is needed"
    why = "" if decision.reason is None else _WHY.get(decision.reason, decision.reason.value)
    words = f"{why} {decision.by}" if decision.by else why.rstrip(":").removesuffix(" by")
    return f"not sent: {words}{until}" + (f" ({decision.detail})" if decision.detail else "")


def because(change: Change, edits: Sequence[Edit]) -> Iterator[str]:
    """Why a sample is different: the edits, or the chain that leads back to them."""
    if change.direct:
        yield from (f"{edits[number].place}  {edits[number].words}" for number in change.edits[:3])
        if len(change.edits) > 3:
            yield f"or one of {len(change.edits) - 3} more edits"
    elif change.chain:
        yield chain_words(change, edits)
    else:
        yield "a consequence of what this user saw before"


def moment(us: int) -> str:
    """`2026-03-01 09:00:00`, in UTC."""
    return instant_text(us).replace("T", " ").partition(".")[0].removesuffix("Z")


def _day(us: int) -> str:
    return instant_text(us)[:10]


def _by_kind(found: Difference, direct: bool | None) -> dict[Kind, int]:
    return {kind: found.count(kind, direct=direct) for kind in Kind}


def _kinds(numbers: Mapping[Kind, int], kinds: Sequence[Kind]) -> str:
    """`120 messages more, 90 fewer, 4 at another time`."""
    words: list[str] = []
    for kind in kinds:
        number = numbers.get(kind, 0)
        if number:
            what = _MORE[kind][number != 1]
            if kind is Kind.LOST and words:
                what = "fewer"
            elif "message" not in what and not words:
                what = f"message{'' if number == 1 else 's'} {what}"
            words.append(f"{number:,} {what}")
    return ", ".join(words)
