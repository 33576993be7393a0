"""`when` and `unless`: a condition, a list of them, or `all` / `any` / `not` nested as needed."""

from __future__ import annotations

import msgspec

from botopt.loading.expression import asked_beside, read_condition
from botopt.loading.parse import scalars
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.condition import All, AnyOf, Condition, Constant, Not
from botopt.model.diagnostic import has_errors
from botopt.model.names import Names, did_you_mean
from botopt.model.policy import When

_WORDS = ("all", "any", "not")


class InReach(msgspec.Struct, frozen=True):
    """The names a condition may use.

    `unsure`: some of them could not be read, so none is called unknown. `is_used` is false for what no event type
    reaches, where nobody can say which names there will be. `conflict_hint`: what to do about a field that two event
    types declare differently, where that is not to narrow a suppression. `thought_of`: a condition beside this one asks
    whether they are there.
    """

    names: Names
    unsure: bool = False
    is_used: bool = True
    conflict_hint: str = ""
    thought_of: frozenset[str] = frozenset()

    def doubtful(self) -> frozenset[str]:
        """The codes of findings that may be wrong here."""
        if not self.is_used:
            return frozenset({"B203", "B204", "B205", "B208"})
        return frozenset({"B203"}) if self.unsure else frozenset()


def read_when(findings: Findings, node: Node, key: str, reach: InReach) -> When | None:
    """The condition that stands at `key`, or None if there are findings about it."""
    found = _read(findings, node, key, reach)
    return None if found is None else When(found[0], found[1], node.position)


_Found = tuple[Condition, str]


def _read(findings: Findings, node: Node, key: str, reach: InReach) -> _Found | None:
    match node:
        case Scalar():
            return _one(findings, node, key, reach)
        case Sequence():
            parts = _each(findings, node, key, reach, every=True)
            return None if parts is None else _joined(parts, "and")
        case Map():
            return _combined(findings, node, key, reach)


def _one(findings: Findings, node: Scalar, key: str, reach: InReach) -> _Found | None:
    if findings.is_flawed(node):
        return None
    if isinstance(node.value, bool):
        return Constant(node.value), "true" if node.value else "false"
    if not isinstance(node.value, str):
        findings.report("B104", node.position, f"{key} must be a condition such as amount > 5, not {shown(node)}")
        return None
    if not node.value.strip():
        findings.report("B111", node.position, f"{key} is empty", f"type a condition, or delete {key}")
        return None
    condition, found = read_condition(node.text, node, reach.names, reach.thought_of)
    said = [diagnostic for diagnostic in found if diagnostic.code not in reach.doubtful()]
    for diagnostic in said:
        is_conflict = reach.conflict_hint and diagnostic.message in reach.names.conflicts.values()
        findings.add(msgspec.structs.replace(diagnostic, hint=reach.conflict_hint) if is_conflict else diagnostic)
    if condition is None and not has_errors(said):
        if not reach.is_used:
            return Constant(False), node.text
        findings.fault()
    return None if condition is None else (condition, " ".join(node.text.split()))


def _each(findings: Findings, node: Node, key: str, reach: InReach, *, every: bool) -> list[_Found] | None:
    entries = scalars.items(findings, node, key)
    if entries is None:
        return None
    texts = [entry.text for entry in entries if isinstance(entry, Scalar)]
    reach = msgspec.structs.replace(reach, thought_of=reach.thought_of | asked_beside(texts, every=every))
    parts = [_part(findings, entry, f"each entry of {key}", reach) for entry in entries]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else None


def _joined(parts: list[_Found], word: str) -> _Found:
    if len(parts) == 1:
        return parts[0]
    conditions = tuple(condition for condition, _ in parts)
    text = f" {word} ".join(f"({said})" for _, said in parts)
    return (All(conditions) if word == "and" else AnyOf(conditions)), text


def _combined(findings: Findings, node: Map, key: str, reach: InReach) -> _Found | None:
    known = []
    for name, value in node.entries:
        if name.text in _WORDS:
            known.append((name, value))
        else:
            hint = did_you_mean(name.text, _WORDS) or "there are all, any and not; a condition itself is a text"
            findings.report("B101", name.position, f"unknown key {shown(name)} in {key}", hint)
    if len(known) > 1:
        place, words = known[1][0].position, " and ".join(name.text for name, _ in known)
        findings.report("B113", place, f"{words} stand side by side in {key}", "make them entries of one all: […]")
        return None
    if not known:
        if not node.entries:
            findings.report("B111", node.position, f"{key} is empty", f"type a condition, or delete {key}")
        return None
    name, value = known[0]
    if name.text != "not":
        parts = _each(findings, value, name.text, reach, every=name.text == "all")
        return None if parts is None else _joined(parts, "and" if name.text == "all" else "or")
    inner = _part(findings, value, "not", reach)
    return None if inner is None else (Not(inner[0]), f"not ({inner[1]})")


def _part(findings: Findings, node: Node, key: str, reach: InReach) -> _Found | None:
    """A condition inside another: a list there would not say whether all or any must hold."""
    if isinstance(node, Sequence):
        hint = "write {all: […]} if all must hold, {any: […]} if one is enough"
        findings.report("B104", node.position, f"{key} must be one condition, not a list", hint)
        return None
    return _read(findings, node, key, reach)
