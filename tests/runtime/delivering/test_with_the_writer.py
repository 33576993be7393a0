"""The postman with the real writer over a state file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botopt.model.delivery import Delivered, Failed
from botopt.model.durations import DAY_US
from botopt.model.event import Event
from botopt.model.live import OutboxQuery, OutboxRow
from botopt.model.policy import DeliverySettings
from botopt.runtime.clock import now_us
from botopt.runtime.delivering.making import Made
from botopt.runtime.delivering.postman import Postman
from botopt.runtime.delivering.world import World
from botopt.runtime.service import Listeners, Service
from botopt.state.opening import open_control, open_live, open_reader
from tests.engine.support import base
from tests.runtime.delivering.support import Scripted, Witness, made, until
from tests.runtime.making import policy_of

FALLBACK = DeliverySettings(fallback="sms")


class House:
    """A service with its delivery, over one state file, by real clocks."""

    def __init__(self, path: Path, **channels: Made) -> None:
        self.path = path
        self.seen = Witness()
        self.policy = policy_of(base(""))
        self.service = Service(
            lambda: open_live(path),
            lambda: open_reader(path),
            self.policy,
            clock=now_us,
            listeners=Listeners(outbox=self._woken),
        )
        world = World(
            self.service,
            next_us=self.service.next_us,
            now_us=now_us,
            monotonic_us=lambda: time.monotonic_ns() // 1_000,
            chance=lambda: 0.0,
            link_for=lambda id, number, link: link,
            watching=self.seen,
        )
        self.postman = Postman(world)
        self.service.start()
        self.reader = open_reader(path)
        self.channels = channels

    def deliver(self) -> None:
        self.postman.start(self.policy, self.channels)

    def happen(self, *users: str) -> None:
        events = [Event(f"event of {user}", "", "a", user, now_us(), {"n": 0}) for user in users]
        received = self.service.receive(events, received_us=now_us(), read_by=self.policy.revision).result(20)
        assert [each.decisions[-1].outcome for each in received] == ["sent"] * len(users)

    def rows(self, user: str) -> Mapping[str, OutboxRow]:
        return {row.channel: row for row in self.reader.outbox(OutboxQuery(user=user))}

    def statuses(self, user: str) -> Mapping[str, str]:
        return {channel: row.status.value for channel, row in self.rows(user).items()}

    def responses(self, user: str) -> list[object]:
        known = self.service.known_user(user)
        assert known is not None
        return [message["response"] for message in known["messages"]]

    def _woken(self, channels: frozenset[str] | None) -> None:
        for channel in channels or self.channels:
            self.postman.wake(channel)


@contextmanager
def house(folder: Path, **channels: Made) -> Iterator[House]:
    place = House(folder / "state.db", **channels)
    try:
        yield place
    finally:
        place.postman.stop(5)
        place.service.stop(5)
        place.reader.close()


def test_every_message_is_delivered_once_and_nothing_is_left(tmp_path):
    chat = Scripted(Failed("HTTP 503", retryable=True), Delivered())
    with house(tmp_path, chat=made(chat)) as place:
        place.deliver()
        users = [f"u{number}" for number in range(300)]
        place.happen(*users)
        until(lambda: not place.reader.outbox_counts())
        assert sorted(Counter(each.user for each in chat.sent).values()) == [1] * 299 + [2]
        assert not place.seen.troubles


def test_what_no_channel_delivers_is_taken_back(tmp_path):
    with house(tmp_path, chat=made(Scripted(Failed("HTTP 400")))) as place:
        place.deliver()
        place.happen("ada")
        until(lambda: place.statuses("ada") == {"chat": "dead"})
        until(lambda: place.responses("ada") == ["failed"])


def test_a_fallback_sends_once_even_if_a_person_has_the_first_channel_try_again(tmp_path):
    chat, sms = Scripted(Failed("HTTP 400")), Scripted()
    with house(tmp_path, chat=made(chat, settings=FALLBACK), sms=made(sms, "sms")) as place:
        place.deliver()
        place.happen("ada")
        ends = {"chat": "dead", "sms": "delivered"}
        until(lambda: place.statuses("ada") == ends)
        with open_control(place.path) as control:
            assert control.retry_outbox([place.rows("ada")["chat"].key], now_us(), "somebody") == 1
        place.postman.wake_all()
        until(lambda: len(chat.sent) == 2 and place.statuses("ada") == ends)
        assert len(sms.sent) == 1
        assert place.responses("ada") == ["pending"]


def test_a_cap_that_a_fallback_makes_good_is_learnt_and_the_message_counts(tmp_path):
    capped = Failed("WhatsApp takes no more", capped_until_us=now_us() + DAY_US)
    chat, sms = Scripted(capped), Scripted()
    with house(tmp_path, chat=made(chat, settings=FALLBACK), sms=made(sms, "sms")) as place:
        place.deliver()
        place.happen("ada")
        until(lambda: place.statuses("ada") == {"chat": "dead", "sms": "delivered"})
        assert place.responses("ada") == ["pending"]
        known = place.service.known_user("ada")
        assert list(known["capped_by_provider"]) == ["chat"]


def test_attempts_that_a_crash_cut_off(tmp_path):
    with house(tmp_path, chat=made(Scripted())) as place:
        place.happen("ada", "bob")
        assert len(place.service.claim("chat", 2).result(20)) == 2  # and nobody ever concludes it
    chat = Scripted()
    with house(tmp_path, chat=made(chat)) as place:
        place.deliver()
        until(lambda: place.statuses("ada") == place.statuses("bob") == {"chat": "unsure"})
        assert not chat.sent
        assert place.responses("ada") == ["pending"]


def test_attempts_that_a_crash_cut_off_are_made_again_where_repeats_are_absorbed(tmp_path):
    with house(tmp_path, chat=made(Scripted())) as place:
        place.happen("ada")
        (claimed,) = place.service.claim("chat", 2).result(20)
    chat = Scripted()
    with house(tmp_path, chat=made(chat, repeatable=True)) as place:
        place.deliver()
        until(lambda: place.statuses("ada") == {"chat": "delivered"})
        assert [(each.key, each.attempt) for each in chat.sent] == [(claimed.row.key, 2)]
