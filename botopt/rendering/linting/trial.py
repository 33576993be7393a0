"""Trying templates out: every variant, in every locale, on its samples and on invented edge cases.

Reading a template cannot say whether a division by zero, an empty list or a missing part of an object will ever meet
it. Rendering it can. Only events for which a variant would really be chosen count: its `when` must hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from jinja2 import nodes

from botopt.model.codes import finding
from botopt.model.condition import AnyOf, Condition, Not, Ref, Scope, ValueType, references
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.model.errors import RenderError
from botopt.model.policy import Choose, Policy, Template, Text, Variant
from botopt.model.zones import is_zone
from botopt.rendering.compilation import TextFailure
from botopt.rendering.filters import FILTERS
from botopt.rendering.linting.cases import NOW_US, candidates, described, near, ordinary, typed
from botopt.rendering.linting.holds import holds
from botopt.rendering.linting.walking import Walk, walk
from botopt.rendering.naming import Reach, from_samples, reaches
from botopt.rendering.parts import Part, parts
from botopt.rendering.reading.arguments import bound
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed, parse
from botopt.rendering.reading.uses import Key, own_names, use_of, uses
from botopt.rendering.renderer import PreparedText, Variation, sources

Values = dict[Key, object]


class _Case(msgspec.Struct, frozen=True):
    """Values to try and what is special about them. `changed`: only texts that use it need to be tried.

    `given` are the inputs of the variant as templates see them, `seen` the same by their keys.
    """

    words: str
    given: Sequence[object]
    seen: Mapping[Key, object]
    changed: Key | None = None
    blank: bool = False


class _Tried(msgspec.Struct, frozen=True):
    """A text in a locale: the way to try it fast, if there is one, and its place among those that are compiled."""

    part: Part
    tag: str
    place: int
    walk: Walk | None


def trial_render(policy: Policy, template: Template) -> tuple[Diagnostic, ...]:
    """What goes wrong when a template is rendered. For templates in which `check_template` finds no error."""
    ways = reaches(policy, template.name) or tuple(
        way for way in (from_samples(policy, template.samples),) if not way.anything
    )
    findings: list[Diagnostic] = []
    seen: set[object] = set()
    for variant in template.variants:
        for way in ways:
            try:
                trial = _Trial(policy, template, variant, way)
            except RenderError:
                continue  # a text that is not allowed: `check_template` has said so
            signature = (variant.name, *(trial.options_of(ref) for ref in trial.bound.inputs))
            if str(signature) not in seen:
                seen.add(str(signature))
                findings += trial.findings()
    return _one_a_cause(findings)


class Length(msgspec.Struct, frozen=True):
    """The longest text that trials of one variant made in one locale: its characters, and with which values."""

    variant: str
    locale: str
    event_type: str
    text: Text
    characters: int
    words: str


def longest_texts(policy: Policy, template: Template, event_type: str) -> Iterator[Length]:
    """For every variant and locale of a sound template, the longest text on its samples and on invented edge cases."""
    for way in reaches(policy, template.name):
        for variant in template.variants if way.event_type == event_type else ():
            try:
                trial = _Trial(policy, template, variant, way)
            except RenderError:
                continue
            yield from trial.lengths()


def _one_a_cause(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The first finding of each cause at a place, whatever values brought it about."""
    first: dict[object, Diagnostic] = {}
    for found in findings:
        cause = found.message.rpartition(": ")[2]
        first.setdefault((found.code, found.position, cause), found)
    return in_order(first.values())


class _Trial:
    """One variant for one event type."""

    def __init__(self, policy: Policy, template: Template, variant: Variant, way: Reach) -> None:
        self.policy = policy
        self.template = template
        self.variant = variant
        self.way = way
        self.bound = Variation("", variant, way, policy.settings.locale)
        self.conditions = tuple(_conditions(policy, template, variant, way))
        self.refs = {ref.key: ref for condition in self.conditions for ref in references(condition)}
        self.needed = tuple(self.refs)
        self.refs |= {ref.key: ref for ref in self.bound.inputs}
        around, money = near(self.conditions), _currencies(variant)
        self.options = {
            key: candidates(ref, way, template.samples, around.get(key, ()), is_currency=key in money)
            for key, ref in self.refs.items()
        }
        for key in _only_counted(variant):
            self.options[key] = self.options[key] or [["item"], []]  # what is in it does not matter
        timezone = policy.settings.timezone
        self.locale = locale if (locale := policy.settings.locale) in variant.text else next(iter(variant.text), "")
        self.timezone = timezone if is_zone(timezone) else "UTC"

    def options_of(self, ref: Ref) -> tuple[object, ...]:
        """A reference and everything that it may hold."""
        return (ref, *self.options[ref.key])

    def findings(self) -> Iterator[Diagnostic]:
        """What goes wrong, and what could not be tried."""
        yield from self._untried()
        cases = list(self._cases())
        for text in self._texts():
            failed: set[tuple[str, int]] = set()
            for case in self._concerning(text, cases):
                failure = self._failure(text, case)
                if failure and (failure.reason, failure.offset) not in failed:
                    failed.add((failure.reason, failure.offset))
                    yield _found(text.part, text.tag, case, failure)

    def lengths(self) -> Iterator[Length]:
        """The longest text of each locale."""
        cases = list(self._cases())
        for text in self._texts():
            if text.part.kind != "text":
                continue
            tried = [(len(self._words(text, case)), case.words) for case in self._concerning(text, cases)]
            if tried:
                most, words = max(tried, key=lambda one: one[0])
                yield Length(self.variant.name, text.tag, self.way.event_type, text.part.text, most, words)

    def _words(self, text: _Tried, case: _Case) -> str:
        """What a text says; nothing where it cannot be written."""
        words = None if text.walk is None else text.walk.write(case.seen, text.tag, self.timezone, NOW_US)
        if words is None:
            try:
                words = self.bound.write(self._compiled(text), case.given, text.tag, self.timezone, NOW_US)
            except TextFailure:
                return ""
        return words.strip()

    def _texts(self) -> Iterator[_Tried]:
        for tag in self.variant.text:
            for place, part in enumerate(parts(self.variant, tag, self.locale)):
                parsed = parse(part.text.source)
                yield _Tried(part, tag, place, walk(parsed) if isinstance(parsed, Parsed) else None)

    def _concerning(self, text: _Tried, cases: Iterable[_Case]) -> Iterator[_Case]:
        """The cases in which this text may differ; none if it has a value of which nobody knows what it holds."""
        keys = frozenset(self._compiled(text).text.keys) if text.walk is None else text.walk.keys
        if all(self.options[key] for key in keys if key in self.options):
            yield from (case for case in cases if case.changed is None or case.changed in keys)

    def _compiled(self, text: _Tried) -> PreparedText:
        return self.bound.texts(text.tag)[text.place]

    def _failure(self, text: _Tried, case: _Case) -> TextFailure | None:
        if text.walk is not None:
            words = text.walk.write(case.seen, text.tag, self.timezone, NOW_US)
            if words is not None and (words.strip() or not text.part.needed):
                return None
        try:
            self.bound.write(self._compiled(text), case.given, text.tag, self.timezone, NOW_US)
        except TextFailure as failure:
            return None if case.blank and failure.is_empty else failure
        return None

    def _case(self, values: Mapping[Key, object], words: str, changed: Key | None = None, *, blank: bool) -> _Case:
        inputs = self.bound.inputs
        given = self.bound.given([values.get(ref.key) for ref in inputs])
        seen = {ref.key: value for ref, value in zip(inputs, given, strict=False)}  # the last is absent
        return _Case(words, given, seen, changed, blank)

    def _cases(self) -> Iterator[_Case]:
        base = ordinary(self.conditions, self.needed, self.options)
        for number, sample in enumerate(self.template.samples, 1):
            own = {ref.key: typed(sample[ref.name], ref) for ref in self.refs.values() if self._is_in(ref, sample)}
            values = (base or {key: options[0] for key, options in self.options.items() if options}) | own
            if self._chosen(values):
                yield self._case(values, f"sample {number}", blank=False)
        if base is None or not self.way.event_type:
            return
        yield self._case(base, "ordinary values", blank=False)
        for key, options in self.options.items():
            ref = self.refs[key]
            for value in options:
                values = base | {key: value}
                if value is not base[key] and self._chosen(values):
                    blank = isinstance(value, str) and not value.strip()
                    yield self._case(values, f"{ref} being {described(value, ref.type)}", key, blank=blank)

    def _is_in(self, ref: Ref, sample: Mapping[str, object]) -> bool:
        return ref.scope is Scope.EVENT and sample.get(ref.name) is not None

    def _chosen(self, values: Mapping[Key, object]) -> bool:
        return all(holds(condition, values) for condition in self.conditions)

    def _untried(self) -> Iterator[Diagnostic]:
        """Lists and objects of which no sample shows what is in them."""
        for text in sources(self.variant):
            parsed = parse(text.source)
            for use in () if isinstance(parsed, Fault) else uses(parsed):
                ref = self.refs.get(use.key)
                inner = ref and ref.scope is Scope.EVENT and ref.type in {ValueType.LIST, ValueType.OBJECT}
                if ref and inner and all(not value for value in self.options[use.key]):
                    hint = f"add a sample: samples: [{{{use.name}: …}}]"
                    message = f'no sample shows what "{use.name}" holds, so this was not tried with it'
                    yield finding("B314", text.where.span(use.start, use.end), message, hint)
                    return


def _found(part: Part, tag: str, case: _Case, failure: TextFailure) -> Diagnostic:
    source, offset = part.text.source, failure.offset
    parsed = parse(source)
    start, end, node = 0, len(source), None
    if not failure.is_empty and isinstance(parsed, Parsed):
        node = next((found for found in parsed.tree.find_all(nodes.Expr) if found.lineno == offset + 1), None)
        start, end = parsed.extent(node) if node else (0, len(source))
    message = f"the {part} ({tag}) cannot be rendered with {case.words}: {failure.reason}"
    return finding("B313", part.text.where.span(start, end), message, _hint(failure.reason, source[start:end], node))


def _hint(reason: str, said: str, node: nodes.Expr | None) -> str:
    if "divides by zero" in reason:
        divisions = [node, *node.find_all(nodes.Div)] if node else []
        below = next((found.right for found in divisions if isinstance(found, nodes.Div)), None)
        name = below.name if isinstance(below, nodes.Name) else "number"
        return f"ask first: {{% if {name} != 0 %}} … {{% endif %}}, or give the field a min"
    if "absent" in reason or "has no item" in reason:
        return f"ask first: {{% if {said if len(said) <= 40 else 'name'} is defined %}} … {{% endif %}}"
    if "longer than" in reason:
        return "shorten it: {{ text | truncate(200) }}, or give the field a max_length"
    return "say something in every case, with {% else %}" if "is empty" in reason else ""


def _conditions(policy: Policy, template: Template, variant: Variant, way: Reach) -> Iterator[Condition]:
    """What must hold for this variant to be the one that is sent."""
    if variant.when:
        yield variant.when.condition
    if template.choose is Choose.FIRST:
        for earlier in template.variants:
            if earlier.name == variant.name:
                break
            if earlier.when:
                yield Not(earlier.when.condition)
    event = policy.events.get(way.event_type)
    if event and event.message != template.name:
        yield AnyOf(tuple(rule.when.condition for rule in event.rules if rule.message == template.name))


def _only_counted(variant: Variant) -> frozenset[Key]:
    """The lists of which a variant only wants the `length`."""
    counted: set[Key] = set()
    used: list[Key] = []
    for parsed in _readable(variant):
        own = own_names(parsed.tree)
        lengths = [node.node for node in _filters(parsed, "length") if node.node]
        asked = [use for use in (use_of(parsed, node, own) for node in lengths) if use]
        counted |= {use.key for use in asked}
        used += [use.key for use in uses(parsed) if use not in asked]
    return frozenset(counted - set(used))


def _currencies(variant: Variant) -> frozenset[Key]:
    """The values that a variant takes for currencies."""
    found: set[Key] = set()
    for parsed in _readable(variant):
        own = own_names(parsed.tree)
        for node in _filters(parsed, "money"):
            argument = bound(node, FILTERS["money"]).get("currency")
            use = use_of(parsed, argument, own) if argument else None
            if use:
                found.add(use.key)
    return frozenset(found)


def _readable(variant: Variant) -> Iterator[Parsed]:
    """The trees of a variant's texts."""
    for text in sources(variant):
        parsed = parse(text.source)
        if isinstance(parsed, Parsed):
            yield parsed


def _filters(parsed: Parsed, name: str) -> Iterator[nodes.Filter]:
    return (node for node in parsed.inside if isinstance(node, nodes.Filter) and node.name == name)


__all__: Sequence[str] = ["Length", "longest_texts", "trial_render"]
