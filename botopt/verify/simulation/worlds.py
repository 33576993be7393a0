"""Worlds: what is true of simulated people, in numbers. Nothing here is measured on real ones.

The log-odds of a click are a sum: `base` + the user + the event type + the user's taste for the type + the variant
+ `hour` cos(how far the hour is from the user's own, round the clock) - `crowding` for each message beyond the first in
24 hours - `repetition`, halved every `repetition_days`, if the user had the same variant before. Effects are drawn from
normal distributions with mean 0; the spreads are their standard deviations. They are sized so that the choice of a
variant is worth about 2 %, as in Yancey and Settles (KDD 2020): a world tells learners that work from learners that do
not, and foretells no lift.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class World(msgspec.Struct, frozen=True):
    """What is true. Spreads and effects are in log-odds; rates and hazards are shares, 0 to 1.

    Attributes:
        description: one sentence for people.
        base: log-odds of a click of the average user; -2.4 is one in twelve.
        user, event_type, taste, variant: spreads of the effects of users, of event types, of each user's own taste for
            each event type, and of variants.
        hour: what the user's own hour of the day is worth against the average one; 12 hours away it costs as much.
        peak, peak_spread: mean and spread over users of that hour, by their own clock.
        crowding: what each message beyond the first in 24 hours costs.
        repetition, repetition_days: what having had the same variant costs, and after how many days half of it is left.
        hazard: the chance that a message without a click makes the user unsubscribe from everything, for each message
            without one beyond the second in 24 hours, this one included.
        dismissal: the share of messages without a click that are dismissed; the others are ignored.
        conversion: the share of clicks after which the user does what the message asked for.
        events, acts: events that may lead to a message, and signs of life (`user.active`), for each user and day.
        drift_day: from this day on tastes are others; None: never.
        surge_day, surge: from this day on there are so many times as many events.
        fading_day, fading: from this day on numbers in events are so many times as large.
        warm: users above the average user carry `warm: true`, if the policy has such an attribute.
    """

    description: str
    base: float = -2.4
    user: float = 0.6
    event_type: float = 0.3
    taste: float = 0.5
    variant: float = 0.12
    hour: float = 0.3
    peak: float = 15.0
    peak_spread: float = 4.0
    crowding: float = 0.15
    repetition: float = 0.15
    repetition_days: float = 3.0
    hazard: float = 0.002
    dismissal: float = 0.05
    conversion: float = 0.1
    events: float = 8.0
    acts: float = 1.0
    drift_day: int | None = None
    surge_day: int | None = None
    surge: float = 1.0
    fading_day: int | None = None
    fading: float = 1.0


WORLDS: Mapping[str, World] = {
    "modest": World("People differ a little in what they like, and when; wordings hardly."),
    "null": World(
        "Everybody, every message and every hour is alike: there is nothing to learn.",
        user=0.0,
        event_type=0.0,
        taste=0.0,
        variant=0.0,
        hour=0.0,
        crowding=0.0,
        repetition=0.0,
        hazard=0.0,
    ),
    "drift": World("As modest, but on day 30 everybody's tastes change.", drift_day=30),
    "fatigue": World(
        "As modest, but each further message in 24 hours costs a lot, and people leave.", crowding=0.5, hazard=0.02
    ),
    "surge": World(
        "As modest, but from day 30 on there are three times as many events, and from day 45 on their numbers are half "
        "as large.",
        surge_day=30,
        surge=3.0,
        fading_day=45,
        fading=0.5,
    ),
    "confounded": World(
        "As modest, with users that differ much and carry `warm`: a variant for warm users only looks good because of "
        "whom it goes to.",
        event_type=0.0,
        taste=0.0,
        hour=0.0,
        crowding=0.0,
        hazard=0.0,
    ),
}
