"""From the policy's channels to channels that can send: their options, with what the environment adds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b

import msgspec

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.model import policy as declared
from botopt.model.channels import Channel, ChannelType, Surroundings
from botopt.model.errors import UsageError
from botopt.model.policy import SECOND_US, DeliverySettings, Policy, Value
from botopt.runtime.clock import Clock
from botopt.runtime.delivering.transitions import Facts

_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Made(msgspec.Struct, frozen=True, eq=False):
    """A channel that can send. `identity` is a digest of all that it was made from: equal ones do the same."""

    name: str
    settings: DeliverySettings
    facts: Facts
    channel: Channel
    identity: bytes


def make_channels(
    policy: Policy,
    environ: Mapping[str, str],
    now_us: Clock,
    *,
    private_networks: bool = False,
    types: Mapping[str, ChannelType] = CHANNEL_TYPES,
    running: Mapping[str, Made] | None = None,
) -> Mapping[str, Made]:
    """The channels of a policy, by name. One of `running` that would be made of the same things is taken over.

    Args:
        policy: its channels.
        environ: where `${NAME}` is looked up.
        now_us: the clock that channels are given.
        private_networks: whether channels may send to addresses that are not public.
        types: the channel types.
        running: what was made before.

    Raises:
        UsageError: names that the environment lacks, all at once; or what channels say about their options.
    """
    resolved = _resolved(policy, environ)
    made: dict[str, Made] = {}
    faults: list[str] = []
    for name, channel in policy.channels.items():
        environment = _Environment(environ)
        try:
            made[name] = _made(channel, resolved[name], now_us, private_networks, types, running or {})
        except UsageError as fault:
            faults.append(environment.hidden(str(fault), channel))
        except ValueError as fault:
            faults.append(f'the channel "{name}": {environment.hidden(str(fault), channel)}')
        except Exception as fault:  # noqa: BLE001  # another package's; its words may quote a secret
            faults.append(f'the channel "{name}" cannot be made: {type(fault).__name__}')
    if faults:
        close_channels(each for name, each in made.items() if each is not (running or {}).get(name))
        raise UsageError("\n".join(faults))
    return made


def close_channels(made: Iterable[Made]) -> None:
    """Let go of channels that nobody uses."""
    for each in made:
        with suppress(Exception):  # whatever it says, it is not needed any more
            each.channel.close()


class _Environment:
    """What the environment holds, to be looked up and to be kept out of sight."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def missing(self, value: object) -> list[str]:
        return [name for name in _names(value) if not self._environ.get(name)]

    def filled(self, value: Value) -> Value:
        return _replaced(value, lambda name: self._environ[name])

    def hidden(self, text: str, channel: declared.Channel) -> str:
        """A sentence in which values of this channel's names are names again."""
        found = {name: self._environ.get(name, "") for name in _names(dict(channel.options))}
        for name, value in sorted(found.items(), key=lambda item: -len(item[1])):
            if value:
                text = text.replace(value, f"${{{name}}}")
        return text


def _resolved(policy: Policy, environ: Mapping[str, str]) -> Mapping[str, Mapping[str, Value]]:
    environment = _Environment(environ)
    missing = [
        f'  {missed}: the channel "{channel.name}" needs it for "{option}"'
        for channel in policy.channels.values()
        for option, value in channel.options
        for missed in environment.missing(value)
    ]
    if missing:
        words = "this environment variable is" if len(missing) == 1 else "these environment variables are"
        raise UsageError("\n".join([f"{words} not set, or empty:", *dict.fromkeys(missing)]))
    return {
        channel.name: {option: environment.filled(value) for option, value in channel.options}
        for channel in policy.channels.values()
    }


def _made(
    channel: declared.Channel,
    options: Mapping[str, Value],
    now_us: Clock,
    private_networks: bool,
    types: Mapping[str, ChannelType],
    running: Mapping[str, Made],
) -> Made:
    settings = channel.delivery
    identity = _identity(channel, options, private_networks)
    before = running.get(channel.name)
    if before is not None and before.identity == identity:
        return before
    found = types.get(channel.type)
    if found is None:
        raise UsageError(f'the channel "{channel.name}": there is no channel type "{channel.type}"')
    surroundings = Surroundings(channel.name, settings.timeout_us / SECOND_US, now_us, private_networks)
    defaults = {option.name: option.default for option in found.options}
    made = found.make({**defaults, **options}, surroundings)
    return Made(channel.name, settings, Facts(found.repeatable), made, identity)


def _identity(channel: declared.Channel, options: Mapping[str, Value], private_networks: bool) -> bytes:
    parts = (channel.name, channel.type, channel.delivery, sorted(options.items()), private_networks)
    return blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=16).digest()


def _names(value: object) -> list[str]:
    """The names in `${NAME}`, wherever they stand."""
    if isinstance(value, str):
        return _NAMED.findall(value)
    if isinstance(value, list):
        return [name for each in value for name in _names(each)]
    if isinstance(value, dict):
        return [name for each in value.values() for name in _names(each)]
    return []


def _replaced(value: Value, by: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return _NAMED.sub(lambda found: by(found[1]), value)
    if isinstance(value, list):
        return [_replaced(each, by) for each in value]  # type: ignore[arg-type]  # options hold values all the way down
    if isinstance(value, dict):
        return {name: _replaced(each, by) for name, each in value.items()}  # type: ignore[arg-type]
    return value
