"""One channel at work: a thread that claims what is due, gives it to the crew, and writes down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from contextlib import suppress
from threading import Condition, Thread

import msgspec

from botopt.model.delivery import Failed, Receipt
from botopt.model.durations import SECOND_US
from botopt.model.errors import BotoptError
from botopt.model.live import OutboxStatus
from botopt.runtime.delivering.breaker import Breaker
from botopt.runtime.delivering.conclusions import Conclusions
from botopt.runtime.delivering.crew import Attempt, Crew
from botopt.runtime.delivering.gate import Gate
from botopt.runtime.delivering.limiter import Limiter
from botopt.runtime.delivering.making import Made
from botopt.runtime.delivering.outgoing import outgoing
from botopt.runtime.delivering.receipts import sound
from botopt.runtime.delivering.transitions import Transition, after, is_due, out_of_time, released
from botopt.runtime.delivering.watching import ChannelStatus
from botopt.runtime.delivering.world import World
from botopt.runtime.items import Claimed

LONGEST_SLEEP_US = 5 * SECOND_US
"""A channel looks again after this, whatever it was told: clocks jump, and administrators write past the service."""

LIMIT_TIMES, LIMIT_EXTRA_US = 2, 5 * SECOND_US
"""A thread that is not back after so many timeouts and a little is written off: channels keep their own timeouts."""

_FIRST_TROUBLE_US = SECOND_US // 10
_FIRST_IDLE_US, _LONGEST_IDLE_US = SECOND_US // 1_000, SECOND_US // 50
_LONGEST_TROUBLE_US = LONGEST_SLEEP_US
_MOST_HANDED_OVER = 20
"""At a time, to the channel that takes over. Few, because a crash leaves them in doubt."""

_MOST_UNWRITTEN = 100
"""Results that are not on the disk, before nothing more is claimed."""

_ANSWER_S = 1.0
"""How long a look at the writer's answer lasts, before it is seen whether this had to end already."""


class Lane:
    """One channel at work, until `stop`. A message is claimed only when a thread can begin it."""

    def __init__(self, made: Made, world: World, limiter: Limiter | None = None) -> None:
        settings = made.settings
        self.made = made
        self.limiter = Limiter(settings.messages, settings.per_us) if limiter is None else limiter
        self._world = world
        self._gate = Gate(self.limiter)
        self._changed = Condition()
        self._news = False
        self._leaving = False
        """Nothing more is claimed."""
        self._until_us: int | None = None
        """Then it ends whatever is not over (monotonic)."""
        self._empty = 0
        self._troubles = 0
        self._told_state = Breaker.CLOSED
        self._told_stuck = 0
        limit_us = LIMIT_TIMES * settings.timeout_us + LIMIT_EXTRA_US
        self._crew = Crew(made.name, settings.concurrency, limit_us, self._send, world.monotonic_us, self.wake)
        self._conclusions = Conclusions(world.writing, self.wake)
        self._thread = Thread(target=self._run, name=f"botopt channel {made.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def leave(self) -> None:
        """Claim nothing more, and end when what runs is over and written, however long that takes."""
        with self._changed:
            self._leaving = True
        self.wake()

    def stop(self, within_us: int) -> None:
        """Claim nothing more, and end when what runs is over and written, at the latest after so long."""
        with self._changed:
            self._leaving = True
            until_us = self._world.monotonic_us() + within_us
            self._until_us = until_us if self._until_us is None else min(self._until_us, until_us)
        self.wake()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; whether it came."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether it has stopped."""
        return self._leaving and not self._thread.is_alive()

    def status(self) -> ChannelStatus:
        """How the channel does."""
        with self._changed:
            state, paused_us = self._gate.state, self._gate.paused_us(self._world.monotonic_us())
        return ChannelStatus(
            name=self.made.name,
            breaker=state,
            running=self._crew.running,
            paused_us=paused_us,
            unwritten=self._conclusions.unwritten,
            stuck=self._crew.stuck,
            blocked=self._crew.blocked,
            draining=self._leaving,
        )

    def _run(self) -> None:
        while not self._is_over():
            wait_us = self._step()
            with self._changed:
                if not self._news and wait_us > 0:
                    self._changed.wait(wait_us / SECOND_US)
                self._news = False
        self._crew.close()
        with suppress(Exception):  # nobody needs it any more, whatever it says
            self.made.channel.close()

    def _is_over(self) -> bool:
        if not self._leaving:
            return False
        done = self._crew.resting and not self._conclusions.unwritten
        return done or (self._until_us is not None and self._world.monotonic_us() >= self._until_us)

    def _step(self) -> int:
        """All that can be done now; how long until there may be more, if nothing happens before."""
        try:
            self._conclude()
            wait_us = self._claim()
        except Exception as fault:  # noqa: BLE001  # a channel goes on, whatever ails the state file
            wait_us = self._trouble(fault)
        if self._is_over():
            return 0
        now_us = self._world.monotonic_us()
        times = [self._crew.wait_us(), self._conclusions.wait_us(now_us)]
        if self._until_us is not None:
            times.append(max(self._until_us - now_us, 0))
        return min([wait_us, LONGEST_SLEEP_US, *(each for each in times if each is not None)])

    # ------------------------------------------------------------ what is due

    def _claim(self) -> int:
        """Claim what can be begun; how long until there may be more."""
        if self._leaving:
            self._give_back([attempt.claimed for attempt in self._crew.take_back()])
            return LONGEST_SLEEP_US
        if self._conclusions.unwritten >= _MOST_UNWRITTEN:
            return LONGEST_SLEEP_US
        free = self._crew.free
        if not free:
            return LONGEST_SLEEP_US
        with self._changed:
            most, wait_us = self._gate.free(self._world.monotonic_us(), free)
        self._tell()
        if not most:
            return min(wait_us or LONGEST_SLEEP_US, self._hand_over())
        next_us, now_us = self._world.next_us(self.made.name), self._world.now_us()
        if next_us is None:
            return LONGEST_SLEEP_US
        if not is_due(next_us, now_us):
            return next_us - now_us
        if self._begin(most):
            self._empty = 0
            return 0
        if next_us > now_us:  # a clock that was set back had put it off, and the writer sees to that
            return LONGEST_SLEEP_US
        # What was due was withdrawn, and more may be. If not, this must not go round and round.
        self._empty += 1
        return min(_FIRST_IDLE_US << min(self._empty // 8, 16), _LONGEST_IDLE_US)

    def _hand_over(self) -> int:
        """While the platform is down: what has waited for as long as it would have been tried goes to the channel that
        takes over. How long until there may be more.
        """
        settings = self.made.settings
        with self._changed:
            down = self._gate.state is not Breaker.CLOSED or self._gate.paused_us(self._world.monotonic_us()) > 0
        if settings.fallback is None or not down:
            return LONGEST_SLEEP_US
        next_us, now_us = self._world.next_us(self.made.name), self._world.now_us()
        if next_us is None:
            return LONGEST_SLEEP_US
        due_us = now_us - settings.retry_for_us
        if next_us > due_us:
            return next_us - due_us
        claimed = self._claimed(_MOST_HANDED_OVER, due_us)
        for each in claimed:
            self._conclusions.claimed_again(each.row.key)
            self._conclusions.add(out_of_time(each.row, settings, now_us))
        return 0 if claimed else LONGEST_SLEEP_US

    def _begin(self, most: int) -> int:
        """Claim messages and begin to send them; how many."""
        self.limiter.reserve(most)
        claimed: Sequence[Claimed] = ()
        try:
            claimed = self._claimed(most)
        finally:
            self.limiter.give_back(most - len(claimed))
        self._troubles = 0
        if self._leaving:
            self._give_back(claimed)
            return len(claimed)
        for number, each in enumerate(claimed):
            self._conclusions.claimed_again(each.row.key)
            with self._changed:
                ticket = self._gate.begin()
            try:
                self._crew.give(Attempt(each, ticket))
            except RuntimeError:  # the system gives no more threads
                with self._changed:
                    self._gate.unused(ticket)
                self._give_back(claimed[number:])
                raise
        return len(claimed)

    def _claimed(self, most: int, due_us: int | None = None) -> Sequence[Claimed]:
        """What the writer has claimed. Nothing where this has to end and the writer does not answer."""
        future = self._world.writing.claim(self.made.name, most, self.made.settings.to, due_us)
        while not wait([future], _ANSWER_S).done:
            if self._until_us is not None and self._world.monotonic_us() >= self._until_us and future.cancel():
                return ()  # else the writer has begun with it, and answers
        return future.result()

    def _give_back(self, claimed: Sequence[Claimed]) -> None:
        """These were claimed, and are not tried now."""
        self.limiter.give_back(len(claimed))
        for each in claimed:
            self._conclusions.add(Transition((released(each.row, self._world.now_us()),)))
        if claimed:
            self._conclude()

    # ------------------------------------------------------------ attempts and what they lead to

    def _send(self, attempt: Attempt) -> Receipt:
        """Make an attempt, in a thread of the crew."""
        try:
            message = outgoing(attempt.claimed, self.made.settings.to, self._world.times, self._world.link_for)
        except Exception as fault:  # noqa: BLE001  # nothing was sent: this is no doubt about the message's fate
            message = Failed(f"the message could not be prepared: {type(fault).__name__}")
        if isinstance(message, Failed):
            self.limiter.give_back()
            return message
        self.limiter.use(self._world.monotonic_us())
        attempt.asked = True
        return sound(self.made.channel.send(message))

    def _conclude(self) -> None:
        for attempt in self._crew.over():
            try:
                self._over(attempt)
            except Exception as fault:  # noqa: BLE001  # it stays claimed; the others must not suffer
                self._tell_trouble("the result of an attempt could not be read", fault)
        before = self._conclusions.fault
        for row in self._conclusions.write(self._world.monotonic_us()):
            if row.status is OutboxStatus.PENDING:
                self._world.wake(row.channel)  # another one, or what replaced this one
            if row.channel == self.made.name:
                with suppress(Exception):
                    self._world.watching.concluded(row)
        after_it = self._conclusions.fault
        if after_it is not None and after_it is not before:
            self._tell_trouble("results could not be written", after_it)
        self._tell()

    def _over(self, attempt: Attempt) -> None:
        receipt, row = attempt.receipt, attempt.claimed.row
        assert receipt is not None
        with self._changed:
            self._gate.over(attempt.ticket, receipt, self._world.monotonic_us(), asked=attempt.asked)
        if attempt.claimed.address is not None:
            row = msgspec.structs.replace(row, address=attempt.claimed.address)
        now_us, chance = self._world.now_us(), self._world.chance()
        self._conclusions.add(after(row, receipt, self.made.settings, self.made.facts, now_us, chance))
        if attempt.asked:
            with suppress(Exception):  # who looks on must not be in the way
                self._world.watching.attempted(row, attempt.took_us)

    # ------------------------------------------------------------ what others see

    def _tell(self) -> None:
        state, stuck = self._gate.state, self._crew.stuck
        with suppress(Exception):
            if state is not self._told_state:
                self._told_state = state
                self._world.watching.breaker(self.made.name, state)
            if stuck != self._told_stuck:
                self._told_stuck = stuck
                self._world.watching.stuck(self.made.name, stuck)

    def _trouble(self, fault: Exception) -> int:
        self._troubles += 1
        self._tell_trouble("messages could not be claimed", fault)
        return min(_FIRST_TROUBLE_US << min(self._troubles, 16), _LONGEST_TROUBLE_US)

    def _tell_trouble(self, what: str, fault: BaseException) -> None:
        """Our own faults are sentences; of others only the kind is told, for they may quote anything."""
        words = str(fault) if isinstance(fault, BotoptError) else type(fault).__name__
        with suppress(Exception):
            self._world.watching.trouble(self.made.name, f"{what}: {words}")
