"""The policy: everything a workspace says, read, checked and typed.

Nothing here is looked up by position in a file again: a value that exists is valid. Positions are kept
for explanations only and are not part of the revision. Durations and windows are microseconds (`_us`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from botopt.model.condition import ALWAYS, Condition, ValueType
from botopt.model.durations import DAY_US, HOUR_US, SECOND_US
from botopt.model.learning_policy import EngagementSettings, Experiment, Pacing, Recency, Scorer, SendTime
from botopt.model.position import NOWHERE, Position, Spans, Unplaced

FEEDBACK_TYPES = ("message.clicked", "message.converted", "message.dismissed", "message.failed")
"""What a user did with a message."""

RESERVED_TYPES = (
    "user.updated",
    "user.subscribed",
    "user.unsubscribed",
    "user.deleted",
    "user.active",
    *FEEDBACK_TYPES,
)
"""Event types with a meaning of their own; a policy cannot declare them."""


class FatigueSettings(msgspec.Struct, frozen=True):
    """How much each recent unanswered message raises the threshold."""

    per_message: float = 0.05
    within_us: int = DAY_US
    limit: float = 0.20


class Settings(msgspec.Struct, frozen=True):
    """Workspace-wide settings. `holdout` and `control` are shares, 0 to 1.

    `control`: users for whom nothing is learned or drawn, ever: the rule as it is written decides. `refresh_us`: how
    often learned values of all users change. `tuned_until_us`: up to when the log goes on which this policy was chosen.
    """

    timezone: str = "UTC"
    locale: str = "en"
    threshold: float = 0.60
    ignored_after_us: int = DAY_US
    dedupe_window_us: int = 7 * DAY_US
    engagement: EngagementSettings = EngagementSettings()
    fatigue: FatigueSettings = FatigueSettings()
    holdout: float = 0.0
    seed: int = 0
    control: float = 0.0
    refresh_us: int = HOUR_US
    tuned_until_us: int | None = None
    pacing: Pacing | None = None


class Consent(StrEnum):
    """What a category asks of the user before it may write."""

    NOT_NEEDED = "not_needed"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


class Category(msgspec.Struct, frozen=True):
    """A kind of message. `engagement` false: the engagement factor is 1 for its messages.

    `send_time` is for its event types that have none of their own; `pacing` counts its messages, and no others.
    """

    name: str
    consent: Consent = Consent.OPT_OUT
    engagement: bool = True
    position: Position = NOWHERE
    send_time: SendTime | None = None
    pacing: Pacing | None = None


class Pattern(msgspec.Struct, frozen=True):
    """A compiled RE2 pattern: `fullmatch(text)` is truthy when the whole text matches."""

    text: str
    fullmatch: Callable[[str], object]

    def __reduce__(self) -> tuple[object, ...]:
        """Patterns do not travel between processes; policies are loaded anew there."""
        raise TypeError("a compiled pattern cannot be pickled")


Value = str | int | float | bool | list[object] | dict[str, object] | None
"""A field's value. Numbers are floats, integers ints, times ints (microseconds since 1970 UTC), absent is None."""


class FieldSpec(msgspec.Struct, frozen=True):
    """A field of an event type, or an attribute of the user. Bounds are inclusive."""

    name: str
    type: ValueType
    one_of: tuple[str | int | float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    pattern: Pattern | None = None
    default: Value = None
    optional: bool = False
    position: Position = NOWHERE

    @property
    def can_be_absent(self) -> bool:
        """Whether a valid event may leave this value absent (optional, and no default steps in)."""
        return self.optional and self.default is None


class WhenUnsure(StrEnum):
    """What to do with a message that may or may not have arrived: try again, or stop and leave it to a person."""

    RETRY = "retry"
    STOP = "stop"


class DeliverySettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a channel delivers. Durations are microseconds.

    `to` is the attribute that holds a user's address there (None: the user's id). `fallback` is the channel that takes
    over what cannot be delivered; `reply` the one that carries texts a platform only returned. At most `messages` are
    sent `per_us` (0: as many as there are), `concurrency` at a time, and each attempt may take `timeout_us`. What
    fails is tried again for `retry_for_us`. `when_unsure` None: as the channel type can bear it.
    """

    to: str | None = None
    fallback: str | None = None
    reply: str | None = None
    messages: int = 0
    per_us: int = SECOND_US
    concurrency: int = 4
    timeout_us: int = 15 * SECOND_US
    retry_for_us: int = DAY_US
    when_unsure: WhenUnsure | None = None


class Channel(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where messages go: a name authors use, a registered channel type, and that type's options.

    `max_length` is how many characters of text it takes, if that is bounded.
    """

    name: str
    type: str
    options: tuple[tuple[str, Value], ...] = ()
    max_length: int | None = None
    position: Position = NOWHERE
    delivery: DeliverySettings = DeliverySettings()


class When(msgspec.Struct, frozen=True):
    """A condition as it was written: its meaning, its words and their place."""

    condition: Condition = ALWAYS
    text: str = ""
    position: Position = NOWHERE


class Rule(msgspec.Struct, frozen=True):
    """What changes when a condition holds. `message` and `channel` replace the event type's own."""

    id: str
    when: When
    score: float | None = None
    threshold: float | None = None
    message: str | None = None
    channel: str | None = None
    skip: bool = False
    position: Position = NOWHERE


class EventType(msgspec.Struct, frozen=True):
    """Something that can happen. Without a `message`, or not `enabled`, it is only remembered."""

    name: str
    description: str = ""
    category: str | None = None
    fields: Mapping[str, FieldSpec] = {}
    weight: float = 0.0
    threshold: float | None = None
    message: str | None = None
    channel: str | None = None
    expires_after_us: int | None = None
    accepts: tuple[str, ...] = ()
    enabled: bool = True
    engagement: bool = True
    always: bool = False
    rules: tuple[Rule, ...] = ()
    position: Position = NOWHERE
    send_time: SendTime | None = None

    @property
    def decides(self) -> bool:
        """Whether an event of this type leads to a decision."""
        return self.message is not None and self.enabled


class Cooldown(msgspec.Struct, frozen=True, tag_field="kind"):
    """After a send, nothing with the same keys for `window_us`. `per` leaves out the implied `user`."""

    window_us: int
    per: tuple[str, ...] = ("event",)


class Calendar(StrEnum):
    """A calendar window in the user's time zone."""

    DAY = "day"
    WEEK = "week"


class Limit(msgspec.Struct, frozen=True, tag_field="kind"):
    """At most `count` sends in scope within a rolling `window_us` or a calendar day or week."""

    count: int
    window_us: int = 0
    calendar: Calendar | None = None
    reserved: tuple[tuple[str, int], ...] = ()


class Inhibition(msgspec.Struct, frozen=True, tag_field="kind"):
    """Nothing for `window_us` after a message of one of these event types; they never stop themselves."""

    by: tuple[str, ...]
    window_us: int


class Resolution(msgspec.Struct, frozen=True, tag_field="kind"):
    """Nothing once one of these events, with equal `same` fields, says the matter is closed."""

    by: tuple[str, ...]
    window_us: int
    same: tuple[str, ...] = ()


class Conversation(msgspec.Struct, frozen=True, tag_field="kind"):
    """Nothing for `window_us` after the user said or did something in the chat."""

    window_us: int


class Mute(msgspec.Struct, frozen=True, tag_field="kind"):
    """Silence for `window_us` from the moment the condition becomes true; None: whatever `when` chooses, always."""

    window_us: int | None


class QuietHours(msgspec.Struct, frozen=True, tag_field="kind"):
    """Quiet while the user's wall clock shows `[start, end)`, in minutes of the day (end at most 1440).

    `days` are the days (0 is Monday) on which the hours begin, empty for all. `hold`: the message waits.
    """

    start: int
    end: int
    days: tuple[int, ...] = ()
    hold: bool = True


Kind = Cooldown | Limit | Inhibition | Resolution | Conversation | Mute | QuietHours


class Suppression(msgspec.Struct, frozen=True):
    """One reason not to send. An empty scope tuple means all; `when` and `unless` choose what it may stop."""

    id: str
    kind: Kind
    events: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    when: When | None = None
    unless: When | None = None
    position: Position = NOWHERE

    @property
    def conditions(self) -> tuple[When, ...]:
        """Its `when` and its `unless`, where it has them."""
        return tuple(when for when in (self.when, self.unless) if when is not None)


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Jinja source and where each of its characters stands."""

    source: str
    where: Spans = Unplaced()


class ButtonText(msgspec.Struct, frozen=True):
    """A button: a label and perhaps a link, each by locale (the same keys in both)."""

    label: Mapping[str, Text]
    link: Mapping[str, Text] = {}


class Choose(StrEnum):
    """How a template picks among its eligible variants."""

    FIRST = "first"
    WEIGHTED = "weighted"
    LEARN = "learn"


class Variant(msgspec.Struct, frozen=True):
    """One wording. `text`, `title` and `buttons` are by locale; `text` always has `settings.locale`."""

    name: str
    text: Mapping[str, Text]
    title: Mapping[str, Text] = {}
    buttons: tuple[ButtonText, ...] = ()
    when: When | None = None
    weight: float = 1.0
    position: Position = NOWHERE


class Template(msgspec.Struct, frozen=True):
    """A message in all its wordings. `samples` are example data that validation renders.

    `recency` is for `choose: learn` only.
    """

    name: str
    variants: tuple[Variant, ...]
    description: str = ""
    choose: Choose = Choose.FIRST
    samples: tuple[Mapping[str, Value], ...] = ()
    position: Position = NOWHERE
    recency: Recency = Recency()

    @property
    def differs(self) -> bool:
        """Whether some variants may go to some users only: then people who got one are not like those who did not."""
        return any(variant.when is not None for variant in self.variants)


MOST_PERIODS = 1_500
"""How many times `refresh` fits into `ignored_after` at most, where something is learned of all users. What was known
in each is remembered, and takes 1.4 kB with twenty event types. So `1m` still goes with a day.
"""


class Policy(msgspec.Struct, frozen=True):
    """All rules and templates of a workspace. `suppressions` are sorted by id; `revision` is a hash of the meaning."""

    settings: Settings = Settings()
    categories: Mapping[str, Category] = {}
    attributes: Mapping[str, FieldSpec] = {}
    channels: Mapping[str, Channel] = {}
    events: Mapping[str, EventType] = {}
    suppressions: tuple[Suppression, ...] = ()
    templates: Mapping[str, Template] = {}
    revision: str = ""
    experiments: Mapping[str, Experiment] = {}
    scorer: Scorer | None = None

    @property
    def learns(self) -> bool:
        """Whether anything is learned from all users together: then runs keep lessons, and take snapshots of them."""
        return (
            self.settings.engagement.learn
            or self.scorer is not None
            or any(event_type.send_time is not None for event_type in self.events.values())
            or any(template.choose is Choose.LEARN for template in self.templates.values())
        )

    def templates_of(self, event_type: EventType) -> tuple[str, ...]:
        """The templates that an event type can reach: its own, then those its rules name."""
        named = (event_type.message, *(rule.message for rule in event_type.rules))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def channels_of(self, event_type: EventType) -> tuple[str, ...]:
        """The channels that an event type can reach."""
        named = (event_type.channel, *(rule.channel for rule in event_type.rules))
        return tuple(dict.fromkeys(name for name in named if name is not None))
