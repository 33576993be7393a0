"""From a row about a user to the events that say the same: `user.updated`, `user.subscribed`, `user.unsubscribed`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b

import msgspec

from botopt.model.condition import ValueType
from botopt.model.errors import InputError
from botopt.model.event import Event, Rejected
from botopt.model.instants import instant_text
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import FieldSpec, Policy
from botopt.model.values import shown
from botopt.sources.envelope import Decoder
from botopt.sources.table import TableRow, Wrong

EVERYTHING = "everything"
"""In the columns `subscribed` and `unsubscribed`: every category and channel."""

_WORDS = ("subscribed", "unsubscribed")
_SEPARATORS = re.compile(r"[;,|]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_YES = frozenset(("true", "yes", "1"))
_NO = frozenset(("false", "no", "0"))


class PeopleReader:
    """Reads rows for one policy.

    Args:
        policy: whose attributes, categories and channels the columns may name.
        ignored: columns that are passed over.
        again: part of the events' ids: the same row with another `again` counts as something new.
    """

    def __init__(self, policy: Policy, ignored: Sequence[str] = (), again: str = "") -> None:
        self._policy = policy
        self._decoder = Decoder(policy)
        self._specs: Mapping[str, FieldSpec] = {**BUILT_IN_ATTRIBUTES, **policy.attributes}
        self._ignored = frozenset(ignored)
        self._again = again

    def check(self, columns: Sequence[str]) -> None:
        """Refuse a header that names what is not known.

        Raises:
            InputError: with the nearest name.
        """
        if "id" not in columns:  # first: else somebody is told to pass over the very column that holds the ids
            hint = did_you_mean("id", columns) or "its values are the users' ids"
            raise InputError(f'there is no column "id"; {hint}')
        for name in columns:
            if wrong := self._unknown(name):
                raise InputError(wrong)

    def events(self, row: TableRow, at_us: int, received_us: int) -> tuple[Event, ...] | Wrong:
        """The row's events, or what is wrong with it."""
        if row.wrong is not None:
            return row.wrong
        values = {name: value for name, value in row.values.items() if name not in self._ignored}
        for name in values:
            if wrong := self._unknown(name):
                return Wrong(wrong, name)
        user = values.pop("id", None)
        if user is None:
            return Wrong("a row needs the user's id", "id")
        words = self._words(values)
        if isinstance(words, Wrong):
            return words
        data: dict[str, object] = {}
        for name, value in values.items():
            read = _cell(self._specs[name], value) if isinstance(value, str) else value
            if isinstance(read, Wrong):
                return read
            data[name] = read
        wanted = [("user.updated", data)] if data else []
        return self._decoded(user, [*wanted, *words], at_us, received_us)

    def _decoded(
        self, user: object, wanted: Sequence[tuple[str, Mapping[str, object]]], at_us: int, received_us: int
    ) -> tuple[Event, ...] | Wrong:
        events: list[Event] = []
        for event_type, data in wanted:
            envelope = {
                "id": self._id(user, event_type, data),
                "type": event_type,
                "user": user,
                "time": instant_text(at_us),
                "data": data,
            }
            event = self._decoder.read(envelope, received_us=received_us)
            if isinstance(event, Rejected):
                return Wrong(event.detail, "id" if event.by == "user" else event.by)
            events.append(event)
        return tuple(events)

    def _id(self, user: object, event_type: str, data: Mapping[str, object]) -> str:
        text = msgspec.json.encode((user, event_type, sorted(data.items()), self._again))
        return f"import-{blake2b(text, digest_size=12).hexdigest()}"

    def _unknown(self, name: str) -> str | None:
        if name in self._specs or name in _WORDS or name in self._ignored:
            return None
        known = (*self._specs, *_WORDS)
        fix = did_you_mean(name[:100], known) or f"declare it, or leave it out with --ignore {name[:100]}"
        return f'no attribute is called "{name[:100]}"; {fix}'

    def _words(self, values: dict[str, object]) -> list[tuple[str, Mapping[str, object]]] | Wrong:
        """Takes the consent out of a row's values."""
        found: list[tuple[str, Mapping[str, object]]] = []
        said: dict[tuple[tuple[str, str], ...], str] = {}
        for column in _WORDS:
            names = _listed(values.pop(column, None))
            if names is None:
                return Wrong("names of categories and channels are wanted, with semicolons between them", column)
            for name in names:
                data = self._consent(name)
                if isinstance(data, str):
                    return Wrong(data, column)
                if said.setdefault(tuple(data.items()), column) != column:
                    return Wrong(f'"{name}" stands in both columns, subscribed and unsubscribed', column)
                found.append((f"user.{column}", data))
        return found

    def _consent(self, name: str) -> dict[str, str] | str:
        """What an event says about this name, or what is wrong with it."""
        categories, channels = self._policy.categories, self._policy.channels
        if name == EVERYTHING:
            return {}
        kind, _, rest = name.partition(":")
        if kind in ("category", "channel") and rest:
            return {kind: rest}  # whether it is declared is asked with the event
        if name in categories and name in channels:
            return f'"{name}" is a category and a channel: write category:{name} or channel:{name}'
        if name in categories:
            return {"category": name}
        if name in channels:
            return {"channel": name}
        hint = did_you_mean(name[:100], (*categories, *channels, EVERYTHING))
        return f"no category or channel is called {shown(name)}{'; ' if hint else ''}{hint}"


def _listed(value: object) -> list[str] | None:
    match value:
        case None:
            return []
        case str():
            return list(dict.fromkeys(filter(None, (part.strip() for part in _SEPARATORS.split(value)))))
        case list() if all(isinstance(one, str) for one in value):
            return list(dict.fromkeys(value))
        case _:
            return None


def _cell(spec: FieldSpec, text: str) -> object:
    """The value that a cell stands for; a text that stands for none is left for the one who checks values."""
    match spec.type:
        case ValueType.NUMBER | ValueType.INTEGER:
            if _WHOLE.fullmatch(text) and len(text) < 20:
                return int(text)
            if _NUMBER.fullmatch(text) and len(text) < 40:
                return float(text)
            return Wrong(f"{shown(text)} is no number; write it as 1234.5, without spaces or separators", spec.name)
        case ValueType.BOOLEAN:
            lower = text.lower()
            if lower in _YES or lower in _NO:
                return lower in _YES
            return Wrong(f"{shown(text)} is neither true nor false (nor yes, no, 1, 0)", spec.name)
        case ValueType.LIST | ValueType.OBJECT:
            try:
                return msgspec.json.decode(text)
            except msgspec.DecodeError:
                kind = 'a list, such as ["a", "b"]' if spec.type is ValueType.LIST else 'an object, such as {"a": 1}'
                return Wrong(f"{shown(text)} is not JSON; write {kind}", spec.name)
        case _:
            return text
