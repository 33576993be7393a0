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

_UNKNOWN = (b"",)
"""What nothing needs: such a template is looked at next time."""

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
        self.left = 0

    def __call__(self, policy: Policy, most: int) -> Iterator[Diagnostic]:
        """The findings of all templates."""
        everywhere = meaning_of((policy.settings.locale, policy.settings.timezone))
        attributes = {name.encode(): meaning_of(spec) for name, spec in policy.attributes.items()}
        names = meaning_of([[name, sorted(event.fields)] for name, event in sorted(policy.events.items())])
        names += b"".join(attributes.values())
        self._learn(policy)
        self.left = 0
        for name, template in policy.templates.items():
            before = self._seen.get(name)
            said = before.said if before is not None and before.template is template else _said(template)
            events = [self._meanings[id(event)][1] for event in reaching(policy, name)]
            words = b"".join((said, *events))
            needs = (everywhere, *events, *(meaning for word, meaning in attributes.items() if word in words))
            now = None if before is None else _still(template, said, before, (*needs, names))
            if now is None and most > 0:
                most -= 1
                found = tuple(rendered(policy, template))
                loose = found or not events or _COUNTS.search(said.decode())  # suggestions name what others have
                now = _Seen(template, said, (*needs, names) if loose else needs, found)
            elif now is None:
                self.left += 1
                # What was found before is likely to hold, and better than nothing for a moment.
                stale = before.findings if before is not None and before.template == template else ()
                now = _Seen(template, said, _UNKNOWN, stale)
            self._seen[name] = now  # and what a half-typed line takes out of reach comes back unchanged
            yield from now.findings
        if len(self._seen) > 2 * len(policy.templates) + _SPARE:
            self._seen = {name: self._seen[name] for name in policy.templates}

    def _learn(self, policy: Policy) -> None:
        """What each event type means; those that are not there any more are forgotten."""
        known = self._meanings
        self._meanings = {
            id(event): known.get(id(event)) or (event, meaning_of(event)) for event in policy.events.values()
        }


def _still(template: Template, said: bytes, before: _Seen, needs: tuple[bytes, ...]) -> _Seen | None:
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
