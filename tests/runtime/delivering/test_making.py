"""Channels from a policy: what the environment adds, what goes wrong, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from botopt.model import policy as declared
from botopt.model.channels import Channel, ChannelType, Option, OptionType, Surroundings
from botopt.model.durations import SECOND_US
from botopt.model.errors import UsageError
from botopt.model.policy import DeliverySettings, Policy, Value
from botopt.runtime.delivering.making import close_channels, make_channels
from tests.runtime.delivering.support import T

SECRET = "hunter2-hunter2"


class Fake(Channel):
    made: ClassVar[list[Fake]] = []

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        self.options, self.surroundings, self.closed = options, surroundings, False
        if options["mood"] == "quotes":
            raise ValueError(f"{options['token']} is too short")
        if options["mood"] == "breaks":
            raise RuntimeError(f"with {options['token']}")
        Fake.made.append(self)

    def close(self) -> None:
        self.closed = True


FAKE = ChannelType(
    name="fake",
    summary="",
    make=Fake,
    repeatable=True,
    options=(
        Option("token", OptionType.TEXT, "", required=True, secret=True),
        Option("url", OptionType.TEXT, "", default="https://x.example"),
        Option("mood", OptionType.TEXT, "", default="well"),
    ),
)
TYPES = {"fake": FAKE}


@pytest.fixture(autouse=True)
def none_made() -> None:
    Fake.made = []


def channel(
    name: str, *, delivery: DeliverySettings | None = None, type: str = "fake", **options: Value
) -> declared.Channel:
    given = tuple({"token": "${TOKEN}", **options}.items())
    return declared.Channel(name, type, given, delivery=delivery or DeliverySettings())


def of(*channels: declared.Channel) -> Policy:
    return Policy(channels={each.name: each for each in channels})


def make(policy: Policy, environment: Mapping[str, str] | None = None, **options):
    found = {"TOKEN": SECRET, "HOST": "h.example"} if environment is None else environment
    return make_channels(policy, found, lambda: T, types=TYPES, **options)


def test_a_channel_is_made_of_its_options_the_environment_and_its_surroundings():
    delivery = DeliverySettings(timeout_us=7 * SECOND_US // 2)
    found = make(of(channel("chat", url="https://${HOST}/x", delivery=delivery)), private_networks=True)["chat"]
    assert found.channel.options == {"token": SECRET, "url": "https://h.example/x", "mood": "well"}
    given = found.channel.surroundings
    assert (given.name, given.timeout_s, given.now_us(), given.private_networks) == ("chat", 3.5, T, True)
    assert (found.settings, found.facts.repeatable) == (delivery, True)
    assert SECRET not in repr(found)


def test_all_missing_names_are_told_at_once():
    policy = of(channel("chat", url="https://${HOST}/${PATH}"), channel("sms"))
    with pytest.raises(UsageError) as fault:
        make(policy, {"HOST": "h.example", "TOKEN": " "})
    assert str(fault.value).splitlines() == [
        "channels need these environment variables, which are not set:",
        '  TOKEN, for "token" of the channel "chat"',
        '  PATH, for "url" of the channel "chat"',
        '  TOKEN, for "token" of the channel "sms"',
    ]
    assert not Fake.made


def test_every_fault_is_told_without_a_secret_and_nothing_stays_open():
    policy = of(
        channel("good"),
        channel("quoting", mood="quotes"),
        channel("breaking", mood="breaks"),
        channel("strange", type="pigeon"),
    )
    with pytest.raises(UsageError) as fault:
        make(policy)
    assert str(fault.value).splitlines() == [
        'the channel "quoting": ${TOKEN} is too short',
        'the channel "breaking" cannot be made: RuntimeError',
        'the channel "strange" is of the type pigeon, which is not installed',
    ]
    assert [each.closed for each in Fake.made] == [True]


def test_what_is_the_same_is_kept():
    first = make(of(channel("chat"), channel("sms"), channel("web", url="https://${HOST}")))
    faster = DeliverySettings(concurrency=9)
    environment = {"TOKEN": SECRET, "HOST": "other.example"}
    policy = of(channel("chat"), channel("sms", delivery=faster), channel("web", url="https://${HOST}"))
    second = make(policy, environment, running=first)
    assert {name: second[name] is first[name] for name in second} == {"chat": True, "sms": False, "web": False}
    assert make(policy, environment, running=second, private_networks=True)["chat"] is not first["chat"]


def test_a_refused_change_leaves_running_channels_open():
    first = make(of(channel("chat")))
    with pytest.raises(UsageError):
        make(of(channel("chat"), channel("new"), channel("bad", mood="breaks")), running=first)
    assert [each.closed for each in Fake.made] == [False, True]


def test_a_channel_that_fails_to_close_is_in_nobodys_way():
    class Sticky(Fake):
        def close(self) -> None:
            raise OSError("no")

    first = make(of(channel("chat"), channel("sms")))
    sticky = Sticky({"mood": "well"}, first["chat"].channel.surroundings)
    both = [type(first["sms"])("x", DeliverySettings(), first["sms"].facts, sticky, b""), first["sms"]]
    close_channels(both)
    assert first["sms"].channel.closed
