"""What is known about one user: one small value, packed into one blob.

A state is decoded when its user is touched, changed in place by the engine, and packed again. Lists are in
the order in which things happened (the user's clock never runs backwards), so old entries leave at the front.
The packed form is MessagePack arrays: adding a field at the end of a struct keeps old blobs readable;
anything else needs a migration (botopt/state/migrations.py). Nothing here can hold itself, so the garbage collector
need not look (`gc=False`).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from botopt.model.event import Event
from botopt.model.policy import Value

NEVER_US = -(2**62)
"""A time before all others: the clock of a user about whom nothing is known."""


class Response(IntEnum):
    """What the user did with a message so far."""

    PENDING = 0
    CLICKED = 1
    DISMISSED = 2
    IGNORED = 3
    FAILED = 4


class Lesson(msgspec.Struct, array_like=True, gc=False):
    """What is to be learned from the answer to a message; 1 is `botopt.learning.lessons.ONE`.

    `template` and `variant`: what was chosen by learning; empty where nothing was. `odds`: where some variants have
    conditions, the chance of each that could have been chosen. `expected` is the rate of clicks that the user's own
    history led to expect, `scored` that of the scorer.
    """

    template: str = ""
    variant: str = ""
    odds: dict[str, int] = {}
    expected: int = 0
    scored: int = 0
    scorer: str = ""


class Send(msgspec.Struct, array_like=True, gc=False):
    """A message that was sent. `keys` are hashes of the fields that cooldowns compare; absent ones have no key. `took`
    names the budget (see `UserState.paces`) of which it took a message; None: of none.
    """

    id: bytes
    event_type: str
    channel: str
    time_us: int
    response: Response = Response.PENDING
    response_us: int = 0
    keys: dict[str, int] = {}
    lesson: Lesson | None = None
    took: str | None = None


class PastEvent(msgspec.Struct, array_like=True, gc=False):
    """An event that may resolve others. `keys` are hashes of the fields that `same` compares."""

    id: bytes
    time_us: int
    keys: dict[str, int] = {}


class Held(msgspec.Struct, array_like=True, gc=False):
    """A message that waits. `seen_us` is the user's clock when the event came, `attempt` how often it was decided.

    `timed`: its hour was chosen already, and is not chosen again.
    """

    until_us: int
    seen_us: int
    attempt: int
    event: Event
    timed: bool = False


class MuteState(msgspec.Struct, array_like=True, gc=False):
    """A mute with a condition. `armed`: the condition was false, or a message was sent, since it last began."""

    start_us: int = NEVER_US
    armed: bool = True
    cause: bytes = b""


class Tally(msgspec.Struct, array_like=True, gc=False):
    """Engagement outcomes: decayed sums as of `at_us`, and their whole-number twins."""

    clicks: float = 0.0
    outcomes: float = 0.0
    at_us: int = 0
    click_count: int = 0
    outcome_count: int = 0


class ConsentWord(msgspec.Struct, array_like=True, gc=False):
    """The user's word on a category, a channel, both, or (neither) everything."""

    category: str | None
    channel: str | None
    granted: bool


class ProviderCap(msgspec.Struct, array_like=True, gc=False):
    """A channel's provider takes no more for this user until then; `cause` is the message that told."""

    until_us: int
    cause: bytes


class Activity(msgspec.Struct, array_like=True, gc=False):
    """The user said or did something; `id` is that of the event."""

    time_us: int
    id: bytes


class Pace(msgspec.Struct, array_like=True, gc=False):
    """The bucket of a budget as of `at_us`: messages that may be sent, and what the controller has summed up."""

    level: float
    integral: float
    at_us: int


class Hours(msgspec.Struct, array_like=True, gc=False):
    """When the user is active, by the hour of their own clock, smoothed.

    `bins` are 24 unsigned 32-bit integers, little-endian, of `botopt.learning.send_time.UNIT`; `weight` is their sum.
    All are halved every 60 days, counted from `since_us`. `active` is the hour since 1970 in which the user was active
    last, as far as that counted: once an hour.
    """

    bins: bytes
    weight: int
    since_us: int
    active: int | None = None


class UserState(msgspec.Struct, array_like=True, gc=False):
    """Everything botopt remembers about one user.

    `floor_us`: when the user was deleted, or, later, subscribed again; what happened until then was forgotten.
    `identities` maps the hash of an event's identity to the time from which it is remembered; `repeats` counts
    duplicates where there were any. `times` holds, for each event type that a condition counts, when it
    happened. `past` holds the events that resolve others. `ignored_run` carries on the count of ignored
    messages for sends that have left `sends`. `settled` is how many of `sends`, from the first, surely have a response.
    `capped` holds, by channel, what providers said when messages failed. `active` holds what the user said or did last
    on each channel, the newest at the end; where no channel was named, under an empty key. `paces` are budgets by
    category, the one for everything else under an empty key; `hours` when the user is active.
    """

    clock_us: int = NEVER_US
    deleted: bool = False
    floor_us: int = NEVER_US
    attributes: dict[str, Value] = {}
    consent: list[ConsentWord] = []
    identities: dict[int, int] = {}
    repeats: dict[int, int] = {}
    times: dict[str, list[int]] = {}
    past: dict[str, list[PastEvent]] = {}
    sends: list[Send] = []
    held: list[Held] = []
    mutes: dict[str, MuteState] = {}
    total: Tally = msgspec.field(default_factory=Tally)
    by_type: dict[str, Tally] = {}
    ignored_run: int = 0
    settled: int = 0
    capped: dict[str, ProviderCap] = {}
    active: dict[str, Activity] = {}
    paces: dict[str, Pace] = {}
    hours: Hours | None = None

    @property
    def due_us(self) -> int | None:
        """When the next held message is due, or None."""
        return min((held.until_us for held in self.held), default=None)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(UserState)


def pack(state: UserState) -> bytes:
    """One user's state as bytes; equal states give equal bytes."""
    return _encoder.encode(state)


def unpack(blob: bytes) -> UserState:
    """The state that `pack` wrote.

    Raises:
        msgspec.MsgspecError: the bytes are no packed state.
    """
    try:
        return _decoder.decode(blob)
    except (UnicodeDecodeError, RecursionError) as fault:
        raise msgspec.DecodeError(str(fault)) from fault
