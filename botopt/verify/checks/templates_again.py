"""The check of templates after every edit: only templates whose words, or whose event types, are not as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from botopt.loading.revision import meaning_of
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import EventType, Policy, Template
from botopt.rendering.naming import reaching
from botopt.verify.checks.templates import rendered

_SPARE = 1000
"""Templates that are remembered beyond twice those that there are."""

_COUNTS = re.compile(r"\b(?:count|seen)\s*\(")


class _Seen(msgspec.Struct, frozen=True):
    """What was found about a template, and all that it depends on. `said`: its own meaning, its samples with it."""

    template: Template
    said: bytes
    needs: tuple[bytes, ...]
    findings: tuple[Diagnostic, ...]


class TemplatesAgain:
    """Remembers what was found about each template; a place that only moved changes nothing where nothing was found."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._meanings: dict[int, tuple[EventType, bytes]] = {}

    def __call__(self, policy: Policy) -> Iterator[Diagnostic]:
        """The findings of all templates."""
        everywhere = meaning_of((policy.settings.locale, policy.settings.timezone))
        attributes = {name.encode(): meaning_of(spec) for name, spec in policy.attributes.items()}
        names = meaning_of([[name, sorted(event.fields)] for name, event in sorted(policy.events.items())])
        names += b"".join(attributes.values())
        meanings: dict[int, tuple[EventType, bytes]] = {}
        seen: dict[str, _Seen] = {}
        for name, template in policy.templates.items():
            before = self._seen.get(name)
            said = before.said if before is not None and before.template is template else _said(template)
            events = []
            for event in reaching(policy, name):
                known = self._meanings.get(id(event)) or meanings.get(id(event))
                meanings[id(event)] = known = known or (event, meaning_of(event))
                events.append(known[1])
            words = b"".join((said, *events))
            needs = (everywhere, *events, *(meaning for word, meaning in attributes.items() if word in words))
            now = None if before is None else self._again(template, said, before, (*needs, names))
            if now is None:
                found = tuple(rendered(policy, template))
                loose = found or not events or _COUNTS.search(said.decode())  # suggestions name what others have
                now = _Seen(template, said, (*needs, names) if loose else needs, found)
            seen[name] = now
            yield from now.findings
        if len(self._seen) > 2 * len(seen) + _SPARE:
            self._seen = {}
        self._seen |= seen  # what a half-typed line takes out of reach comes back unchanged
        self._meanings = meanings

    @staticmethod
    def _again(template: Template, said: bytes, before: _Seen, needs: tuple[bytes, ...]) -> _Seen | None:
        """What was found before, where it still holds: `needs` ends with what only some findings depend on."""
        if before.needs not in (needs, needs[:-1]):
            return None
        if before.template == template:
            return msgspec.structs.replace(before, template=template)
        if not before.findings and before.said == said:
            return msgspec.structs.replace(before, template=template)
        return None


def _said(template: Template) -> bytes:
    samples: tuple[Mapping[str, object], ...] = template.samples
    return meaning_of(template) + msgspec.json.encode(samples)
