"""A user's state in words and times that people read."""

from __future__ import annotations

import msgspec

from botopt.model.instants import instant_text
from botopt.model.ports import UserRow
from botopt.model.user_state import NEVER_US, ConsentWord, Held, Send, Tally, UserState
from botopt.state.user_rows import damaged

UserView = dict[str, object]
"""Plain data: what `botopt state show` prints."""


def view(user: str, state: UserState) -> UserView:
    """A state as plain data.

    Raises:
        StateCorrupt: it holds what no state holds.
    """
    try:
        return _view(user, state)
    except (OverflowError, TypeError, ValueError) as fault:
        raise damaged(user, fault) from fault


def _view(user: str, state: UserState) -> UserView:
    return {
        "user": user,
        "deleted": state.deleted,
        "forgotten_at": _time(state.floor_us),
        "clock": _time(state.clock_us),
        "attributes": dict(sorted(state.attributes.items())),
        "consent": [_consent(word) for word in state.consent],
        "engagement": {
            "total": _tally(state.total),
            "by_event_type": {name: _tally(tally) for name, tally in sorted(state.by_type.items())},
            "ignored_before_oldest_message": state.ignored_run,
        },
        "messages": [_send(send) for send in state.sends],
        "held": [_held(held) for held in sorted(state.held, key=lambda held: held.until_us)],
        "mutes": {
            name: {"since": _time(mute.start_us), "may_begin_again": mute.armed}
            for name, mute in sorted(state.mutes.items())
        },
        "capped_by_provider": {
            name: {"until": _time(cap.until_us), "message_id": cap.cause.hex()}
            for name, cap in sorted(state.capped.items())
        },
        "last_active": {name or "anywhere": _time(done.time_us) for name, done in sorted(state.active.items())},
        "remembered": {
            "events": {name: [instant_text(us) for us in times] for name, times in sorted(state.times.items())},
            "resolving_events": {
                name: [instant_text(past.time_us) for past in pasts] for name, pasts in sorted(state.past.items())
            },
            "identities": len(state.identities),
            "duplicates": sum(state.repeats.values()),
        },
    }


def view_json(plain: UserView, indent: int = -1) -> str:
    """A view as JSON: one line, or indented."""
    try:
        encoded = msgspec.json.encode(plain)
    except TypeError as fault:
        raise damaged(str(plain.get("user")), fault) from fault
    return (msgspec.json.format(encoded, indent=indent) if indent > 0 else encoded).decode()


def row_json(user_row: UserRow) -> str:
    """A row of `botopt state list` as one JSON line."""
    return msgspec.json.encode(
        {
            "user": user_row.user,
            "clock": _time(user_row.clock_us),
            "last_message": _time(user_row.last_message_us),
            "last_message_type": user_row.last_message_type,
            "held": user_row.held,
            "due": _time(user_row.due_us),
        }
    ).decode()


def _time(us: int | None) -> str | None:
    return None if us is None or us == NEVER_US else instant_text(us)


def _consent(word: ConsentWord) -> dict[str, object]:
    return {
        "said": "subscribed" if word.granted else "unsubscribed",
        "category": word.category,
        "channel": word.channel,
    }


def _tally(tally: Tally) -> dict[str, object]:
    return {
        "clicks": tally.click_count,
        "outcomes": tally.outcome_count,
        "decayed_clicks": tally.clicks,
        "decayed_outcomes": tally.outcomes,
        "as_of": _time(tally.at_us) if tally.outcome_count else None,
    }


def _send(send: Send) -> dict[str, object]:
    return {
        "message_id": send.id.hex(),
        "event_type": send.event_type,
        "channel": send.channel,
        "sent": instant_text(send.time_us),
        "response": send.response.name.lower(),
        "responded": instant_text(send.response_us) if send.response else None,
    }


def _held(held: Held) -> dict[str, object]:
    return {
        "until": instant_text(held.until_us),
        "event_type": held.event.type,
        "event_id": held.event.id,
        "event_time": instant_text(held.event.time_us),
        "attempts": held.attempt,
        "data": dict(sorted(held.event.data.items())),
    }
