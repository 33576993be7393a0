"""Which decisions of two policies are about the same event, and why they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from botopt.engine.hashes import decision_id
from botopt.model.decision import Decision, Outcome
from botopt.verify.diff.attribution import Attribution
from botopt.verify.diff.kinds import Kind, differs, is_held, kind_of
from botopt.verify.diff.sides import Side
from botopt.verify.diff.stories import Causes, Open, Order, Story, Track, parts_states
from botopt.verify.diff.tally import Tally


class Moment(NamedTuple):
    """What one line brought about for one user: records of both policies, releases first.

    `key` is the event's identity, None at the end of the input. `again`, where the states may differ, decides with the
    new policy about the user as the old one left them. `reserved`: the event is one of `user.*` and `message.*`, with
    which both policies do the same.
    """

    order: Order
    key: str | None
    old: Sequence[Decision]
    new: Sequence[Decision]
    again: Callable[[], Sequence[Decision]] | None = None
    reserved: bool = False


class Matching:
    """Follows events from their line to their end, and tells `tally` of each."""

    def __init__(self, old: Side, new: Side, attribution: Attribution, tally: Tally) -> None:
        self._sides = old, new
        self._attribution = attribution
        self._causes = Causes(old.engine.policy, new.engine.policy)
        self._tally = tally

    def take(self, story: Story, user: str, moment: Moment) -> bool:
        """Compare what both decided; whether the line's own event was decided by at least one of them."""
        self._count_messages(user, moment)
        before = dict(story.open_old)
        own = Track(moment.order, moment.key or "")
        touched = {id(own): own}
        for track, record in _matched(story.open_old, moment.old, own):
            track.see_old(record)
            touched[id(track)] = track
        for track, record in _matched(story.open_new, moment.new, own):
            track.see_new(record)
            touched[id(track)] = track
        found: dict[int, Decision] | None = None
        diverged = story.diverged
        for track in touched.values():
            if track.direct is None and differs(track.old, track.new):
                if found is None:
                    found = _last(before, moment, own)
                again = track.old if track is own and moment.reserved else found.get(id(track))
                self._judge(story, track, again, sure=moment.again is None)
            diverged = diverged or parts_states(track.old, track.new)
            if not story.is_open(track):
                self._tally.take(story, user, track)
        story.diverged = diverged
        return any(one is not None and one.outcome is not Outcome.REJECTED for one in (own.old, own.new))

    def close(self, story: Story, user: str) -> None:
        """Nothing more comes: what still waits has come to its end."""
        for track in story.waiting():
            self._tally.take(story, user, track)

    def _count_messages(self, user: str, moment: Moment) -> None:
        for side, records in zip(self._sides, (moment.old, moment.new), strict=True):
            for record in records:
                if record.message is not None and record.time_us is not None:
                    side.loads.sent(user, record.time_us)

    def _judge(self, story: Story, track: Track, again: Decision | None, *, sure: bool) -> None:
        """Say why it differs: because the policy did, or because something before did."""
        track.direct = sure or (differs(track.old, again) and (_explains(track, again) or not story.changes))
        if track.direct:
            track.edits = self._attribution.of(track.old, track.new if sure else again)
        else:
            self._causes.find(story, track)
            track.edits = () if track.cause is None else track.cause.edits
        if parts_states(track.old, track.new):
            story.changes.append(track)


def _explains(track: Track, again: Decision | None) -> bool:
    """Whether the new policy with the old past does to the message what it did: a message that came or went needs a
    policy that sends it, or does not; one that is silent for another reason says nothing about that.
    """
    return track.kind not in (Kind.GAINED, Kind.LOST) or kind_of(track.old, again) is track.kind


def _matched(waiting: Open, records: Sequence[Decision], own: Track) -> Iterator[tuple[Track, Decision]]:
    """Each record with the track that it is about. Held messages are known by the id of their next record."""
    for record in records:
        track, attempt = waiting.pop(record.id, (own, -1))
        if is_held(record) and record.until_us is not None:
            waiting[next_id(track.key, attempt + 1, record.until_us)] = track, attempt + 1
        yield track, record


def next_id(key: str, attempt: int, until_us: int) -> str:
    """The id of the record that a held message will have, which was decided so often before, at least."""
    return decision_id(key, attempt + 1, until_us).hex()


def _last(before: Open, moment: Moment, own: Track) -> dict[int, Decision]:
    """What the new policy would have said last about each track, with the old past."""
    if moment.again is None:
        return {}
    return {id(track): record for track, record in _matched(before, moment.again(), own)}
