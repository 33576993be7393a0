"""Which edits of a policy a changed decision goes back to.

Both decisions are about the same event and the same past, so whatever differs was edited. What differs says where to
look: the terms of the score, the suppression that stopped it, the variant that was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from botopt.model.decision import Decision, Message, Outcome, Part, Reason
from botopt.verify.diff.edits import Edit
from botopt.verify.diff.kinds import end_of

_WORTH = (Reason.SKIPPED, Reason.BELOW_THRESHOLD)
_SETTINGS = {
    Reason.HOLDOUT: ("holdout", "seed"),
    Reason.DUPLICATE: ("dedupe_window",),
    Reason.PACED: ("pacing", "control"),
    Reason.QUIET_HOURS: ("timezone",),
    Reason.SEND_TIME: ("control", "seed", "timezone"),
}
_LIFTS = ("threshold", "fatigue", "pacing")
_EXPERIMENT = "experiment "
"""How the purpose of a choice begins that says which arm a user is in."""

Path = tuple[str, ...]


class Attribution:
    """The edits between two policies, asked again and again."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._paths = [edit.path for edit in edits]
        self._known: dict[frozenset[Path], tuple[int, ...]] = {}

    def of(self, old: Decision | None, new: Decision | None) -> tuple[int, ...]:
        """The numbers of the edits behind the difference; all that may concern it where none is certain."""
        names = {one.event_type for one in (old, new) if one is not None and one.event_type is not None} or {"*"}
        for look in (_narrow, _wide):
            found = self._below(place for name in sorted(names) for place in look(("events", name), old, new))
            if found:
                return found
        return tuple(range(len(self._paths)))

    def _below(self, places: Iterable[Path]) -> tuple[int, ...]:
        wanted = frozenset(places)
        found = self._known.get(wanted)
        if found is None:
            found = self._known[wanted] = tuple(
                number for number, path in enumerate(self._paths) if any(_meets(path, place) for place in wanted)
            )
        return found


def _meets(path: Path, place: Path) -> bool:
    """Whether an edit is at this place, in it, or around it. `*` stands for any name."""
    return all(one in (other, "*") or other == "*" for one, other in zip(path, place, strict=False))


def _narrow(event: Path, old: Decision | None, new: Decision | None) -> Iterator[Path]:
    if old is None or new is None:
        yield from ((*event, key) for key in ("message", "enabled", "accepts"))
        yield from _fields(event, old or new)
        return
    if Outcome.REJECTED in (old.outcome, new.outcome):
        yield from _fields(event, old if old.outcome is Outcome.REJECTED else new)
        return
    ends = {old.reason, new.reason}
    if end_of(old) != end_of(new) or old.until_us != new.until_us:
        if ends & set(_WORTH):
            yield from _terms(event, old, new)
        for one in (old, new):
            yield from _stopped(event, one)
        yield *event, "always"
        yield from _arms(old, new)
    elif old.message is not None and new.message is not None and old.message != new.message:
        yield from _wording(event, old.message, new.message)
        yield from _switched(event, old, new)
        yield from _arms(old, new)
    else:
        yield from _terms(event, old, new)
        yield from _arms(old, new)


def _fields(event: Path, rejected: Decision | None) -> Iterator[Path]:
    by = None if rejected is None else rejected.by
    yield (*event, "fields", by or "*")
    yield "user", by or "*"
    yield *event, "accepts"
    yield "settings", "dedupe_window"


def _terms(event: Path, old: Decision, new: Decision) -> Iterator[Path]:
    before, after = _by_name(old.parts), _by_name(new.parts)
    for kind, name in (*before, *after):
        if before.get((kind, name)) == after.get((kind, name)):
            continue
        match kind:
            case "base":
                yield *event, "weight"
            case "rule" | "threshold":
                yield *event, "rules", name or "*"
            case "engagement":
                yield from (("settings", "engagement"), (*event, "engagement"), (*event, "category"))
                yield "categories", "*", "engagement"
                yield from (("settings", "control"), ("settings", "refresh"), ("settings", "scorer"))
            case "scorer":
                yield from (("settings", "scorer"), ("settings", "engagement"), ("settings", "control"))
            case "explore":
                yield from (("settings", "engagement"), ("settings", "control"), ("settings", "seed"))
            case _:  # pacing takes the place of fatigue
                yield from (("settings", "fatigue"), ("settings", "pacing"), ("settings", "control"))
                yield "categories", "*", "pacing"
    if _own_bar(old) != _own_bar(new):
        yield *event, "threshold"
        yield "settings", "threshold"
    for one in (old, new):
        if one.reason is Reason.SKIPPED:
            yield *event, "rules", one.by or "*"


def _by_name(parts: Sequence[Part]) -> Mapping[tuple[str, str | None], float]:
    return {(part.part, part.id): part.value for part in parts}


def _own_bar(decision: Decision) -> float:
    """The threshold without what rules, fatigue and pacing add; wrong where it was cut off, which costs nothing."""
    added = sum(part.value for part in decision.parts if part.part in _LIFTS)
    return round((decision.threshold or 0.0) - added, 6)


def _stopped(event: Path, decision: Decision) -> Iterator[Path]:
    """Where what stopped it stands."""
    reason, by = decision.reason, decision.by
    match reason:
        case None | Reason.BELOW_THRESHOLD:
            return
        case Reason.SKIPPED:
            yield *event, "rules", by or "*"
        case Reason.EXPIRED:
            yield *event, "expires_after"
        case Reason.NO_CONSENT:
            yield from ((*event, "category"), (*event, "channel"), ("categories", "*"))
        case Reason.RENDER_FAILED:
            yield "templates", by or "*"
        case Reason.PACED | Reason.SEND_TIME:
            key = "pacing" if reason is Reason.PACED else "send_time"
            yield from ((*event, key), (*event, "category"), ("categories", "*", key), (*event, "expires_after"))
            yield from (("settings", setting) for setting in _SETTINGS[reason])
        case _:
            for setting in _SETTINGS.get(reason, ()):
                yield "settings", setting
            if by is not None:
                yield "suppression", by


def _arms(old: Decision, new: Decision) -> Iterator[Path]:
    """Experiments that put the user into different arms, or that only one of the two asks for."""
    before, after = ({choice.purpose: choice.chosen for choice in one.choices} for one in (old, new))
    for purpose in dict.fromkeys((*before, *after)):
        if purpose.startswith(_EXPERIMENT) and before.get(purpose) != after.get(purpose):
            yield "experiment", purpose.removeprefix(_EXPERIMENT)


def _switched(event: Path, old: Decision, new: Decision) -> Iterator[Path]:
    """Rules that hold in one only may have changed the message or the channel."""
    for kind, name in _by_name(old.parts).keys() ^ _by_name(new.parts).keys():
        if kind in ("rule", "threshold"):
            yield *event, "rules", name or "*"


def _wording(event: Path, old: Message, new: Message) -> Iterator[Path]:
    if old.template != new.template:
        yield *event, "message"
        yield *event, "rules", "*", "message"
        yield *event, "rules", " order"
        return
    if old.channel != new.channel:
        yield *event, "channel"
        yield *event, "rules", "*", "channel"
    template = ("templates", old.template)
    if old.variant != new.variant:
        yield *template, "choose"
        yield *template, "variants", " order"
        yield from ((*template, "variants", "*", key) for key in ("when", "weight"))
        yield from ((*template, "variants", name) for name in (old.variant, new.variant))
        yield *template, "recency"
        yield from (("settings", key) for key in ("seed", "control", "refresh"))
        return
    variant = (*template, "variants", old.variant)
    if old.locale != new.locale:
        yield "settings", "locale"
        yield from ((*variant, "text", locale) for locale in (old.locale, new.locale))
        return
    if old.text != new.text:
        yield *variant, "text", old.locale
    if old.title != new.title:
        yield *variant, "title", old.locale
    if old.buttons != new.buttons:
        yield *variant, "buttons"


def _wide(event: Path, old: Decision | None, new: Decision | None) -> Iterator[Path]:
    """Everything that has a say about events of this type."""
    yield event
    yield from (("settings",), ("categories",), ("suppression",), ("user",), ("channels",), ("experiment",))
    for one in (old, new):
        if one is not None and one.message is not None:
            yield "templates", one.message.template
