"""The engine for programs: load a policy, decide events, replay lines; nothing is delivered or kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.model.decision import Decision
from botopt.model.event import Event, Line
from botopt.model.policy import Policy
from botopt.model.user_state import UserState, pack, unpack
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.replay import Decided, Replay


class _Compiled:
    """A policy as a key: the same object, not an equal one."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Compiled) and other.policy is self.policy


@lru_cache(maxsize=8)
def _engine(key: _Compiled) -> Engine:
    return build(key.policy)


def decide(policy: Policy, state: UserState, event: Event) -> tuple[tuple[Decision, ...], UserState]:
    """The records that an event of one user leads to, and the user's state after it.

    `state` is left as it is. Messages that were held and are due by then come first. A new user's state is
    `State()`.
    """
    engine = _engine(_Compiled(policy))
    after = unpack(pack(state))
    decisions = engine.decide(after, event)
    engine.prune(after)
    return tuple(decisions), after


def replay(policy: Policy, lines: Iterable[bytes | str]) -> Iterator[Decision]:
    """The records of a run over lines of JSON, from empty states; at the end what is due is released."""
    raw = (line.encode() if isinstance(line, str) else line for line in lines)
    numbered = (Line(number, line.rstrip(b"\r\n")) for number, line in enumerate(raw, 1))
    run = Replay(_engine(_Compiled(policy)), Decoder(policy), MemoryStore())
    for item in run.run(numbered):
        if isinstance(item, Decided):
            yield item.decision
