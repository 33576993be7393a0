"""A map of known keys, read one key after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from botopt.loading.parse import scalars
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import listed, shown
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.durations import parse_duration
from botopt.model.names import did_you_mean
from botopt.model.position import Position
from botopt.model.values import LARGEST


class Block:
    """A map whose keys are known. Making one reports the keys that are not.

    `what` names it in messages: `the event type "payment_failed"`. `place` is where a missing key is reported.
    `hints` says what to do about keys that people type here and that belong elsewhere.
    Each reading method gives None for a key that is absent, and for one whose value has a finding.
    """

    def __init__(
        self,
        findings: Findings,
        node: Map,
        keys: Collection[str],
        what: str,
        place: Position,
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self.findings = findings
        self.node = node
        self.what = what
        self.place = place
        self._nodes: dict[str, Node] = {}
        self._advice: list[str] = []
        for key, value in node.entries:
            if key.text in keys:
                self._nodes[key.text] = value
            else:
                hint = (hints or {}).get(key.text) or did_you_mean(key.text, keys)
                self._advice.append(hint)
                if not hint and findings.is_damaged(node):
                    findings.fault()  # it may have slipped here from a part that could not be read
                    continue
                hint = hint or f"there are {listed(keys, 'and')}"
                findings.report("B101", key.position, f"unknown key {shown(key)} in {what}", hint)

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def get(self, key: str) -> Node | None:
        """The value, unread."""
        return self._nodes.get(key)

    def key(self, name: str) -> Position:
        """Where a key stands; where the block does, if it is absent."""
        found = self.node.key(name)
        return found.position if found is not None else self.place

    def place_of(self, key: str) -> Position:
        """Where the value of a key stands."""
        node = self._nodes.get(key)
        return self.place if node is None else node.position

    def may_have(self, *keys: str) -> bool:
        """Whether one of these absent keys may be there after all: lost, or under a name that is not known."""
        if self.findings.is_damaged(self.node):
            return True
        return any(f'"{key}"' in advice or f"{key}:" in advice for advice in self._advice for key in keys)

    def needs(self, key: str, why: str = "", hint: str = "") -> bool:
        """Whether a required key is there; if not, there is a finding."""
        if key in self._nodes:
            return True
        if self.may_have(key):
            self.findings.fault()
            return False
        self.findings.report("B103", self.place, f"{self.what} has no {key}{why}", hint or f"add {key}: …")
        return False

    def text(self, key: str) -> str | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.text(self.findings, node, key)

    def number(self, key: str, low: float, high: float, *, above: bool = False, below: bool = False) -> float | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.number(self.findings, node, key, low, high, above=above, below=below)

    def integer(self, key: str, low: int = -LARGEST, high: int = LARGEST) -> int | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.integer(self.findings, node, key, low, high)

    def boolean(self, key: str, default: bool) -> bool:
        node = self._nodes.get(key)
        found = None if node is None else scalars.boolean(self.findings, node, key)
        return default if found is None else found

    def switch(self, key: str) -> bool | None:
        """`on` or `off`; `true` and `false` will do."""
        node = self._nodes.get(key)
        return None if node is None else scalars.switch(self.findings, node, key)

    def choice(self, key: str, options: Collection[str], meant: Mapping[str, str] = MappingProxyType({})) -> str | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.choice(self.findings, node, key, options, meant)

    def duration(self, key: str, also: str = "") -> int | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.duration(self.findings, node, key, also)

    def duration_of(self, key: str) -> int | None:
        """The duration without a finding about it; for those who look at it a second time."""
        node = self._nodes.get(key)
        return parse_duration(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def share(self, key: str) -> float | None:
        """A percentage, as a share from 0 to 1."""
        node = self._nodes.get(key)
        return None if node is None else scalars.share(self.findings, node, key)

    def share_of(self, key: str) -> float | None:
        """The share without a finding about it; for those who look at it a second time."""
        node = self._nodes.get(key)
        return scalars.share_in(node.value) if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def names(self, key: str, *, single: bool = False) -> tuple[Scalar, ...] | None:
        node = self._nodes.get(key)
        return None if node is None else scalars.names(self.findings, node, key, single=single)

    def block(self, key: str, keys: Collection[str], hint: str = "") -> Block | None:
        """A map of known keys inside this one; `hint` is for those who wrote something else."""
        node = self._nodes.get(key)
        inner = None if node is None else scalars.entries(self.findings, node, key, hint)
        return None if inner is None else Block(self.findings, inner, keys, key, self.key(key))


def _is_misplaced(findings: Findings, key: Scalar, node: Node, keys: Collection[str], what: str) -> bool:
    """Whether a key that belongs into a `what` stands where the name of one should: then there is a finding."""
    if key.text not in keys:
        return False
    if isinstance(node, Map) and (not node.entries or node.entries[0][0].text in keys):
        return False
    message = f"{shown(key)} stands where the name of {what} should"
    findings.report("B101", key.position, message, f"indent it, so that it belongs to {what}")
    return True


def without_misplaced(
    findings: Findings, entries: Iterable[tuple[Scalar, Node]], keys: Collection[str], what: str
) -> list[tuple[Scalar, Node]]:
    """The entries that are no keys of their neighbours; what is taken out is missing from the one before it."""
    found: list[tuple[Scalar, Node]] = []
    for key, node in entries:
        if not _is_misplaced(findings, key, node, keys, what):
            found.append((key, node))
        elif found:
            findings.damage(found[-1][1])
    return found
