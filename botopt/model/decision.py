"""The decision record: what was decided about one event, complete enough to explain itself."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    SKIPPED = "skipped"
    BELOW_THRESHOLD = "below_threshold"
    SUPPRESSED = "suppressed"
    HELD = "held"
    REJECTED = "rejected"

    __hash__ = str.__hash__  # they are counted: the one of enumerations is written in Python


class Reason(StrEnum):
    """Why a message was not sent, in the order in which they are asked: rights, worth, comfort, timing."""

    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    NO_CONSENT = "no_consent"
    SKIPPED = "skipped"
    BELOW_THRESHOLD = "below_threshold"
    HOLDOUT = "holdout"
    SILENCED = "silenced"
    MUTED = "muted"
    RESOLVED = "resolved"
    INHIBITED = "inhibited"
    IN_CONVERSATION = "in_conversation"
    COOLDOWN = "cooldown"
    CAPPED = "capped"
    PACED = "paced"
    QUIET_HOURS = "quiet_hours"
    SEND_TIME = "send_time"
    RENDER_FAILED = "render_failed"

    __hash__ = str.__hash__


PROVIDER = "provider"
"""Who is named where a channel's provider caps; no suppression may have this id."""


class Part(msgspec.Struct, frozen=True):
    """One term of the score or the threshold.

    `part` is base, rule, engagement, scorer or explore of the score; threshold, fatigue or pacing of the threshold.
    """

    part: str
    id: str | None
    value: float


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One draw: from what, what was taken, the number drawn in [0, 1), and the chance that the taken one had.

    `purpose` is variant, explore, send_time, or experiment and its name, as in `experiment early-nudge`.
    """

    purpose: str
    eligible: tuple[str, ...]
    chosen: str
    draw: float | None
    propensity: float


class Button(msgspec.Struct, frozen=True):
    """A button of a message; `link` is None for a plain reply."""

    label: str
    link: str | None = None


class Rendered(msgspec.Struct, frozen=True):
    """A message's words in one locale, as plain text."""

    locale: str
    text: str
    title: str | None = None
    buttons: tuple[Button, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What the user reads. `id` is what feedback names as `message_id`."""

    id: str
    template: str
    variant: str
    locale: str
    channel: str
    text: str
    title: str | None = None
    buttons: tuple[Button, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. Field order is the order of keys in the record; times are microseconds since 1970 UTC.

    `reason` is None exactly for `sent`. `score` and `threshold` are None only for rejected and duplicate. `snapshot` is
    the id of the learned values that had a say; None where the policy learns nothing from all users.
    """

    id: str
    event_id: str | None
    event_type: str | None
    user: str | None
    time_us: int | None
    line: int | None = None
    outcome: Outcome
    reason: Reason | None = None
    by: str | None = None
    detail: str | None = None
    until_us: int | None = None
    score: float | None = None
    threshold: float | None = None
    parts: tuple[Part, ...] = ()
    cause: str | None = None
    choices: tuple[Choice, ...] = ()
    message: Message | None = None
    snapshot: str | None = None
    revision: str = ""
