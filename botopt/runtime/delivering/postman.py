"""All channels at work: started, changed with the policy, looked at, and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from botopt.model.channels import Channel
from botopt.model.durations import SECOND_US
from botopt.model.live import OutboxRow
from botopt.model.policy import DeliverySettings, Policy
from botopt.runtime.delivering.lane import Lane
from botopt.runtime.delivering.limiter import Limiter
from botopt.runtime.delivering.making import Made, close_channels
from botopt.runtime.delivering.outgoing import time_fields
from botopt.runtime.delivering.transitions import Facts, after_crash
from botopt.runtime.delivering.watching import ChannelStatus
from botopt.runtime.delivering.world import World

_LAST_WORDS_S = 3.0
"""After the deadline, for threads to see that it has passed."""

_UNKNOWN = DeliverySettings(), Facts()


class Postman:
    """Delivers what the outbox holds, each channel in threads of its own. Any thread may call these methods.

    A message on a channel that the policy does not have waits, until the policy has it again, the message is dropped
    by a person, or it expires.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        world.wake = self.wake
        self._lock = Lock()
        self._lanes: dict[str, Lane] = {}
        self._leaving: list[Lane] = []
        self._stopped = False

    def start(self, policy: Policy, made: Mapping[str, Made]) -> None:
        """Settle what an earlier process left behind, then deliver.

        Raises:
            botopt.model.errors.BotoptError: what the writer says, if it cannot write.
        """
        writing, now_us = self._world.writing, self._world.now_us()
        rows = writing.unfinished()
        if rows:
            writing.conclude([_settled(row, made, now_us) for row in rows]).result()
        self.change(policy, made)

    def change(self, policy: Policy, made: Mapping[str, Made]) -> None:
        """Deliver by another policy. Channels that are the same go on; the others finish what they have begun."""
        with self._lock:
            if self._stopped:
                close_channels(each for name, each in made.items() if name not in self._lanes)
                return
            self._leaving = [lane for lane in self._leaving if not lane.ended]
            self._world.times = time_fields(policy)
            before, lanes, new = dict(self._lanes), dict[str, Lane](), []
            for name, each in made.items():
                old = before.get(name)
                if old is not None and old.made is each:
                    lanes[name] = before.pop(name)
                else:
                    lanes[name] = Lane(each, self._world, _limiter(old, each))
                    new.append(lanes[name])
            self._lanes = lanes  # at once: who wakes a channel, or brings it a callback, does not wait for this
            for old in before.values():
                old.leave()  # each attempt ends, or is written off
                self._leaving.append(old)
            for lane in new:
                lane.start()

    def wake(self, channel: str) -> None:
        """There is something new for this channel, or there may be."""
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.wake()

    def wake_all(self) -> None:
        """There may be something new anywhere: an administrator has been at the outbox, or the clock has jumped."""
        for lane in tuple(self._lanes.values()):
            lane.wake()

    @property
    def made(self) -> Mapping[str, Made]:
        """The channels that deliver now, for `make_channels` to keep what stays the same."""
        with self._lock:
            return {name: lane.made for name, lane in self._lanes.items()}

    def channel(self, name: str) -> Channel | None:
        """The channel of this name, for what its platform tells us."""
        lane = self._lanes.get(name)
        return None if lane is None else lane.made.channel

    def status(self) -> tuple[ChannelStatus, ...]:
        """How the channels do, by name; those of a policy that was replaced come last, while they finish."""
        with self._lock:
            lanes = [self._lanes[name] for name in sorted(self._lanes)]
            lanes += [lane for lane in self._leaving if not lane.ended]
        return tuple(lane.status() for lane in lanes)

    def stop(self, within_s: float) -> int:
        """Begin nothing more, and let what runs finish within so many seconds.

        Returns:
            How many attempts were still going on. Their messages stay claimed: nobody knows their fate.
        """
        with self._lock:
            self._stopped = True
            lanes = [*self._lanes.values(), *self._leaving]
        within_us = round(within_s * SECOND_US)
        until_us = self._world.monotonic_us() + within_us
        for lane in lanes:
            lane.stop(within_us)
        for lane in lanes:
            left_us = max(until_us - self._world.monotonic_us(), 0)
            lane.join(left_us / SECOND_US + _LAST_WORDS_S)
        return sum(lane.status().running for lane in lanes)


def _limiter(old: Lane | None, made: Made) -> Limiter | None:
    """What the old channel sent counts against the new one's rate."""
    if old is None:
        return None
    old.limiter.change(made.settings.messages, made.settings.per_us)
    return old.limiter


def _settled(row: OutboxRow, made: Mapping[str, Made], now_us: int) -> OutboxRow:
    known = made.get(row.channel)
    settings, facts = _UNKNOWN if known is None else (known.settings, known.facts)
    return after_crash(row, settings, facts, now_us)
