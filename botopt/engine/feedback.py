"""What users do with messages, and what they say about themselves: changes to the state, no decisions."""

from __future__ import annotations

from botopt.engine.history import FEEDBACK_WINDOW_US
from botopt.learning.engagement import add_outcome, remove_outcome
from botopt.model.event import Event
from botopt.model.policy import Settings, Value
from botopt.model.user_state import NEVER_US, ConsentWord, ProviderCap, Response, Send, Tally, UserState


def settle(state: UserState, now_us: int, settings: Settings) -> None:
    """Messages unanswered for `ignored_after` are ignored, dated at the moment when that time was over.

    Sends are in order of time, and none that has a response becomes pending again, so each is looked at once.
    """
    sends, place = state.sends, state.settled
    newest_us = now_us - settings.ignored_after_us
    while place < len(sends):
        send = sends[place]
        if send.response is Response.PENDING:
            if send.time_us > newest_us:
                break
            send.response = Response.IGNORED
            send.response_us = send.time_us + settings.ignored_after_us
            _count(state, send, settings, clicked=False)
        place += 1
    state.settled = place


def target(state: UserState, event: Event, now_us: int) -> Send | str:
    """The message that feedback is about, or the sentence that says why there is none."""
    named = event.data.get("message_id")
    event_type = event.data.get("event_type")
    found = _latest(state, named, event_type)
    if found is None and named is not None:
        return f"no such message: {named} was not sent to this user, or too long ago"
    if found is None:
        return "no message to take this for: nothing was sent to this user" + (
            "" if event_type is None else f" for {event_type}"
        )
    if now_us >= found.time_us + FEEDBACK_WINDOW_US:
        return "feedback comes too late: the message was sent 30 days ago or more"
    return found


def _latest(state: UserState, named: Value, event_type: Value) -> Send | None:
    """The message of that id; without one, the latest that did not fail, of that event type if one is given."""
    for send in reversed(state.sends):
        if named is not None:
            if send.id.hex() == named:
                return send
        elif send.response is not Response.FAILED and event_type in (None, send.event_type):
            return send
    return None


def counts_as_before(event: Event) -> bool:
    """Whether it tells of a failure that another channel makes good: only a cap is to be learnt from it."""
    return event.data.get("handed_over") is True


def respond(state: UserState, send: Send, event_type: str, now_us: int, settings: Settings) -> Response | None:
    """Take in a click, a conversion, a dismissal or a failure. Once clicked, always clicked; failed counts nowhere.

    Returns:
        What it was before, if that changed.
    """
    before = send.response
    if before is Response.FAILED:
        return None
    match event_type:
        case "message.clicked" | "message.converted" if before is not Response.CLICKED:
            after = Response.CLICKED
        case "message.dismissed" if before is Response.PENDING:
            after = Response.DISMISSED
        case "message.failed":
            after = Response.FAILED
        case _:
            return None
    if before is not Response.PENDING:
        _uncount(state, send, settings, clicked=before is Response.CLICKED)
    send.response = after
    send.response_us = now_us
    if after is not Response.FAILED:
        _count(state, send, settings, clicked=after is Response.CLICKED)
    return before


def cap(state: UserState, send: Send, event: Event, now_us: int) -> None:
    """`message.failed` may say that a provider takes nothing more on a channel for a while; the longest counts."""
    until_us = event.data.get("capped_until")
    if not isinstance(until_us, int) or until_us <= now_us:
        return
    named = event.data.get("channel")
    channel = named if isinstance(named, str) else send.channel
    known = state.capped.get(channel)
    if known is None or known.until_us < until_us:
        state.capped = {name: one for name, one in state.capped.items() if name != channel}
        state.capped[channel] = ProviderCap(until_us, send.id)


def _count(state: UserState, send: Send, settings: Settings, *, clicked: bool) -> None:
    half_life_us = settings.engagement.half_life_us
    add_outcome(state.total, send.response_us, clicked=clicked, half_life_us=half_life_us)
    of_type = state.by_type.get(send.event_type)
    if of_type is None:
        of_type = state.by_type[send.event_type] = Tally()
    add_outcome(of_type, send.response_us, clicked=clicked, half_life_us=half_life_us)


def _uncount(state: UserState, send: Send, settings: Settings, *, clicked: bool) -> None:
    half_life_us = settings.engagement.half_life_us
    remove_outcome(state.total, send.response_us, clicked=clicked, half_life_us=half_life_us)
    remove_outcome(state.by_type[send.event_type], send.response_us, clicked=clicked, half_life_us=half_life_us)


def update(state: UserState, event: Event) -> None:
    """`user.updated`: only the named attributes; None takes one back to its default or to absent."""
    for name, value in event.data.items():
        if value is None:
            state.attributes.pop(name, None)
        else:
            state.attributes[name] = value


def consent(state: UserState, event: Event, *, granted: bool) -> None:
    """`user.subscribed` and `user.unsubscribed`: the latest word on each question stands last."""
    category, channel = event.data.get("category"), event.data.get("channel")
    assert category is None or isinstance(category, str)
    assert channel is None or isinstance(channel, str)
    word = ConsentWord(category, channel, granted)
    if category is None and channel is None and granted:
        state.consent = [word]
        return
    state.consent = [old for old in state.consent if (old.category, old.channel) != (category, channel)]
    state.consent.append(word)


def forget(state: UserState, floor_us: int, *, deleted: bool) -> None:
    """Forget everything about the user but that, and when, it was forgotten."""
    fresh = UserState(clock_us=NEVER_US, deleted=deleted, floor_us=floor_us)
    for name in UserState.__struct_fields__:
        setattr(state, name, getattr(fresh, name))
