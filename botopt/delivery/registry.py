"""The channel types: ours, each in a file of its own, and those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from botopt.model.channels import ChannelType
from botopt.model.errors import UsageError

GROUP = "botopt.channels"
"""The entry points by which other packages add channel types: `name = "package.module:TYPE"`."""

BUILT_IN = (
    "apprise",
    "console",
    "dialogflow_cx",
    "dialogflow_es",
    "email",
    "file",
    "koreai",
    "rasa",
    "slack",
    "teams",
    "twilio",
    "webhook",
)


class ChannelTypes(Mapping[str, ChannelType]):
    """Channel types by name. A type's file is imported when the type is asked for."""

    def __getitem__(self, name: str) -> ChannelType:
        if name in BUILT_IN:
            return _built_in(name)
        entry = _others().get(name)
        if entry is None:
            raise KeyError(name)
        return _loaded(entry)

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in _others()

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from (name for name in _others() if name not in BUILT_IN)

    def __len__(self) -> int:
        return sum(1 for _ in self)


CHANNEL_TYPES = ChannelTypes()


@cache
def _built_in(name: str) -> ChannelType:
    found: ChannelType = import_module(f"botopt.delivery.{name}").TYPE
    return found


@cache
def _others() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@cache
def _loaded(entry: EntryPoint) -> ChannelType:
    try:
        found = entry.load()
    except Exception as fault:  # whatever another package raises, its name must be said
        raise UsageError(f'the channel type "{entry.name}" cannot be loaded from {entry.value}: {fault}') from fault
    if not isinstance(found, ChannelType):
        raise UsageError(f'the channel type "{entry.name}": {entry.value} is not a botopt.model.channels.ChannelType')
    return found
