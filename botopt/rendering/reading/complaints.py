"""Jinja's complaints about a source, in plain words and at the exact word."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from botopt.model.names import did_you_mean
from botopt.rendering.reading.faults import Fault, Token

TAGS = ("if", "elif", "else", "endif", "for", "endfor", "set")
"""The tags that templates know."""

_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_BEGINNINGS = frozenset({"variable_begin", "block_begin", "comment_begin", "raw_begin"})
_OTHER_LANGUAGES = {
    "&": 'for both type "and"',
    "!": 'type "not" in front of a condition, or "!=" for "is not equal to"',
    "?": "type: {{ 'this' if condition else 'that' }}",
    ";": "leave it out",
    "“": "use straight quotes: '",
    "”": "use straight quotes: '",
    "„": "use straight quotes: '",
    "‘": "use straight quotes: '",
    "’": "use straight quotes: '",
    "«": "use straight quotes: '",
    "»": "use straight quotes: '",
    "`": "use straight quotes: '",
    "×": 'for multiplication type "*"',
    "≥": 'type ">="',
    "≤": 'type "<="',
    "≠": 'type "!="',
    "–": 'for "minus" type "-"',
    "−": 'for "minus" type "-"',
}
_LEFT_OVER = {
    "=": 'to compare type "==", or {% set name = value %} to remember a value',
    "then": "leave it out",
    ";": "leave it out",
    ":": "leave it out",
    "not": 'type "not in", or "not" before the whole condition',
}


class _Scene:
    """The words around a complaint."""

    def __init__(self, source: str, tokens: Sequence[Token], offset: int) -> None:
        visible = [token for token in tokens if token.kind != "whitespace"]
        self.source, self.tokens = source, visible
        self.offset = min(offset, len(source))
        self.before = [token for token in visible if token.start < self.offset]
        self.here = next((token for token in visible if token.start == self.offset), None)
        self.opening = next((token for token in reversed(self.before) if token.kind in _BEGINNINGS), None)

    def at(self, token: Token | None, message: str, hint: str = "") -> Fault:
        """A fault at a token, or where the complaint was."""
        if token is None:
            return Fault("B301", self.offset, min(self.offset + 1, len(self.source)), message, hint)
        return Fault("B301", token.start, token.end, message, hint)

    def last(self) -> str:
        """The word before the complaint."""
        return self.before[-1].text if self.before else ""

    def open_tags(self) -> list[Token]:
        """The names of the tags that were not closed before the complaint."""
        stack: list[Token] = []
        for before, token in zip(self.before, self.before[1:], strict=False):
            if before.kind == "block_begin" and token.text.startswith("end"):
                del stack[-1:]
            elif before.kind == "block_begin" and token.text in {"if", "for", "set"}:
                stack.append(token)
        return stack


_BACKSLASH = "a backslash in a quoted text begins a special character, and this is none"

Explain = Callable[[_Scene, "re.Match[str]"], Fault]


def _never_closed(scene: _Scene, _: re.Match[str]) -> Fault:
    opening = scene.opening
    sign = opening.text[:2] if opening else "{{"
    if opening and opening.kind == "raw_begin":
        return scene.at(opening, '"{% raw %}" is never closed', "close it with {% endraw %}")
    return scene.at(opening, f'"{sign}" is never closed', f'close it with "{_CLOSERS.get(sign, "}}")}"')


def _stray_brace(scene: _Scene, found: re.Match[str]) -> Fault:
    brace, wanted = found.groups()
    opening = scene.opening
    sign = opening.text[:2] if opening else "{{"
    closer = _CLOSERS.get(sign, "}}")
    if wanted == "}":
        return _braces_in_braces(scene, found)
    if wanted:
        bracket = {")": "(", "]": "["}[wanted]
        opened = next((token for token in reversed(scene.before) if token.text == bracket), None)
        return scene.at(opened, f'"{bracket}" is never closed', f'close it with "{wanted}"')
    if brace == "}":
        return scene.at(opening, f'"{sign}" is not closed as it should be', f'close it with "{closer}"')
    return scene.at(
        scene.here, f'"{brace}" closes nothing', f'leave it out, or open it with "{"[" if brace == "]" else "("}"'
    )


def _unknown_tag(scene: _Scene, found: re.Match[str]) -> Fault:
    name, stack = found.group(1), scene.open_tags()
    if name in {"elseif", "elsif"}:
        return scene.at(scene.here, f'unknown tag "{name}"', 'did you mean "elif"?')
    if name.startswith("end") and name[3:] in {"if", "for", "set", ""}:
        if not stack:
            return scene.at(scene.here, f'"{{% {name} %}}" closes nothing', "leave it out")
        inner = stack[-1].text
        return scene.at(
            scene.here, f'"{{% {name} %}}" stands where "{{% {inner} %}}" must be closed', f"type: {{% end{inner} %}}"
        )
    if name in {"else", "elif"}:
        return scene.at(
            scene.here, f'"{name}" belongs to no "if"', "one {% if %} has at most one else, and it comes last"
        )
    hint = did_you_mean(name, TAGS) or f"to print a value type {{{{ {name} }}}}; the tags are if, for and set"
    return scene.at(scene.here, f'unknown tag "{name}"', hint)


def _tag_left_open(scene: _Scene, found: re.Match[str]) -> Fault:
    stack = scene.open_tags()
    name = stack[-1].text if stack else found.group(1)
    if name == "set":
        return scene.at(stack[-1] if stack else None, '"set" wants a value', "type: {% set name = value %}")
    message = f'"{{% {name} %}}" is never closed'
    return scene.at(stack[-1] if stack else None, message, f"close it with {{% end{name} %}}")


def _strange_character(scene: _Scene, found: re.Match[str]) -> Fault:
    char = scene.source[scene.offset : scene.offset + 1] or found.group(1)
    if char in "'\"":
        return scene.at(None, "this quote is never closed", f"close it with {char}")
    hint = _OTHER_LANGUAGES.get(char, "leave it out, or move it out of the braces")
    return scene.at(None, f'"{char}" means nothing inside braces', hint)


def _left_over(scene: _Scene, _: re.Match[str]) -> Fault:
    word = scene.here.text if scene.here else ""
    hint = _LEFT_OVER.get(word, "")
    if not hint and len(scene.before) > 1 and scene.before[-2].text == "|":
        hint = f"what a filter needs goes in brackets: {scene.last()}({word})"
    hint = hint or f'leave it out, or say what it has to do with "{scene.last()}"'
    return scene.at(scene.here, f'"{word}" does not fit here', hint)


def _nothing_there(scene: _Scene, _: re.Match[str]) -> Fault:
    sign = scene.opening.text[:2] if scene.opening else "{{"
    if scene.last() in {"{{", "{{-", "{{+"}:
        return scene.at(scene.opening, "there is nothing between the braces", "type a name: {{ name }}")
    return scene.at(
        scene.here, f'something is missing after "{scene.last()}"', f'finish it before "{_CLOSERS.get(sign)}"'
    )


def _name_missing(scene: _Scene, found: re.Match[str]) -> Fault:
    if scene.last() == "|":
        if found.group(1) == "|":
            return scene.at(scene.here, '"||" means nothing here', 'for either of two type "or"')
        return scene.at(scene.here, 'the name of a filter is missing after "|"', "for example: {{ name | title }}")
    hint = 'type "is defined" or "is not defined"' if scene.last() == "is" else ""
    return scene.at(scene.here, f'a name is missing after "{scene.last()}"', hint)


def _braces_in_braces(scene: _Scene, _: re.Match[str]) -> Fault:
    inner = next((token for token in reversed(scene.before) if token.text == "{"), None)
    return scene.at(inner, "braces do not go inside braces", "type a name once in double braces: {{ name }}")


def _missing(scene: _Scene, found: re.Match[str]) -> Fault:
    word = scene.here.text if scene.here else "the end"
    if found.group(1) == "in":
        return scene.at(scene.here, 'the list is missing after "for"', "type: {% for item in items %}")
    return scene.at(scene.here, f'"{found.group(1)}" is missing before "{word}"')


def _strange_operator(scene: _Scene, found: re.Match[str]) -> Fault:
    meant = {"==": '"=="', "<": '"!="', "-": '"."', "=": '"=="'}.get(scene.last())
    if found.group(1) == "." and scene.before:
        return scene.at(scene.here, '"." does not fit here', "a number begins with a digit: 0.5")
    return scene.at(scene.here, f'"{found.group(1)}" does not fit here', f"did you mean {meant}?" if meant else "")


_EXPLANATIONS: tuple[tuple[str, Explain], ...] = (
    (r"unexpected end of template, expected", _never_closed),
    (r"Missing end of (?:comment tag|raw directive)", _never_closed),
    (r"unexpected '([)}\]])'(?:, expected '(.)')?", _stray_brace),
    (r"expected token ':', got '}'", _braces_in_braces),
    (r"Encountered unknown tag '([^']+)'", _unknown_tag),
    (r"Unexpected end of template\..* needs to be closed is '([^']+)'", _tag_left_open),
    (r"unexpected char (.+) at", _strange_character),
    (r"Expected an expression, got|unexpected 'end of", _nothing_there),
    (r"expected token 'name', got '([^']+)'", _name_missing),
    (r"expected token 'end of", _left_over),
    (r"expected token '([^']+)'", _missing),
    (r"invalid syntax for function call", lambda scene, _: scene.at(scene.here, "values without a name come first")),
    (
        r"truncated|malformed|illegal|unknown Unicode",
        lambda scene, _: scene.at(scene.here, _BACKSLASH, "type \\\\ for it"),
    ),
    (r"expected name or number", lambda scene, _: scene.at(scene.here, 'a name is missing after "."')),
    (
        r"tag name expected",
        lambda scene, _: scene.at(scene.opening, "a tag wants a name", "the tags are if, for and set"),
    ),
    (r"can't assign to", lambda scene, _: scene.at(scene.here, 'a name belongs after "set"', "{% set name = value %}")),
    (r"unexpected '(.+)'", _strange_operator),
)


def complaint(source: str, tokens: Sequence[Token], offset: int, message: str) -> Fault:
    """What Jinja complains about at an offset of a source."""
    scene = _Scene(source, tokens, offset)
    for pattern, explain in _EXPLANATIONS:
        if found := re.match(pattern, message):
            return explain(scene, found)
    plain = message.replace("end of print statement", "}}").replace("end of statement block", "%}")
    return scene.at(scene.here, f"this cannot be read: {plain}")
