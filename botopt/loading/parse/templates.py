"""The section `templates`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block, without_misplaced
from botopt.loading.parse.conditions import InReach, read_when
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.learning import read_recency
from botopt.loading.parse.samples import read_samples
from botopt.loading.parse.scopes import Merged, Surroundings, merged
from botopt.loading.parse.texts import by_locale, one_text, read_buttons
from botopt.loading.parse.wording import listed, named, shown
from botopt.loading.reader import Map, Node, Scalar
from botopt.loading.reader import Sequence as ListNode
from botopt.model.condition import All, AnyOf, Condition, IsDefined, Not, Ref, Scope, references
from botopt.model.learning_policy import Recency
from botopt.model.policy import Choose, EventType, Template, Variant, When
from botopt.model.position import Position

_KEYS = ("description", "choose", "recency", "variants", "samples")
_VARIANT_KEYS = ("when", "weight", "title", "text", "buttons")
_BELOW_A_VARIANT = {
    key: f"{key} stands below a variant: variants: {{plain: {{text: …}}}}"
    for key in ("text", "title", "buttons", "when")
}
_HINTS = {**_BELOW_A_VARIANT, "sample": "type samples: [{…}]", "variant": "type variants: {plain: {text: …}}"}
_VARIANT_HINTS = {
    "message": "type text: …",
    "body": "type text: …",
    "button": "type buttons: [{label: …}]",
    "samples": "samples stand beside variants, not inside one",
    "choose": "choose stands beside variants, not inside one",
    "unless": "type when: not (…)",
}
_CHOOSE_MEANT = {
    **dict.fromkeys(("random", "draw", "shuffle", "weight", "weights"), "weighted"),
    **dict.fromkeys(("bandit", "best", "auto", "adaptive"), "learn"),
}
_TAG = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]+)*", re.ASCII)


class _Around(msgspec.Struct, frozen=True):
    """What a variant needs to know: the event types that can send it, its names, and its template's choices.

    `choose` is None where a mistake stands in its place.
    """

    types: Sequence[EventType]
    reach: InReach
    locale: str
    choose: Choose | None


def read_template(
    findings: Findings,
    key: Scalar,
    node: Node,
    types: Sequence[EventType],
    surroundings: Surroundings,
    locale: str,
) -> Template | None:
    """One template, or None if there are findings about it. `types` are the event types that can send it."""
    before = findings.faults
    scalars.is_name(findings, key, "the name of a template")
    if not isinstance(node, Map):
        text = one_text(findings, node, f"the template {shown(key)}")
        if text is None or findings.faults > before:
            return None
        variant = Variant("only", {locale: text}, position=key.position)
        return Template(key.text, (variant,), position=key.position)
    findings.fault_if_damaged(node)
    block = Block(findings, node, _KEYS, f"the template {shown(key)}", key.position, _hints(node))
    fields = merged(types or tuple(surroundings.events.values()))
    if not types:
        fields = Merged(fields.fields, {})
    unsure = surroundings.unsure_of(types or surroundings.events.values())
    hint = "give both the same type, or each event type a template of its own"
    reach = InReach(surroundings.names_of(fields.fields, fields.conflicts), unsure, bool(types), hint)
    word = block.choice("choose", [choose.value for choose in Choose], _CHOOSE_MEANT)
    choose = Choose(word) if word is not None else None if "choose" in block else Choose.FIRST
    variants = tuple(_variants(block, _Around(types, reach, locale, choose)))
    samples = read_samples(block, types, unsure=reach.unsure)
    description = block.text("description") or ""
    recency = _recency(block, choose)
    if findings.faults > before:
        return None
    assert choose is not None
    return Template(key.text, variants, description, choose, samples, key.position, recency)


def _recency(block: Block, choose: Choose | None) -> Recency:
    if "recency" in block and choose not in (None, Choose.LEARN):
        if block.may_have("choose"):
            block.findings.fault()
        else:
            message = "recency goes with choose: learn only"
            hint = "type choose: learn in the template, or delete recency"
            block.findings.report("B113", block.key("recency"), message, hint)
    return read_recency(block)


def _hints(node: Map) -> Mapping[str, str]:
    """Locales right below a template are a common slip."""
    tags = {key.text for key, value in node.entries if _TAG.fullmatch(key.text) and isinstance(value, Scalar)}
    hint = "texts in several languages stand below a variant: variants: {plain: {text: {en: …, de: …}}}"
    return {**dict.fromkeys(tags - set(_KEYS), hint), **_HINTS}


def _variants(block: Block, around: _Around) -> Iterator[Variant]:
    node = block.get("variants")
    if not block.needs("variants", hint="add variants: {plain: {text: …}}") or node is None:
        return
    if isinstance(node, ListNode):
        hint = "give each a name: variants: {short: {text: …}, long: {text: …}}"
        block.findings.report("B104", node.position, "variants must be a map of names and variants, not a list", hint)
        return
    inner = scalars.entries(block.findings, node, "variants", "type variants: {plain: {text: …}}")
    if inner is None:
        return
    if not inner.entries and not block.findings.is_damaged(inner):
        block.findings.report("B111", node.position, "variants is empty", "type variants: {plain: {text: …}}")
    before = block.findings.faults
    for name, value in without_misplaced(block.findings, inner.entries, _VARIANT_KEYS, "a variant"):
        variant = _variant(block.findings, name, value, around)
        if variant is not None:
            yield variant
    if block.findings.faults == before:
        _check_order(block, inner, around.choose)


def _check_order(block: Block, variants: Map, choose: Choose | None) -> None:
    """A variant without `when` is chosen whenever it is reached: with `first` it must be the last, and there is one."""
    open_ = [name for name, value in variants.entries if not isinstance(value, Map) or value.get("when") is None]
    if not variants.entries or block.findings.is_damaged(variants):
        return
    if not open_:
        last = variants.entries[-1][0]
        message = f"every variant of {block.what} has a when, so sometimes none would fit"
        hint = "take the when away from the last one, or add a last one without"
        block.findings.report("B119", last.position, message, hint)
    elif choose is Choose.FIRST and open_[0] is not variants.entries[-1][0]:
        names = [name.text for name, _ in variants.entries]
        later = names[names.index(open_[0].text) + 1 :]
        verb = "is" if len(later) == 1 else "are"
        message = f"{named(later)} {verb} never chosen: {shown(open_[0])} stands before and has no when"
        hint = f"move {open_[0].text} to the end or give it a when; for a draw among them type choose: weighted"
        block.findings.report("B119", open_[0].position, message, hint)


def _variant(findings: Findings, name: Scalar, node: Node, around: _Around) -> Variant | None:
    scalars.is_name(findings, name, "the name of a variant")
    inner = scalars.entries(findings, node, name.text, f"type {name.text}: {{text: …}}")
    if inner is None:
        return None
    block = Block(findings, inner, _VARIANT_KEYS, f"the variant {shown(name)}", name.position, _VARIANT_HINTS)
    text_node, title, when_node = block.get("text"), block.get("title"), block.get("when")
    block.needs("text")
    text = {} if text_node is None else by_locale(findings, text_node, "text", (around.locale,))
    when = None if when_node is None else read_when(findings, when_node, "when", around.reach)
    if when is not None and when_node is not None:
        _refuse_lacking(findings, when, when_node, around.types)
    weight = block.number("weight", 0, 1_000_000, above=True)
    if "weight" in block and around.choose not in (None, Choose.WEIGHTED):
        message = f"weight does not go with choose: {around.choose}"
        findings.report("B113", block.key("weight"), message, "type choose: weighted in the template, or delete weight")
    return Variant(
        name.text,
        text,
        {} if title is None else by_locale(findings, title, "title", text),
        read_buttons(block, text),
        when,
        1.0 if weight is None else weight,
        name.position,
    )


def _refuse_lacking(findings: Findings, when: When, node: Node, types: Sequence[EventType]) -> None:
    """A field that not every event type of the template has, unless the condition asks whether it is there."""
    asked = {ref.name for ref in _asked(when.condition)}
    for ref in references(when.condition):
        lacking = [type_.name for type_ in types if ref.name not in type_.fields]
        if ref.scope is Scope.EVENT and lacking and ref.name not in asked:
            verb = "has" if len(lacking) == 1 else "have"
            message = f"{named(lacking)} can send this template, too, and {verb} no field {ref.name}"
            hint = f"ask first: {ref.name} is defined and …, or give {listed(lacking, 'and')} a template of its own"
            findings.report("B304", _place(node, ref.name), message, hint)


def _asked(condition: Condition) -> Iterator[Ref]:
    match condition:
        case IsDefined(ref):
            yield ref
        case Not(part):
            yield from _asked(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _asked(part)
        case _:
            return


def _place(node: Node, name: str) -> Position:
    """Where a field's name stands in a condition, however nested."""
    inner: list[Node] = []
    match node:
        case Scalar(text=text):
            found = re.search(rf"""(?<![\w.'"]){name}(?![\w'"(])""", text, re.ASCII)
            return node.span(*found.span()) if found else node.position
        case ListNode(items=parts):
            inner = list(parts)
        case Map(entries=entries):
            inner = [value for _, value in entries]
    places = ((part, _place(part, name)) for part in inner)
    return next((place for part, place in places if place != part.position), node.position)
