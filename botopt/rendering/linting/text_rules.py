"""What is allowed in one text and yet most likely not meant: single braces, links, plural forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import nodes

from botopt.model.names import Names
from botopt.rendering.filters import FILTERS
from botopt.rendering.formats import counting_forms
from botopt.rendering.locales import is_locale, locale
from botopt.rendering.naming import Reach
from botopt.rendering.reading.arguments import bound
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import own_names, use_of

_SINGLE = re.compile(r"(?<!\{)\$?\{\s*(user\.)?([A-Za-z][A-Za-z0-9_]*)\s*\}(?!\})")


def single_braces(parsed: Parsed, names: Names) -> Iterator[Fault]:
    """`{amount}` outside double braces, where `amount` is a name."""
    for token in parsed.tokens:
        if token.kind != "data":
            continue
        for found in _SINGLE.finditer(token.text):
            group, name = found.groups()
            if (names.attribute(name) if group else names.field(name)) is not None:
                start = token.start + found.start()
                message = f'"{found.group()}" is sent as it stands'
                hint = f"to print the value type {{{{ {group or ''}{name} }}}}"
                yield Fault("B315", start, start + len(found.group()), message, hint)


def plain_link(parsed: Parsed, way: Reach) -> Iterator[Fault]:
    """A text value inside a link that is not encoded: a space or `&` in it would break the link."""
    own = own_names(parsed.tree)
    before = False
    for output in (node for node in parsed.inside if isinstance(node, nodes.Output)):
        for node in output.nodes:
            use = use_of(parsed, node, own)
            ref = way.reference(use) if use else None
            if before and use and ref and ref.type == "text" and not ref.one_of and not _has_pattern(way, use.name):
                said = parsed.said(node)
                message = f'"{said}" is not encoded, so a space or "&" in it breaks the link'
                yield Fault("B317", *parsed.extent(node), message, f"type {{{{ {said} | urlencode }}}}")
            before = True


def _has_pattern(way: Reach, name: str) -> bool:
    spec = way.names.fields.get(name) or way.names.attributes.get(name)
    return spec is not None and spec.pattern is not None


def missing_plurals(parsed: Parsed, tag: str) -> Iterator[Fault]:
    """Plural forms that the language needs for counting and the text does not give."""
    if not is_locale(tag):
        return
    wanted = counting_forms(locale(tag))
    for node in parsed.inside:
        if not isinstance(node, nodes.Filter) or node.name != "plural":
            continue
        given = bound(node, FILTERS["plural"])
        lacking = [form for form in wanted if form not in given]
        if lacking and "other" in given:
            forms = ", ".join(f"{form}='…'" for form in wanted)
            start = node.lineno - 1
            message = f'"{tag}" counts with {" and ".join(lacking)}, too'
            yield Fault("B318", start, start + len("plural"), message, f"type plural({forms})")
