"""Events of some users decided by two policies at once, each with its own states, and compared on the spot.

What is ordinary stays as record lines, which are compared letter by letter. A `Decision` is made only of what differs.
Both policies must have the same revision, so that equal decisions are equal lines (`comparing.py` sees to that).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from botopt.model.decision import Decision, Reason
from botopt.model.event import Event, Line, Rejected
from botopt.model.policy import RESERVED_TYPES
from botopt.model.ports import StateStore
from botopt.model.user_state import NEVER_US, UserState, unpack
from botopt.sources.envelope import Decoder
from botopt.verify.diff.attribution import Attribution
from botopt.verify.diff.matching import Matching, Moment, next_id
from botopt.verify.diff.sides import Side, is_silent, only_numbers, reads_alike
from botopt.verify.diff.snapshot import Before, Mutes, Photographer
from botopt.verify.diff.stories import Story, Track
from botopt.verify.diff.tally import Tally

_BATCH = 100_000
"""Lines after which states are packed, as in a replay."""

_RESERVED = frozenset(RESERVED_TYPES)
_AS_OLD: Literal["as old"] = "as old"
"""Both policies do the same with this event about the same user, because neither decides."""

_Before = Before | bytes | Literal["as old"] | None
_LAST = (1 << 62, 0)
_ALL = 1 << 31


class PairLane:
    """Decides lines by both policies. Call `decide`, and at the end `finish`; then `tally` is complete."""

    def __init__(self, old: Side, new: Side, attribution: Attribution, samples: int) -> None:
        self._old, self._new = old, new
        self._decoders = Decoder(old.engine.policy), Decoder(new.engine.policy)
        self._one_decoder = reads_alike(old.engine.policy, new.engine.policy)
        self._stories: dict[str, Story] = {}
        self._people: set[str] = set()
        self.tally = Tally(samples)
        self._matching = Matching(old, new, attribution, self.tally)
        self.newest_us = NEVER_US
        keep = old.engine.keep
        windows = (keep.sends_us, keep.dedupe_us, *keep.times.values(), *keep.past.values())
        self._reach_us = 2 * max(windows)
        self._batch = 0
        self._photographer = Photographer(old.engine, new.engine)

    def begin(self, store: StateStore, mine: Callable[[str], bool]) -> None:
        """Watch the messages that are held in a state from before."""
        for _, user in store.due(_LAST[0], _ALL):
            if mine(user):
                story = self._stories[user] = Story()
                self._saw(user, self._old.state(user), self._new.state(user))
                for held in self._old.state(user).held:
                    track = Track((-1, 0), held.event.key)
                    name = next_id(track.key, held.attempt - 1, held.until_us)
                    story.open_old[name] = story.open_new[name] = track, held.attempt - 1

    def event(self, raw: bytes, number: int, input_number: int = 0) -> Event | Rejected | None:
        """What a line is: an event, if either policy can read it as one."""
        found = self._decoders[0].decode(raw, number, input_number)
        if isinstance(found, Event) or self._one_decoder:
            return found
        other = self._decoders[1].decode(raw, number, input_number)
        return other if isinstance(other, Event) else found

    def decide(self, raws: Sequence[bytes], numbers: Sequence[int], input_number: int) -> None:
        """Decide these lines of one input; `numbers` are theirs."""
        if self._old.learner is None and self._new.learner is None:
            self._decide_lines(raws, numbers, input_number)
        else:
            for number, raw in zip(numbers, raws, strict=True):
                self._decide_learning(Line(number, raw, input_number))
        self._batch += len(raws)
        if self._batch >= _BATCH:
            self._commit()

    def _decide_learning(self, line: Line) -> None:
        """A line where something is learned from all users: what is known must be right before it."""
        old, new = self._old, self._new
        (_, strict), (_, other_strict) = ((each.typed, each.decode) for each in self._decoders)
        event = strict(line.raw, line.number, line.input_number)
        other = event if self._one_decoder else other_strict(line.raw, line.number, line.input_number)
        self._follow(event, other, (line.input_number, line.number))
        if isinstance(event, Event) and isinstance(other, Event):
            user = event.user
            state, other_state, story = old.state(user), new.state(user), self._stories.get(user)
            if story is not None and not story.quiet:
                self._decide_watched(story, state, other_state, event, other, line)
            else:
                taken = old.lines.take(state, event), new.lines.take(other_state, other)
                self._decide_differing(state, other_state, event, other, line, taken)
            self._saw(user, state, other_state)
            self.newest_us = max(self.newest_us, state.clock_us, other_state.clock_us)
        elif isinstance(event, Event) or isinstance(other, Event):
            self._decide_refused(event, other, line)
        old.passed()
        new.passed()

    def _decide_lines(self, raws: Sequence[bytes], numbers: Sequence[int], input_number: int) -> None:
        old, new, stories, people = self._old, self._new, self._stories, self._people
        (typed, strict), (other_typed, other_strict) = ((each.typed, each.decode) for each in self._decoders)
        take, other_take = old.lines.take, new.lines.take
        lines, other_lines = old.lines.lines, new.lines.lines
        sent, other_sent = old.loads.sent, new.loads.sent
        touched, other_touched = old.population.touched, new.population.touched
        states, other_states = old.population.states, new.population.states
        one, decided, newest_us = self._one_decoder, 0, self.newest_us
        for place, raw in enumerate(raws):
            event = typed(raw) or strict(raw, numbers[place], input_number)
            other = event if one else other_typed(raw) or other_strict(raw, numbers[place], input_number)
            if type(event) is not Event or type(other) is not Event:
                if isinstance(event, Event) or isinstance(other, Event):
                    self._decide_refused(event, other, Line(numbers[place], raw, input_number))
                continue
            user = event.user
            touched.append(user)
            other_touched.append(user)
            state = states.get(user) or old.bring(user)
            other_state = other_states.get(user) or new.bring(user)
            story = stories.get(user)
            if story is not None and not story.quiet:
                self._decide_watched(story, state, other_state, event, other, Line(numbers[place], raw, input_number))
            else:
                taken, other_taken = take(state, event), other_take(other_state, other)
                if taken and other_taken and lines == other_lines and not state.held and not other_state.held:
                    if lines:
                        decided += 1
                        people.add(user)
                        if not is_silent(lines[0]):
                            sent(user, state.clock_us)
                            other_sent(user, state.clock_us)
                        lines.clear()
                        other_lines.clear()
                else:
                    line = Line(numbers[place], raw, input_number)
                    self._decide_differing(state, other_state, event, other, line, (taken, other_taken))
            if state.clock_us > newest_us:  # noqa: PLR1730 - max() takes three times as long
                newest_us = state.clock_us
            if other_state.clock_us > newest_us:  # noqa: PLR1730
                newest_us = other_state.clock_us
        self.newest_us = newest_us
        self.tally.decided += decided

    def _saw(self, user: str, state: UserState, other_state: UserState) -> None:
        self._old.holding.saw(user, state)
        self._new.holding.saw(user, other_state)

    def _follow(self, event: Event | Rejected | None, other: Event | Rejected | None, place: tuple[int, int]) -> None:
        """Turn where an event begins a new period for a policy; what has been held for too long is decided before."""
        pairs = (self._old, event), (self._new, other)
        ripe = [side.ripe_us(what) if isinstance(what, Event) else None for side, what in pairs]
        if ripe == [None, None]:
            return
        untils = [NEVER_US if until_us is None else until_us for until_us in ripe]
        due: dict[str, int] = {}
        for (side, _), until_us in zip(pairs, untils, strict=True):
            for user, due_us in side.holding.due.items():
                if due_us <= until_us:
                    due[user] = min(due.get(user, due_us), due_us)
        for user in sorted(due, key=lambda user: (due[user], user)):
            self._release(user, untils[0], untils[1], place)
        for (side, what), until in zip(pairs, ripe, strict=True):
            if until is not None and isinstance(what, Event):
                side.turn(what.time_us)

    def _release(self, user: str, until_us: int, other_until_us: int, place: tuple[int, int]) -> None:
        """Decide what is held for a user."""
        state, other_state = self._old.state(user), self._new.state(user)
        story = self._stories.setdefault(user, Story())
        again = None
        if story.diverged:
            again = self._release_again(state, story.mutes or other_state.mutes, other_until_us)
        records, others = self._old.release(state, until_us), self._new.release(other_state, other_until_us)
        self._saw(user, state, other_state)
        self._matching.take(story, user, Moment(place, None, records, others, again))

    def _decide_differing(
        self,
        state: UserState,
        other_state: UserState,
        event: Event,
        other: Event,
        line: Line,
        taken: tuple[bool, bool],
    ) -> None:
        """A line of a user about whom nothing differed yet; it is no ordinary one, or it differs."""
        if all(taken) and not (state.held or other_state.held) and self._is_ordinary(event, other, state, other_state):
            return
        records = self._old.taken() if taken[0] else self._old.decide(state, event, line)
        others = self._new.taken() if taken[1] else self._new.decide(other_state, other, line)
        self._take(event, Moment((line.input_number, line.number), event.key, records, others))

    def _decide_watched(
        self, story: Story, state: UserState, other_state: UserState, event: Event, other: Event, line: Line
    ) -> None:
        """A line of a user whose states differ already, or for whom messages wait."""
        before = self._before(story, state, other_state, event, other.type)
        held = bool(state.held or other_state.held)  # what is due is released while the event is taken
        taken = self._old.lines.take(state, event), self._new.lines.take(other_state, other)
        follows = self._photographer.follows and before is not None
        plain = all(taken) and not (follows or held or state.held or other_state.held)
        if plain and self._is_ordinary(event, other, state, other_state):
            return
        records = self._old.taken() if taken[0] else self._old.decide(state, event, line)
        others = self._new.taken() if taken[1] else self._new.decide(other_state, other, line)
        again = self._again(before, records, other, line, story)
        reserved = event.type in _RESERVED
        self._take(event, Moment((line.input_number, line.number), event.key, records, others, again, reserved))

    def _is_ordinary(self, event: Event, other: Event, state: UserState, other_state: UserState) -> bool:
        """Whether both have decided alike, but for numbers; then it is counted."""
        lines, other_lines = self._old.lines.lines, self._new.lines.lines
        if lines != other_lines:
            if not (lines and other_lines and only_numbers(lines[0], other_lines[0])):
                return False
            self.tally.numbers(other.type)
        if lines:
            self._count(event.user)
            if not is_silent(lines[0]):
                self._old.loads.sent(event.user, state.clock_us)
                self._new.loads.sent(event.user, other_state.clock_us)
            lines.clear()
            other_lines.clear()
        return True

    def _decide_refused(self, event: Event | Rejected | None, other: Event | Rejected | None, line: Line) -> None:
        """A line that only one policy can read."""
        known = event if isinstance(event, Event) else other
        assert isinstance(known, Event)
        state, other_state = self._old.state(known.user), self._new.state(known.user)
        story = self._stories.get(known.user)
        before: _Before = None
        if story is not None and isinstance(other, Event):
            before = self._before(story, state, other_state, known, known.type)
        records = self._either(self._old, state, event, line)
        others = self._either(self._new, other_state, other, line)
        again = self._again(before, records, known, line, story)
        if isinstance(other, Rejected) and story is not None and story.diverged:
            again = lambda: others  # noqa: E731 - it is refused whatever the state is
        self._saw(known.user, state, other_state)
        self.newest_us = max(self.newest_us, state.clock_us, other_state.clock_us)
        self._take(known, Moment((line.input_number, line.number), known.key, records, others, again))

    def _either(self, side: Side, state: UserState, what: Event | Rejected | None, line: Line) -> list[Decision]:
        if isinstance(what, Event):
            return side.records(state, what, line)
        return [] if what is None else [side.engine.reject(what)]

    def _before(self, story: Story, state: UserState, other_state: UserState, event: Event, name: str) -> _Before:
        """The user as the old policy left them, where that is another question than what both left."""
        if not story.diverged:
            return None
        mutes = other_state.mutes if story.mutes is None else story.mutes
        if event.type not in _RESERVED:
            return self._photographer.before(state, mutes, event, name)
        due_us = state.due_us
        if due_us is None or due_us > max(state.clock_us, event.time_us):
            if event.type == "user.deleted":
                story.mutes = None
            return _AS_OLD
        return self._photographer.packed(state, mutes)

    def _again(
        self, before: _Before, records: Sequence[Decision], other: Event, line: Line, story: Story | None
    ) -> Callable[[], Sequence[Decision]] | None:
        """Decides with the new policy about the user as the old one left them."""
        if before is None:
            return None
        if before == _AS_OLD:
            return lambda: records
        duplicate = bool(records) and records[-1].reason is Reason.DUPLICATE

        def decide() -> Sequence[Decision]:
            if isinstance(before, Before):
                state = before.made(duplicate=duplicate)
                found = self._decide_aside(state, other, line)
            else:
                state = unpack(before)
                found = self._decide_aside(state, other, line)
            if self._photographer.follows and story is not None:
                story.mutes = self._photographer.followed(state.mutes)
            return found

        if not self._photographer.follows:
            return decide
        found = decide()  # also where nobody asks: what comes of the mutes is for the next event
        return lambda: found

    def _decide_aside(self, state: UserState, event: Event, line: Line) -> list[Decision]:
        if self._new.learner is None:
            return self._new.records(state, event, line)
        return self._new.engine.decide(state, event, line, learned=self._new.aside)

    def _take(self, event: Event, moment: Moment) -> None:
        user = event.user
        story = self._stories.get(user)
        if story is None:
            story = Story()
        if self._matching.take(story, user, moment):
            self._count(user)
        if not story.quiet or story.noticed:
            self._stories[user] = story

    def _count(self, user: str) -> None:
        self.tally.decided += 1
        self._people.add(user)

    def _commit(self) -> None:
        """Pack states; users whose states are equal again have no differing past any more."""
        self._batch = 0
        touched = {user for user in self._old.population.touched if user in self._stories}
        old, new = self._old.commit(), self._new.commit()
        for user in touched:
            story = self._stories[user]
            if story.diverged and old.get(user) == new.get(user):
                story.diverged = False
                story.mutes = None
                story.changes.clear()
            story.forget(self.newest_us - self._reach_us)

    def finish(self, end_us: int) -> None:
        """Release what is due by then, and close the books."""
        for user, story in sorted(self._stories.items()):
            if story.waits:
                state, other_state = self._old.state(user), self._new.state(user)
                again = self._release_again(state, story.mutes or other_state.mutes, end_us) if story.diverged else None
                records = self._old.release(state, end_us)
                others = self._new.release(other_state, end_us)
                self._matching.take(story, user, Moment(_LAST, None, records, others, again))
                self._matching.close(story, user)
        self.tally.users = len(self._people)
        self.tally.close(self._old.loads, self._new.loads)

    def _release_again(self, state: UserState, mutes: Mutes, end_us: int) -> Callable[[], list[Decision]]:
        packed = self._photographer.packed(state, mutes)
        return lambda: self._new.engine.release(unpack(packed), end_us, learned=self._new.aside)
