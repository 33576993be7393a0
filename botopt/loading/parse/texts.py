"""The words of a variant: `text`, `title`, `buttons`, each one text or one for each locale."""

from __future__ import annotations

from collections.abc import Iterable

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import shown, text_hint
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.policy import ButtonText, Text


def one_text(findings: Findings, node: Node, key: str) -> Text | None:
    """A text, with the place of each of its characters."""
    if findings.is_flawed(node):
        return None
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        findings.report("B104", node.position, f"{key} must be a text, not {shown(node)}", text_hint("", node))
        return None
    if not node.text.strip():
        findings.report("B111", node.position, f"{key} is empty", "type the words that the user reads")
        return None
    return Text(node.text, node)


def by_locale(findings: Findings, node: Node, key: str, tags: Iterable[str]) -> dict[str, Text]:
    """A text for each locale. A single text stands for each of `tags`."""
    if not isinstance(node, Map):
        text = one_text(findings, node, key)
        return {} if text is None else dict.fromkeys(tags, text)
    if not node.entries and not findings.is_damaged(node):
        findings.report("B111", node.position, f"{key} is empty", f"type {key}: {{en: …}}")
    found: dict[str, Text] = {}
    for tag, value in node.entries:
        text = one_text(findings, value, f"{key} in {tag.text}")
        if text is not None:
            found[tag.text] = text
    return found


def read_buttons(block: Block, tags: Iterable[str]) -> tuple[ButtonText, ...]:
    """The buttons of a variant, in their order."""
    node = block.get("buttons")
    if node is None:
        return ()
    found = []
    for number, entry in enumerate(scalars.items(block.findings, node, "buttons") or (), 1):
        inner = scalars.entries(
            block.findings, entry, "each entry of buttons", "a button has keys: {label: …, link: …}"
        )
        if inner is None:
            continue
        hints = {"url": "type link: …", "text": "type label: …", "title": "type label: …", "href": "type link: …"}
        place = inner.entries[0][0].position if inner.entries else inner.position
        button = Block(block.findings, inner, ("label", "link"), f"button {number}", place, hints)
        label, link = button.get("label"), button.get("link")
        if not button.needs("label") or label is None:
            continue
        found.append(
            ButtonText(
                by_locale(block.findings, label, "label", tags),
                {} if link is None else by_locale(block.findings, link, "link", tags),
            )
        )
    return tuple(found)
