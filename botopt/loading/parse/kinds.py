"""The seven kinds of suppression, each with its own keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.known import Known
from botopt.loading.parse.scopes import Surroundings
from botopt.loading.parse.wording import listed, named, shown
from botopt.loading.reader import Scalar
from botopt.model.names import WEEKDAYS, did_you_mean
from botopt.model.policy import (
    Calendar,
    Conversation,
    Cooldown,
    EventType,
    Inhibition,
    Kind,
    Limit,
    Mute,
    QuietHours,
    Resolution,
)

_DAY = 24 * 60
_CHOOSING = ("when", "unless", "events", "categories", "channels")


class Around(msgspec.Struct, frozen=True):
    """What a kind needs to know: the event types in scope (`sure`: all of them), and the names of the workspace."""

    types: Sequence[EventType]
    sure: bool
    categories: Known
    events: Known
    resolving: Known
    surroundings: Surroundings
    has_condition: bool
    has_scope: bool


def cooldown(block: Block, around: Around) -> Kind | None:
    """`cooldown: 6h`, `per: [user, order_id]`."""
    window = block.duration("cooldown")
    nodes = block.names("per") if "per" in block else ()
    if window is None or nodes is None:
        return None
    per = []
    fields = {field for type_ in around.types for field in type_.fields}
    for node in nodes:
        if node.text == "event" or _is_field(block, node, fields, around, ("user", "event")):
            per.append(node.text)
        elif node.text != "user":
            return None
    return Cooldown(window, tuple(per)) if "per" in block else Cooldown(window)


def _is_field(
    block: Block, node: Scalar, fields: set[str], around: Around, others: Sequence[str] = (), where: str = "in scope"
) -> bool:
    if node.text in fields:
        return True
    if node.text in others:
        return False
    if not around.sure or around.surroundings.unsure_of(around.types):
        block.findings.fault()
        return False
    message = f"no event type {where} has a field {shown(node)}"
    block.findings.report("B102", node.position, message, did_you_mean(node.text, {*fields, *others}))
    return False


def limit(block: Block, around: Around) -> Kind | None:
    """`limit: 3`, `within: 24h`, `reserved: {transactional: 1}`."""
    node = block.get("limit")
    if isinstance(node, Scalar) and node.value == 0 and not isinstance(node.value, bool):
        message = "limit: 0 would never let a message through"
        hint = "say so: mute: always in the suppression, or enabled: false in the event type"
        block.findings.report("B115", node.position, message, hint)
        return None
    count = block.integer("limit", 1)
    window, calendar = _limit_window(block)
    reserved = _reserved(block, count, around)
    if count is None or (not window and calendar is None):
        return None
    return Limit(count, window, calendar, reserved)


def _limit_window(block: Block) -> tuple[int, Calendar | None]:
    if not block.needs("within", hint="add within: 24h (or day or week, from midnight on the user's calendar)"):
        return 0, None
    node = block.get("within")
    if isinstance(node, Scalar) and node.text in set(Calendar):
        return 0, Calendar(node.text)
    return block.duration("within", " (or day or week)") or 0, None


def _reserved(block: Block, count: int | None, around: Around) -> tuple[tuple[str, int], ...]:
    node = block.get("reserved")
    inner = None if node is None else scalars.entries(block.findings, node, "reserved", "type reserved: {NAME: 1}")
    if inner is None:
        return ()
    found: dict[str, int] = {}
    present = {type_.category for type_ in around.types}
    for key, value in inner.entries:
        slots = scalars.integer(block.findings, value, f"what is reserved for {key.text}", 1)
        if not around.categories.knows(block.findings, key) or slots is None:
            continue
        if around.types and key.text not in present and around.surroundings.scopes_sure:
            message = f'slots are reserved for "{key.text}", and no message of that category is in scope'
            block.findings.report("B115", key.position, message, "add the category to the scope, or delete it here")
            continue
        found[key.text] = slots
    if count is not None and sum(found.values()) > count:
        message = f"{sum(found.values())} slots are reserved, and the limit is {count}"
        block.findings.report("B115", block.key("reserved"), message, "reserve fewer, or raise the limit")
    return tuple(sorted(found.items()))


def inhibited_by(block: Block, around: Around) -> Kind | None:
    """`inhibited_by: service_outage`, `within: 2h`."""
    names = _event_types(block, "inhibited_by", around.events)
    within = block.duration("within") if block.needs("within", hint="add within: 2h") else None
    events = around.surroundings.events
    for node in names or ():
        type_ = events.get(node.text)
        if type_ is not None and type_.message is None and around.surroundings.scopes_sure:
            message = f'"{node.text}" has no message, so it never inhibits another'
            hint = "resolved_by looks at events without a message, too"
            block.findings.report("B115", node.position, message, hint)
    if names is None or within is None:
        return None
    return Inhibition(tuple(node.text for node in names), within)


def resolved_by(block: Block, around: Around) -> Kind | None:
    """`resolved_by: payment_succeeded`, `within: 1h`, `same: [order_id]`."""
    names = _event_types(block, "resolved_by", around.resolving)
    within = block.duration("within") if block.needs("within", hint="add within: 1h") else None
    same = block.names("same") if "same" in block else ()
    if names is None or within is None or same is None:
        return None
    resolving = [around.surroundings.events[node.text] for node in names if node.text in around.surroundings.events]
    before = block.findings.faults
    for node in same:
        _compared(block, node, resolving, around)
    if block.findings.faults > before:
        return None
    return Resolution(tuple(node.text for node in names), within, tuple(node.text for node in same))


def _compared(block: Block, node: Scalar, resolving: Sequence[EventType], around: Around) -> None:
    """A field of `same` must be in a type in scope and in every resolving type, of one type."""
    if not _is_field(block, node, {field for type_ in around.types for field in type_.fields}, around):
        return
    for type_ in resolving:
        spec = type_.fields.get(node.text)
        if spec is None:
            if around.surroundings.unsure_of([type_]):
                block.findings.fault()
                continue
            message = f'"{type_.name}" has no field {shown(node)}, so it would never resolve anything'
            block.findings.report("B102", node.position, message, did_you_mean(node.text, type_.fields))
            continue
        other = next((t for t in around.types if node.text in t.fields and t.fields[node.text].type != spec.type), None)
        if other is not None:
            message = (
                f'{node.text} is {spec.type} in "{type_.name}" and {other.fields[node.text].type} in "{other.name}", '
                "so the two are never equal"
            )
            block.findings.report("B115", node.position, message, "give both the same type")


def _event_types(block: Block, key: str, known: Known) -> tuple[Scalar, ...] | None:
    nodes = block.names(key, single=True)
    if nodes is None:
        return None
    right = [known.knows(block.findings, node) for node in nodes]
    return nodes if all(right) else None


def in_conversation(block: Block, _: Around) -> Kind | None:
    """`in_conversation: 5m`."""
    window = block.duration("in_conversation")
    return None if window is None else Conversation(window)


def mute(block: Block, around: Around) -> Kind | None:
    """`mute: 7d`, or `mute: always`."""
    node = block.get("mute")
    if isinstance(node, Scalar) and node.text == "always":
        if not (around.has_condition or around.has_scope or block.may_have(*_CHOOSING)):
            message = "this would stop every message of the workspace"
            hint = "add when:, or say which with events, categories or channels"
            block.findings.report("B115", block.place, f"mute: always has no condition and no scope: {message}", hint)
        return Mute(None)
    window = block.duration("mute", ", or always")
    block.needs("when", ", and a mute begins when its condition becomes true", "add when: …, or type mute: always")
    return None if window is None else Mute(window)


def quiet_hours(block: Block, _: Around) -> Kind | None:
    """`quiet_hours: {from: "22:00", to: "08:00", days: [sat]}`, `action: hold`."""
    node = block.get("quiet_hours")
    hold = block.choice("action", ("hold", "drop")) != "drop"
    hint = 'type quiet_hours: {from: "22:00", to: "08:00"}'
    inner = None if node is None else scalars.entries(block.findings, node, "quiet_hours", hint)
    if inner is None:
        return None
    hours = Block(block.findings, inner, ("from", "to", "days"), "quiet_hours", block.key("quiet_hours"))
    start, end = _clock(hours, "from", _DAY - 1), _clock(hours, "to", _DAY)
    days = _days(hours)
    if start is None or end is None or days is None:
        return None
    if start == end:
        message = "from and to are the same, so it would be quiet never or always"
        block.findings.report("B115", hours.place_of("to"), message, 'for whole days type from: "00:00", to: "24:00"')
        return None
    if (end - start) % _DAY == 0 and len(days) in {0, 7}:
        message = "these quiet hours never end"
        hint = "type mute: always to stop messages, or name days"
        block.findings.report("B115", hours.place_of("to"), message, hint)
        return None
    return QuietHours(start, end, days, hold)


def _clock(hours: Block, key: str, latest: int) -> int | None:
    if not hours.needs(key, hint=f'add {key}: "{"22:00" if key == "from" else "08:00"}"'):
        return None
    node = hours.get(key)
    return None if node is None else scalars.time_of_day(hours.findings, node, key, latest=latest)


def _days(hours: Block) -> tuple[int, ...] | None:
    if "days" not in hours:
        return ()
    nodes = hours.names("days")
    if nodes is None:
        return None
    words = [scalars.choice(hours.findings, node, "each entry of days", WEEKDAYS) for node in nodes]
    found = [WEEKDAYS.index(word) for word in words if word is not None]
    return tuple(sorted(found)) if len(found) == len(words) else None


KINDS: Mapping[str, tuple[Callable[[Block, Around], Kind | None], tuple[str, ...]]] = {
    "cooldown": (cooldown, ("per",)),
    "limit": (limit, ("within", "reserved")),
    "resolved_by": (resolved_by, ("within", "same")),
    "inhibited_by": (inhibited_by, ("within",)),
    "in_conversation": (in_conversation, ()),
    "mute": (mute, ()),
    "quiet_hours": (quiet_hours, ("action",)),
}
"""Each kind by its key, with the keys that only it may have."""


def kind_of(block: Block) -> str | None:
    """The key that says which kind this is; a finding if there is none, or more than one."""
    found = [key for key in KINDS if key in block]
    if len(found) == 1:
        _refuse_options(block, found[0])
        return found[0]
    if not found:
        if block.may_have(*KINDS):
            block.findings.fault()
        else:
            message = f"{block.what} does not say what kind it is"
            block.findings.report("B114", block.place, message, f"add one of {listed(KINDS)}")
        return None
    second = sorted(found, key=block.key)[1]
    message = f"{block.what} is {named(found)} at once"
    block.findings.report("B114", block.key(second), message, "make it one suppression for each")
    return None


def _refuse_options(block: Block, kind: str) -> None:
    for key in ("per", "within", "reserved", "same", "action"):
        if key in block and key not in KINDS[kind][1]:
            owners = [name for name, (_, options) in KINDS.items() if key in options]
            message = f"{key} belongs to {listed(owners)}, not to {kind}"
            block.findings.report("B113", block.key(key), message, f"delete {key}")
