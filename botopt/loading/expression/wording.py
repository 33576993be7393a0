"""What to say about words that stand in an order that no condition has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from botopt.loading.expression.words import Complaint, Word, about

_IN_A_TEXT = "to look for a text in a text: 'refund' in reason"
_WORDY: Mapping[str, str] = {
    **dict.fromkeys(("equals", "equal", "eq", "same"), 'type "=="'),
    **dict.fromkeys(("contains", "contain", "includes", "include", "has", "like", "matches"), _IN_A_TEXT),
    **dict.fromkeys(("startswith", "starts", "endswith", "ends", "begins"), _IN_A_TEXT),
    **dict.fromkeys(("greater", "more", "above", "over", "bigger", "larger", "gt"), 'type ">"'),
    **dict.fromkeys(("less", "below", "under", "fewer", "smaller", "lt"), 'type "<"'),
    **dict.fromkeys(("than", "least", "most", "gte", "lte"), "compare with >, >=, < or <="),
    "between": "type both bounds: 5 <= amount <= 10",
    "then": "a condition only asks; what follows from it stands under keys such as score or skip",
    **dict.fromkeys(("if", "else", "when", "unless"), "a condition only asks; write two rules"),
    **dict.fromkeys(("xor", "but", "nor"), 'join conditions with "and" or "or"'),
}
_MOST_LISTED = 20
_JOINTS = ("and", "or")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")
_VALUES = ("name", "string", "integer", "float")


def listed(words: Iterable[str]) -> str:
    """`a, b, c`, or the first few of many: each of many findings may list them."""
    every = list(words)
    rest = len(every) - _MOST_LISTED
    return ", ".join(every) if rest <= 0 else f"{', '.join(every[:_MOST_LISTED])} and {rest} others"


def comma(word: Word) -> Complaint:
    """A comma that stands outside of every list."""
    hint = "type numbers without it: 1000; a list stands in square brackets: ['a', 'b']"
    return about(word, "a comma has no meaning here", hint)


def misplaced(text: str, words: Sequence[Word], at: int) -> Complaint:
    """What is wrong with the words around a place where reading had to stop."""
    spoken = [word for word in words if word.kind != "whitespace"]
    place = next((index for index, word in enumerate(spoken) if word.start >= at), len(spoken))
    for index in range(min(place + 1, len(spoken))):
        if (found := _foreign(spoken, index, text)) is not None:
            return found
    if not spoken:
        return Complaint(0, len(text), "there is no condition here", "type one, such as amount > 5")
    if place == len(spoken):
        last = spoken[-1]
        hint = f'type a value behind "{last.text}"' if last.text in _COMPARISONS else "type the rest, or delete the end"
        return about(last, "the condition stops in the middle", hint)
    return _unexpected(spoken, place)


def _foreign(words: list[Word], index: int, text: str) -> Complaint | None:
    """A word that people say and conditions do not know."""
    word = words[index]
    if word.kind != "name":
        return None
    lower = word.text.lower()
    if lower in ("and", "or", "not", "in", "is") and lower != word.text:
        return about(word, f'"{word.text}" must be written in small letters', f'type "{lower}"')
    before, after = words[index - 1] if index else None, words[index + 1] if index + 1 < len(words) else None
    if lower == "is" and after is not None:
        return _is(words, index, text)
    joined = before is None or before.text in (*_JOINTS, "in", "not")
    if lower in _WORDY and not joined and before is not None and (before.kind != "operator" or before.text in ")]"):
        return about(word, f'"{word.text}" is not a word of conditions', _WORDY[lower])
    return None


def _is(words: list[Word], index: int, text: str) -> Complaint | None:
    negated = words[index + 1].text == "not"
    asked = words[index + 2 if negated else index + 1 :]
    if not asked or asked[0].text in ("defined", "undefined", *_JOINTS):
        return None
    said = text[words[index].start : asked[0].end]
    hint = is_hint(asked[0].text, negated=negated)
    message = f'"{said}" is not part of the language'
    return Complaint(words[index].start, asked[0].end, message, hint)


def is_hint(asked: str, *, negated: bool, name: str = "name") -> str:
    """What to type instead of `is` with something that is not `defined`."""
    no = "not " if negated else ""
    match asked.lower():
        case "none" | "null" | "missing" | "absent" | "blank":
            return f"type: {name} is {'' if negated else 'not '}defined"
        case "empty":
            return f"type: {name} {'!=' if negated else '=='} '', or {name} is {'' if negated else 'not '}defined"
        case "set" | "present" | "given" | "there" | "known":
            return f"type: {name} is {no}defined"
        case "true" | "yes" | "on":
            return f"type: {no}{name}"
        case "false" | "no" | "off":
            return f"type: {name}" if negated else f"type: not {name}"
        case "in" | "not":
            return 'leave out "is"'
        case word if word in _WORDY and not negated:
            return _WORDY[word]
    return f'type "{"!=" if negated else "=="}" to compare, or {name} is {no}defined to ask whether it is there'


def _unexpected(words: list[Word], place: int) -> Complaint:
    word, before = words[place], words[place - 1] if place else None
    if word.text == ",":
        return comma(word)
    for joint in (word, before):
        if joint is not None and joint.text in _JOINTS:
            hint = "type a condition on each side of it, such as amount > 5"
            return about(joint, f'"{joint.text}" has only one condition to join', hint)
    if before is not None and word.text == "not":
        return about(word, '"not" stands before a whole comparison', "type: not amount > 5")
    if before is not None and before.text in _COMPARISONS and word.text in _COMPARISONS:
        both = f"{before.text} {word.text}"
        hint = "type one of ==, !=, <, <=, >, >= and in"
        return Complaint(before.start, word.end, f'"{both}" is not a comparison', hint)
    if word.kind in _VALUES and before is not None:
        if before.kind in ("integer", "float"):
            hint = 'type the number alone, or "and" or "or" between two conditions'
        else:
            hint = 'type "and", "or" or a comparison between them; a text of several words stands in quotes'
        return about(word, f'nothing joins "{before.text}" and "{word.text}"', hint)
    return about(word, f'"{word.text}" is not expected here', "a condition looks like this: amount > 5")
