"""The recorded events of one user as steps of a rule test, each with what the replay decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

from botopt.engine import hashes
from botopt.engine.engine import Engine
from botopt.engine.feedback import target
from botopt.engine.work import Work
from botopt.loading.reading.traps import CONTROL
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Event, Line, Rejected
from botopt.model.names import did_you_mean
from botopt.model.position import NOWHERE
from botopt.model.user_state import Send, UserState
from botopt.sources.envelope import Decoder
from botopt.sources.reserved import FAILURE
from botopt.verify.alone import Alone
from botopt.verify.ruletest.model import Step
from botopt.verify.ruletest.reading import KINDS

_SECOND_US = 1_000_000
_MOST_USERS = 100_000
_BOM = b"\xef\xbb\xbf"
_KIND_OF = {event_type: kind for kind, event_type in KINDS.items() if event_type}
_FEEDBACK = {"click", "convert", "dismiss", "fail"}
_NO_LINE = Line()


def writable(value: object) -> object:
    """The same data as a file of tests may hold it: a � for each character that no text there may contain."""
    match value:
        case str():
            return CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
        case list():
            return [writable(inner) for inner in value]
        case dict():
            return {str(writable(name)): writable(inner) for name, inner in value.items()}
        case _:
            return value


class Moment(msgspec.Struct, frozen=True):
    """One step of the recording. `at_us` is the clock of the test then, in whole seconds.

    `decision` is what the replay decided, `in_range` whether the test is about it. `line` is 0 for what no line
    brought about: time passes, and something held is released.
    """

    step: Step
    at_us: int
    in_range: bool
    decision: Decision | None = None
    line: Line = Line()


class Story:
    """The replay of one user, step by step."""

    def __init__(self, engine: Engine, user: str, from_us: int | None, to_us: int | None) -> None:
        self.user = user
        self.state = UserState()
        self.moments: list[Moment] = []
        self.left_out: list[tuple[Line, str]] = []
        self.rewritten: list[Line] = []
        self._engine = engine
        self._alone = Alone(engine)
        self._decoder = Decoder(engine.policy)
        self._from_us = from_us
        self._to_us = to_us
        self._newest_us = 0
        self._names: dict[str, str] = {}  # of steps, by the identity of their event
        self._by_event: dict[str | None, str] = {}  # and by its id
        self._by_message: dict[str, str] = {}
        self._about = ""
        self._users: set[str] = set()

    def tell(self, lines: Iterable[Line]) -> None:
        """Every event of the user until the time ends, then what is due."""
        for line in lines:
            event = self._decoder.decode(line.raw, line.number, line.input_number)
            if isinstance(event, Rejected):
                if event.user == self.user:
                    self.left_out.append((line, event.detail))
                continue
            if event is None:
                continue
            self._newest_us = max(self._newest_us, event.time_us)
            if event.user != self.user:
                if len(self._users) < _MOST_USERS:
                    self._users.add(event.user)
                continue
            if self._to_us is not None and max(event.time_us, self.state.clock_us) >= self._to_us:
                break
            self._event(event, line)
        end_us = self._newest_us if self._to_us is None else self._to_us - 1
        self._releases(self._engine.release(self.state, end_us, self, learned=self._alone.learned))

    def nothing(self) -> str:
        """Why there is nothing to tell."""
        if self.left_out:
            line, why = self.left_out[0]
            return f'no line of user "{self.user}" can be taken; the first, line {line.number}: {why}'
        hint = did_you_mean(self.user, self._users)
        return f'there are no events of user "{self.user}"{"; " if hint else ""}{hint}'

    def _event(self, event: Event, line: Line) -> None:
        known = self.state.identities.get(hashes.identity(event.key))
        repeated = known is not None and max(event.time_us, self.state.clock_us) < (
            known + self._engine.policy.settings.dedupe_window_us
        )
        self._about = ""
        made = self._alone.follow(self.state, event.time_us, self)
        made += self._engine.decide(self.state, event, line, self, learned=self._alone.learned)
        own = made[-1] if made and made[-1].event_id == event.id else None
        if own is not None and own.outcome is Outcome.REJECTED:
            self.left_out.append((line, own.detail or "rejected"))
            return
        self._releases(made[:-1] if own is not None else made)
        kind = _KIND_OF.get(event.type, "send")
        if repeated and kind != "send":
            self.left_out.append((line, "the same event came before"))
            return
        now_us = max(event.time_us, self.state.clock_us)
        step = Step(
            kind=kind,
            words=kind,
            position=NOWHERE,
            event_type=event.type,
            id=self._id(event, kind),
            data=self._data(event, kind, line),
            late_us=_whole(now_us) - _whole(event.time_us) if kind == "send" else 0,
            about=self._about,
        )
        self._add(step, now_us, own, line)
        self._engine.prune(self.state)

    def _add(self, step: Step, now_us: int, decision: Decision | None, line: Line = _NO_LINE) -> None:
        while self.moments and self.moments[-1].at_us > _whole(now_us):  # a repetition moved no clock but the test's
            self.left_out.append((self.moments.pop().line, "the same event came before"))
        in_range = self._from_us is None or now_us >= self._from_us
        self.moments.append(Moment(step, _whole(now_us), in_range, decision, line))
        if decision is not None:
            self._note(decision)

    def _releases(self, made: Sequence[Decision]) -> None:
        """Time passes until each of them; what is released at one instant is one step, and the last one counts."""
        for time_us, group in groupby(made, key=lambda decision: decision.time_us or 0):
            released = list(group)
            for one in released:
                self._note(one)
            self._add(Step(kind="advance", words="advance", position=NOWHERE), time_us, released[-1])

    def _note(self, decision: Decision) -> None:
        if decision.message is not None:
            self._by_message[decision.message.id] = self._by_event.get(decision.event_id, "last")

    def _id(self, event: Event, kind: str) -> str:
        """The event's own id, so that draws and duplicates are the same; two sources may have used one twice."""
        if kind != "send":
            return ""
        name = self._names.get(event.key)
        if name is None:
            own = str(writable(event.id))
            name, number = own, 2
            while name in self._names.values():
                name, number = f"{own}-{number}", number + 1
            self._names[event.key] = self._by_event[event.id] = name
        return name

    def _data(self, event: Event, kind: str, line: Line) -> Mapping[str, object]:
        """What was written, as far as it is declared."""
        written = msgspec.json.decode(line.raw.removeprefix(_BOM)).get("data") or {}
        data = {name: writable(value) for name, value in written.items()}
        if any(data[name] != written[name] for name in event.data if name in written):
            self.rewritten.append(line)
        if kind == "send":
            declared = self._engine.policy.events[event.type].fields
            return {name: value for name, value in data.items() if name in declared and value is not None}
        if kind == "update":
            return {name: value for name, value in data.items() if name in event.data}
        if kind in _FEEDBACK:
            return {name: data[name] for name in FAILURE if name in event.data}
        return dict(event.data)

    def decided(self, work: Work, decision: Decision) -> None:
        """Decisions come with what the engine returns."""

    def responded(self, event: Event, send: Send) -> None:
        """Which message it is about: `last` where it is the newest that did not fail, else that of an earlier step."""
        bare = msgspec.structs.replace(event, data={})
        newest = target(self.state, bare, self.state.clock_us)
        self._about = "last" if newest is send else self._by_message.get(send.id.hex(), "last")


def _whole(us: int) -> int:
    """The nearest whole second: durations of tests are not finer."""
    return (us + _SECOND_US // 2) // _SECOND_US * _SECOND_US
