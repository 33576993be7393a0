"""From the policy's channels to channels that can send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b

import msgspec

from botopt.delivery.making import make_channel
from botopt.delivery.registry import CHANNEL_TYPES
from botopt.model import policy as declared
from botopt.model.channels import Channel, ChannelType, Surroundings
from botopt.model.durations import SECOND_US
from botopt.model.errors import UsageError
from botopt.model.options import names_in
from botopt.model.policy import DeliverySettings, Policy
from botopt.runtime.clock import Clock
from botopt.runtime.delivering.transitions import Facts


class Made(msgspec.Struct, frozen=True, eq=False):
    """A channel that can send. `identity` is a digest of all that it was made from: equal ones do the same."""

    name: str
    settings: DeliverySettings
    facts: Facts
    channel: Channel
    identity: bytes


def make_channels(
    policy: Policy,
    environment: Mapping[str, str],
    now_us: Clock,
    *,
    private_networks: bool = False,
    types: Mapping[str, ChannelType] = CHANNEL_TYPES,
    running: Mapping[str, Made] | None = None,
) -> Mapping[str, Made]:
    """The channels of a policy, by name. One of `running` that would be made of the same things is taken over.

    Args:
        policy: its channels.
        environment: where `${NAME}` is looked up.
        now_us: the clock that channels are given.
        private_networks: whether channels may send to addresses that are not public.
        types: the channel types.
        running: what was made before.

    Raises:
        UsageError: the names that the environment lacks, all of them; or what is wrong with channels, a line for each.
            No value of the environment is in it.
    """
    _require_names(policy, environment)
    before = {} if running is None else running
    made: dict[str, Made] = {}
    faults: list[str] = []
    for name, channel in policy.channels.items():
        identity = _identity(channel, environment, private_networks=private_networks)
        if name in before and before[name].identity == identity:
            made[name] = before[name]
            continue
        surroundings = Surroundings(name, channel.delivery.timeout_us / SECOND_US, now_us, private_networks)
        try:
            can_send = make_channel(channel, surroundings, environment, types)
        except UsageError as fault:
            faults.append(_hidden(str(fault), channel, environment))
        except Exception as fault:  # noqa: BLE001  # another package's: its words may quote a secret
            faults.append(f'the channel "{name}" cannot be made: {type(fault).__name__}')
        else:
            facts = Facts(types[channel.type].repeatable)
            made[name] = Made(name, channel.delivery, facts, can_send, identity)
    if faults:
        close_channels(each for name, each in made.items() if each is not before.get(name))
        raise UsageError("\n".join(faults))
    return made


def close_channels(made: Iterable[Made]) -> None:
    """Let go of channels that nobody uses."""
    for each in made:
        with suppress(Exception):  # whatever it says, it is not needed any more
            each.channel.close()


def _require_names(policy: Policy, environment: Mapping[str, str]) -> None:
    missing = [
        f'  {name}, for "{option}" of the channel "{channel.name}"'
        for channel in policy.channels.values()
        for option, value in channel.options
        for name in names_in({option: value})
        if not environment.get(name, "").strip()
    ]
    if missing:
        raise UsageError("\n".join(["channels need these environment variables, which are not set:", *missing]))


def _identity(channel: declared.Channel, environment: Mapping[str, str], *, private_networks: bool) -> bytes:
    named = {name: environment[name] for name in names_in(dict(channel.options))}
    parts = (channel.name, channel.type, channel.options, channel.delivery, named, private_networks)
    return blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=16).digest()


def _hidden(text: str, channel: declared.Channel, environment: Mapping[str, str]) -> str:
    """A sentence in which values of the environment are names again, should a channel quote one."""
    values = {environment[name]: name for name in names_in(dict(channel.options))}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, f"${{{values[value]}}}")
    return text
