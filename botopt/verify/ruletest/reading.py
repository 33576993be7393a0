"""Files of rule tests -> tests, and findings. What a test sends is checked by the very code that checks events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from botopt.loading.files import find_tests, read_bytes
from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.plain import plain
from botopt.loading.parse.sections import losses
from botopt.loading.parse.wording import listed, shown
from botopt.loading.reader import Document, Map, Node, Scalar, read_data
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.model.event import Event, Rejected
from botopt.model.instants import instant_text, instant_us
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import Policy, Value
from botopt.sources.envelope import Decoder
from botopt.sources.reserved import FAILURE
from botopt.verify.ruletest.expecting import read_expectation
from botopt.verify.ruletest.model import RuleTest, Step, Tests

BEGIN = "2026-03-02T09:00:00Z"
"""When a test begins that does not say it: a Monday."""

KINDS: Mapping[str, str] = {
    "send": "",
    "click": "message.clicked",
    "convert": "message.converted",
    "dismiss": "message.dismissed",
    "fail": "message.failed",
    "update": "user.updated",
    "subscribe": "user.subscribed",
    "unsubscribe": "user.unsubscribed",
    "active": "user.active",
    "delete": "user.deleted",
    "advance": "",
}
"""The kinds of steps, each with the event that it brings."""

_FEEDBACK = ("click", "convert", "dismiss", "fail")
_TEST = ("name", "at", "user", "steps")
_MORE = ("with", "after", "late", "id", "expect")
_OWNERS: Mapping[str, tuple[str, ...]] = {"with": ("send", "fail"), "late": ("send",), "id": ("send",)}
"""The kinds of steps that a key belongs to."""


def read_tests(policy: Policy, workspace: Path, files: Iterable[Path] = ()) -> Tests:
    """The tests in these files; in all files of the workspace that end in `.test.yaml` if none is named."""
    named = [(path, path.as_posix()) for path in files] or list(find_tests(workspace))
    return tests_in(policy, [read_data(name, read_bytes(path, name)) for path, name in named])


def tests_in(policy: Policy, read: Iterable[tuple[Document, tuple[Diagnostic, ...]]]) -> Tests:
    """The tests in files that were read, each with what was found then."""
    tests: list[RuleTest] = []
    found: list[Diagnostic] = []
    names: list[str] = []
    for document, problems in read:
        names.append(document.file)
        findings = Findings(losses([document], problems))
        reader = _Reader(policy, findings)
        if document.root is not None:
            tests += reader.tests(document.root)
        found += [
            one if one.source else msgspec.structs.replace(one, source=document.source.line(one.position.line))
            for one in (*problems, *findings.all)
        ]
    return Tests(tuple(tests), in_order(found), tuple(names))


class _Reader:
    """Reads one file."""

    def __init__(self, policy: Policy, findings: Findings) -> None:
        self.policy = policy
        self.findings = findings
        self._decoder = Decoder(policy)

    def tests(self, root: Node) -> list[RuleTest]:
        top = scalars.entries(self.findings, root, "a file of rule tests", "begin with tests:")
        if top is None:
            return []
        block = Block(self.findings, top, ("tests",), "a file of rule tests", top.position)
        if not block.needs("tests"):
            return []
        node = block.get("tests")
        assert node is not None
        found: dict[str, RuleTest] = {}
        for entry in scalars.items(self.findings, node, "tests") or ():
            test = self._test(entry)
            if test is not None and found.setdefault(test.name, test) is not test:
                place = found[test.name].position
                message = f"another test is called {shown(_named(entry))}, in line {place.line}"
                self.findings.report("B108", test.position, message, "give one of them another name")
        return list(found.values())

    def _test(self, node: Node) -> RuleTest | None:
        before = self.findings.faults
        inner = scalars.entries(self.findings, node, "each test", "a test has a name and steps")
        if inner is None:
            return None
        block = Block(self.findings, inner, _TEST, "a test", inner.position)
        name = block.text("name") if block.needs("name") else None
        at_us = self._begin(block)
        user, attributes = self._user(block, at_us)
        steps: list[Step] = []
        if block.needs("steps"):
            node = block.get("steps") or inner
            for number, entry in enumerate(scalars.items(self.findings, node, "steps") or (), 1):
                step = self._step(entry, number, user, at_us, steps)
                if step is not None:
                    steps.append(step)
        if name is None or self.findings.faults > before:
            return None
        return RuleTest(name, block.place_of("name"), at_us, user, attributes, tuple(steps))

    def _begin(self, block: Block) -> int:
        text = block.text("at")
        try:
            return instant_us(text or BEGIN)
        except ValueError:
            place, said = block.place_of("at"), f'at must be a time with an offset, not "{text}"'
            self.findings.report("B109", place, said, f"such as at: {BEGIN}")
            return instant_us(BEGIN)

    def _user(self, block: Block, at_us: int) -> tuple[str, Mapping[str, Value]]:
        node = block.get("user")
        inner = None if node is None else scalars.entries(self.findings, node, "user", "such as user: {plan: pro}")
        if inner is None:
            return "u1", {}
        data = self._data(inner, {**BUILT_IN_ATTRIBUTES, **self.policy.attributes}, "user")
        user = data.pop("id", "u1")
        if not isinstance(user, str):
            self.findings.report("B104", inner.position, "the id of a user is a text", 'put it in quotes: id: "1"')
            return "u1", {}
        read = self._decoded("user.updated", user, data, at_us)
        if isinstance(read, Rejected):
            self._refused(read, inner)
            return user, {}
        return user, {} if read is None else {name: value for name, value in read.data.items() if value is not None}

    def _step(self, node: Node, number: int, user: str, at_us: int, earlier: list[Step]) -> Step | None:
        before = self.findings.faults
        inner = scalars.entries(self.findings, node, "each step", "such as send: payment_failed")
        if inner is None:
            return None
        block = Block(self.findings, inner, (*KINDS, *_MORE), "a step", inner.position)
        kinds = [kind for kind in KINDS if kind in block]
        if len(kinds) != 1:
            what = f"has {listed(kinds, 'and')}: one thing at a time" if kinds else "does nothing"
            hint = "make two steps of it" if kinds else f"say one of {listed(KINDS)}"
            if not self.findings.is_damaged(inner) and not block.may_have(*KINDS):
                self.findings.report("B113", inner.position, f"this step {what}", hint)
            return None
        kind = kinds[0]
        expect_node = block.get("expect")
        expect = None if expect_node is None else read_expectation(self.findings, self.policy, expect_node)
        step = Step(
            kind=kind,
            words=f"{kind}: {_short(block.get(kind))}",
            position=block.key(kind),
            event_type=KINDS[kind],
            id=block.text("id") or f"step-{number}",
            after_us=block.duration("after") or 0,
            late_us=block.duration("late") or 0,
            expect=expect,
        )
        self._fits(block, kind)
        step = self._filled(block, step, user, at_us, earlier)
        return step if self.findings.faults == before else None

    def _fits(self, block: Block, kind: str) -> None:
        for key, owners in _OWNERS.items():
            if key in block and kind not in owners:
                message = f"{key} belongs to {listed(owners, 'and')}, not to {kind}"
                self.findings.report("B113", block.key(key), message, f"delete {key}")
        if "after" in block and kind == "advance":
            self.findings.report("B113", block.key("after"), "advance already moves the clock", "add the two times")

    def _filled(self, block: Block, step: Step, user: str, at_us: int, earlier: list[Step]) -> Step:
        node = block.get(step.kind)
        assert node is not None
        if step.kind == "advance":
            return msgspec.structs.replace(step, after_us=block.duration("advance") or 0)
        if step.kind == "send":
            return self._sent(block, step, user, at_us)
        if step.kind in _FEEDBACK:
            return self._answered(block, self._feedback(step, node, earlier), user, at_us)
        specs = {**BUILT_IN_ATTRIBUTES, **self.policy.attributes} if step.kind == "update" else None
        inner = node if isinstance(node, Map) else None
        if step.kind == "delete":
            scalars.boolean(self.findings, node, "delete")
            return step
        if step.kind == "active":
            return self._active(step, node)
        if inner is None:
            scalars.entries(self.findings, node, step.kind, f"such as {step.kind}: {{}}")
            return step
        data = self._data(inner, specs, step.kind)
        return self._checked(msgspec.structs.replace(step, data=data), user, at_us, inner)

    def _sent(self, block: Block, step: Step, user: str, at_us: int) -> Step:
        name = block.text("send")
        if name is None:
            return step
        if name not in self.policy.events:
            hint = did_you_mean(name, self.policy.events) or "declare it in a rules file"
            self.findings.report("B102", block.place_of("send"), f'there is no event type "{name}"', hint)
            return step
        node = block.get("with")
        inner = None if node is None else scalars.entries(self.findings, node, "with", "such as with: {amount: 42}")
        data = {} if inner is None else self._data(inner, self.policy.events[name].fields, f'"{name}"')
        place = inner if inner is not None else block.node
        return self._checked(msgspec.structs.replace(step, event_type=name, data=data), user, at_us, place)

    def _feedback(self, step: Step, node: Node, earlier: list[Step]) -> Step:
        about = scalars.text(self.findings, node, step.kind)
        sends = {one.id: one for one in earlier if one.kind == "send"}
        known = ("last", *sends, *self.policy.events)
        if about is not None and about not in known:
            message = f'"{about}" is neither last, nor the id of an earlier send, nor an event type'
            self.findings.report("B102", node.position, message, did_you_mean(about, known) or "type last")
        return msgspec.structs.replace(step, about=about or "last")

    def _active(self, step: Step, node: Node) -> Step:
        """`active: true`, or the name of a channel."""
        if self.findings.is_flawed(node):
            return step
        channel = node.value if isinstance(node, Scalar) else None
        if channel is True:
            return step
        if not isinstance(channel, str):
            message = f"active must be true or the name of a channel, not {shown(node)}"
            self.findings.report("B104", node.position, message, "type active: true")
        elif channel not in self.policy.channels:
            hint = did_you_mean(channel, self.policy.channels) or "type true where the channel does not matter"
            self.findings.report("B102", node.position, f'there is no channel "{channel}"', hint)
        return msgspec.structs.replace(step, data={"channel": channel})

    def _answered(self, block: Block, step: Step, user: str, at_us: int) -> Step:
        """A failure may say why, and until when the provider takes nothing more."""
        node = block.get("with") if step.kind == "fail" else None
        inner = None if node is None else scalars.entries(self.findings, node, "with", "such as with: {reason: full}")
        if inner is None:
            return step
        data = self._data(inner, FAILURE, step.event_type)
        return self._checked(msgspec.structs.replace(step, data=data), user, at_us, inner)

    def _data(self, node: Map, specs: Mapping[str, object] | None, owner: str) -> dict[str, object]:
        """Plain data. Where the names are known, others have a finding."""
        data: dict[str, object] = {}
        for key, value in node.entries:
            if specs is not None and key.text not in specs:
                hint = did_you_mean(key.text, specs) or (f"there are {listed(specs, 'and')}" if specs else "delete it")
                self.findings.report("B102", key.position, f"{owner} has no {shown(key)}", hint)
            data[key.text] = plain(self.findings, value)
        return data

    def _checked(self, step: Step, user: str, at_us: int, node: Map) -> Step:
        """Says what is wrong with the data, unless the test is about just that."""
        read = self._decoded(step.event_type, user, step.data, at_us)
        wants = {} if step.expect is None else step.expect.wanted
        if isinstance(read, Rejected) and "rejected" not in (wants.get("outcome"), wants.get("reason")):
            self._refused(read, node)
        return step

    def _refused(self, read: Rejected, node: Map) -> None:
        place = node.get(read.by or "")
        where = node.position if place is None else place.position
        if isinstance(place, Scalar) and place.flawed:
            self.findings.fault()
            return
        hint = "if that is what you test: expect: {outcome: rejected}"
        self.findings.report("B112", where, read.detail, hint)

    def _decoded(self, event_type: str, user: str, data: Mapping[str, object], at_us: int) -> Event | Rejected | None:
        return self._decoder.decode(wire(event_type, "check", user, at_us, data), 1)


def wire(event_type: str, event_id: str, user: str, time_us: int, data: Mapping[str, object]) -> bytes:
    """An event as it comes in."""
    event = {"id": event_id, "type": event_type, "user": user, "time": instant_text(time_us), "data": data}
    return msgspec.json.encode(event)


def _named(node: Node) -> Node:
    return (node.get("name") if isinstance(node, Map) else None) or node


def _short(node: Node | None) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Map) and node.entries:
        return "{" + ", ".join(f"{key.text}: {_short(value)}" for key, value in node.entries) + "}"
    return "{}"
