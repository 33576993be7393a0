"""From a channel of the policy to one that sends."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.model import policy
from botopt.model.channels import Channel, ChannelType, Surroundings
from botopt.model.errors import UsageError
from botopt.model.options import filled


def make_channel(
    channel: policy.Channel,
    surroundings: Surroundings,
    environment: Mapping[str, str],
    types: Mapping[str, ChannelType] = CHANNEL_TYPES,
) -> Channel:
    """The channel, with the values that its `${NAME}` have in the environment.

    Raises:
        UsageError: it cannot be made, and why; no value of an option is in the sentence.
    """
    found = types.get(channel.type)
    if found is None:
        raise UsageError(f'the channel "{channel.name}" is of the type {channel.type}, which is not installed')
    try:
        return found.make(filled(found, dict(channel.options), environment), surroundings)
    except ValueError as fault:
        raise UsageError(f'the channel "{channel.name}": {fault}') from None
