"""What the files of a workspace declare, as far as they can be read: a mistake elsewhere hides no name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.verify.live import View


class DeclaredEvent(msgspec.Struct, frozen=True):
    """An event type: its key, the keys of its fields, and the names that decide what it reaches."""

    key: Scalar
    fields: Mapping[str, Scalar]
    templates: frozenset[str]
    category: str
    channels: frozenset[str]


class Declarations(msgspec.Struct, frozen=True):
    """The keys under which names are declared, by name. Those of variants and rules go by template and event type;
    `arms` are the names in each experiment.
    """

    events: Mapping[str, DeclaredEvent]
    templates: Mapping[str, Scalar]
    channels: Mapping[str, Scalar]
    categories: Mapping[str, Scalar]
    attributes: Mapping[str, Scalar]
    suppressions: Mapping[str, Scalar]
    rules: Mapping[tuple[str, str], Scalar]
    variants: Mapping[tuple[str, str], Scalar]
    locales: frozenset[str]
    experiments: Mapping[str, Scalar] = {}
    arms: Mapping[str, tuple[str, ...]] = {}

    def reaching(self, template: str) -> tuple[str, ...]:
        """The event types that can send a template."""
        return tuple(name for name, event in self.events.items() if template in event.templates)

    def fields_of(self, events: tuple[str, ...]) -> frozenset[str]:
        """The fields that any of these event types declares."""
        return frozenset(field for name in events if name in self.events for field in self.events[name].fields)

    def having(self, field: str, events: tuple[str, ...]) -> tuple[str, ...]:
        """Those of these event types that declare a field."""
        return tuple(name for name in events if name in self.events and field in self.events[name].fields)

    def in_scope(self, suppression: Map) -> tuple[str, ...]:
        """The event types with messages that a suppression may be about."""
        events, categories, channels = (names_in(suppression, key) for key in ("events", "categories", "channels"))
        one = next(iter(self.channels), "")
        return tuple(
            name
            for name, event in self.events.items()
            if event.templates
            and (not events or name in events)
            and (not categories or event.category in categories)
            and (not channels or channels & (event.channels or {one}))
        )


def entries(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    """The entries of a map; of anything else, none."""
    if isinstance(node, Map):
        yield from node.entries


def items(node: Node | None) -> Iterator[Node]:
    """The items of a list, or the one that stands in its place."""
    if isinstance(node, Sequence):
        yield from node.items
    elif node is not None:
        yield node


def child(node: Node | None, key: str) -> Node | None:
    """The value of a key, where there is one."""
    return node.get(key) if isinstance(node, Map) else None


def names_in(node: Node | None, key: str) -> frozenset[str]:
    """The texts that stand at a key, one or a list."""
    return frozenset(item.text for item in items(child(node, key)) if isinstance(item, Scalar))


def declarations(view: View) -> Declarations:
    """Everything that is declared in any file."""
    found = Declarations({}, {}, {}, {}, {}, {}, {}, {}, frozenset())
    parts: dict[str, list[tuple[Scalar, Node]]] = {}
    locales: set[str] = set()
    suppressions: list[Node] = []
    for name, document in view.documents.items():
        if view.kinds[name] == "tests":
            continue
        for key, node in entries(document.root):
            parts.setdefault(key.text, []).extend(entries(node))
            if key.text == "suppression":
                suppressions += items(node)
    events = {key.text: _event(key, node) for key, node in parts.get("events", ())}
    templates = parts.get("templates", ())
    for _, node in templates:
        for _, variant in entries(child(node, "variants")):
            locales.update(tag.text for tag, _ in entries(child(variant, "text")))
    ids = [child(node, "id") for node in suppressions]
    return msgspec.structs.replace(
        found,
        events=events,
        templates={key.text: key for key, _ in templates},
        channels={key.text: key for key, _ in parts.get("channels", ())},
        categories={key.text: key for key, _ in parts.get("categories", ())},
        attributes={key.text: key for key, _ in parts.get("user", ())},
        suppressions={node.text: node for node in ids if isinstance(node, Scalar)},
        rules={
            (key.text, rule_id.text): rule_id
            for key, node in parts.get("events", ())
            for rule in items(child(node, "rules"))
            if isinstance(rule_id := child(rule, "id"), Scalar)
        },
        variants={
            (key.text, variant.text): variant
            for key, node in templates
            for variant, _ in entries(child(node, "variants"))
        },
        locales=frozenset(locales),
        experiments={key.text: key for key, _ in parts.get("experiment", ())},
        arms={
            key.text: tuple(arm.text for arm, _ in entries(child(node, "arms")))
            for key, node in parts.get("experiment", ())
        },
    )


def _event(key: Scalar, node: Node) -> DeclaredEvent:
    parts = [node, *items(child(node, "rules"))]
    category = child(node, "category")
    return DeclaredEvent(
        key,
        {name.text: name for name, _ in entries(child(node, "fields"))},
        frozenset(name for part in parts for name in names_in(part, "message")),
        category.text if isinstance(category, Scalar) else "",
        frozenset(name for part in parts for name in names_in(part, "channel")),
    )
