"""What `botopt new` writes for each kind of answer: the entry itself, and what it cannot be without."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from botopt.authoring.asking import Workspace, place_of
from botopt.authoring.asking_entries import (
    Entry,
    NewField,
    channel_entry,
    event_entry,
    suppression_entry,
    template_entry,
)
from botopt.loading.parse.scalars import NAME
from botopt.model.errors import UsageError
from botopt.model.names import did_you_mean
from botopt.model.position import Position

Planned = list[tuple[str, Entry]]
"""Entries with the files they go to."""


def refuse_taken(workspace: Workspace, what: str, name: str) -> None:
    """Say so if something of this kind has this name already; `what` is event type, template or suppression.

    Raises:
        UsageError: it has.
    """
    policy = workspace.policy
    places: dict[str, Position] = {}
    match what:
        case "event type":
            for event_type in policy.events.values():
                places.update(dict.fromkeys((event_type.name, *event_type.accepts), event_type.position))
        case "template":
            places = {template.name: template.position for template in policy.templates.values()}
        case _:
            places = {one.id: one.position for one in policy.suppressions}
            for event_type in policy.events.values():
                places.update({rule.id: rule.position for rule in event_type.rules})
    if name in places:
        article = "an" if what[0] in "aeiou" else "a"
        other = "" if what != "suppression" or any(one.id == name for one in policy.suppressions) else " or rule"
        raise UsageError(f'there is already {article} {what}{other} "{name}" ({places[name]}); choose another name')


def refuse_ill_named(name: str) -> None:
    """Say so if nothing can be called like this.

    Raises:
        UsageError: nothing can.
    """
    if not NAME.fullmatch(name):
        plain = "_".join(re.findall(r"[a-z0-9.-]+", name.lower())).lstrip("0123456789_.-")
        hint = f"; type {plain}" if plain else ""
        raise UsageError(f'a name has small letters, digits, _ . and -, and begins with a letter: not "{name}"{hint}')


def plan_event(
    workspace: Workspace,
    name: str,
    fields: Sequence[NewField],
    *,
    description: str = "",
    message: str = "",
    weight: float = 0.7,
    channel: str = "",
    category: str = "",
    text: str = "",
    file: str = "",
) -> Planned:
    """An event type; with a message also its template and a channel, where there are none yet.

    Raises:
        UsageError: the name is taken, or there are several channels and none is chosen.
    """
    refuse_taken(workspace, "event type", name)
    rules = file or place_of(workspace, "events", f"rules/{name}.yaml")
    entry = event_entry(
        name,
        fields,
        description=description,
        message=message,
        weight=weight,
        channel=channel,
        category=category,
    )
    if not message:
        return [(rules, entry)]
    channels = sorted(workspace.policy.channels)
    if not channel and len(channels) > 1:
        raise UsageError(f"name the channel with --channel: {', '.join(channels)}")
    if channel and channel not in channels and channels:
        raise UsageError(f'there is no channel "{channel}"; {_near(channel, channels)}')
    planned: Planned = [] if channels else [(rules, channel_entry(channel or "chat"))]
    planned.append((rules, entry))
    if message not in workspace.policy.templates:
        stem = rules.rpartition("/")[2]
        words = text or f"{message.replace('_', ' ').replace('-', ' ').capitalize()}."
        planned.append((place_of(workspace, "templates", f"templates/{stem}"), template_entry(message, words)))
    return planned


def plan_template(workspace: Workspace, name: str, text: str, description: str = "", file: str = "") -> Planned:
    """A template with one text.

    Raises:
        UsageError: the name is taken.
    """
    refuse_taken(workspace, "template", name)
    place = file or place_of(workspace, "templates", f"templates/{name}.yaml")
    return [(place, template_entry(name, text, description))]


def plan_suppression(
    workspace: Workspace,
    name: str,
    parts: Mapping[str, str | Sequence[str]],
    *,
    when: str = "",
    file: str = "",
) -> Planned:
    """A suppression; `parts` are its keys.

    Raises:
        UsageError: the id is taken, or there is an event type in it that is not declared.
    """
    refuse_taken(workspace, "suppression", name)
    for event in parts.get("events", ()):
        if event not in workspace.policy.events:
            raise UsageError(f'there is no event type "{event}"; {_near(event, workspace.policy.events)}')
    place = file or place_of(workspace, "suppression", "rules/suppression.yaml")
    return [(place, suppression_entry(name, parts, when))]


def _near(word: str, known: Collection[str]) -> str:
    return did_you_mean(word, known) or f"there are: {', '.join(sorted(known)) or 'none'}"
