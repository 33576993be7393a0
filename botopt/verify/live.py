"""A workspace that is being edited: findings after every change, of files on the disk or of texts not saved yet.

    live = Live(folder)
    first = live.look()                                 # everything, once
    live.write("rules/payments.yaml", b"events: …")     # what an editor shows; None: the disk's again
    second = live.look()                                # only what that changed is read and checked
    more = rest(second)                                 # checks of the whole policy, which may take their time

What `look` and `rest` find together is what `validate` finds, and mistakes in rule tests besides. See ADR 10.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.files import find_tests, no_rules, read_bytes
from botopt.loading.parse.memory import Memory
from botopt.loading.policy import put_together
from botopt.loading.reader import Document, SourceText, read_data
from botopt.loading.snapshot import KINDS, models_in, take
from botopt.model.diagnostic import Diagnostic, has_errors, in_order
from botopt.model.policy import Policy
from botopt.verify.allowing import allow
from botopt.verify.checks import CHECKS
from botopt.verify.ruletest.reading import tests_in

TESTS = "tests"
"""The kind of files of rule tests, beside `rules` and `templates`."""

_PARTS = 24
"""Templates, and groups of conditions, that one glance looks at: some 0.1 s."""

_TEST_ENDS = (".test.yaml", ".test.yml")
_ENDS = (".yaml", ".yml")

Read = tuple[Document, tuple[Diagnostic, ...]]


class View(msgspec.Struct, frozen=True):
    """A workspace as it was at one look.

    `documents` are its files by name, each read, and `problems` what was found then. `kinds` says what each is:
    `rules`, `templates` or `tests`. `policy` is what is sound in it, the whole of it where `sound`; `is_read`: reading
    alone found no error. `diagnostics` are the findings that cost little, all of them if `whole`, without those in
    `allowed`, which comments allow. `open` are the files that an editor holds.
    """

    documents: Mapping[str, Document]
    kinds: Mapping[str, str]
    policy: Policy
    diagnostics: tuple[Diagnostic, ...]
    open: frozenset[str]
    problems: Mapping[str, tuple[Diagnostic, ...]]
    is_read: bool
    whole: bool = True
    allowed: tuple[Diagnostic, ...] = ()

    @property
    def sources(self) -> dict[str, SourceText]:
        """The texts of rules and templates."""
        return {name: one.source for name, one in self.documents.items() if self.kinds[name] != TESTS}

    @property
    def sound(self) -> bool:
        """Whether nothing that was found at once stops the policy from loading."""
        return not has_errors(one for one in self.diagnostics if self.kinds.get(one.position.file) != TESTS)


def kind_of(name: str) -> str | None:
    """What a file of this name is in a workspace: `rules`, `templates` or `tests`; None if it is not read."""
    path = PurePosixPath(name)
    if any(part.startswith(".") for part in path.parts) or not path.name.endswith(_ENDS) or len(path.parts) < 2:
        return None
    if path.name.endswith(_TEST_ENDS):
        return TESTS if path.parts[0] in (*KINDS, TESTS) else None
    return path.parts[0] if path.parts[0] in KINDS else None


class Live:
    """The files of one workspace, and what is known about them. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: dict[str, bytes] = {}
        self._disk: dict[str, bytes | Diagnostic] = {}
        self._misplaced: tuple[Diagnostic, ...] = ()
        self._read: dict[str, tuple[bytes | Diagnostic, Read]] = {}
        self._memory = Memory()
        self._checks = tuple(check.again() for check in CHECKS if check.again is not None)
        self.refresh()

    def write(self, name: str, data: bytes | None) -> None:
        """Let a file hold this, whatever the disk says; with None it holds again what the disk says."""
        if data is None:
            self._written.pop(name, None)
        else:
            self._written[name] = data

    def refresh(self) -> bool:
        """Look at the disk again; whether anything changed there."""
        snapshot = take(self.folder)
        found: dict[str, bytes | Diagnostic] = {file.name: file.data for file in snapshot.files}
        found |= {name: read_bytes(path, name) for path, name in find_tests(self.folder)}
        found |= models_in(self.folder)
        changed = found != self._disk or snapshot.findings != self._misplaced
        self._disk, self._misplaced = found, snapshot.findings
        return changed

    def look(self) -> View:
        """The workspace as it is now, with every finding that costs little."""
        with _undisturbed():
            return self._look(sys.maxsize)

    def glance(self) -> View:
        """The same in a time that nobody notices: where an edit concerns very much, the view is not `whole` yet.

        Each further glance looks at more, until one is.
        """
        with _undisturbed():
            return self._look(_PARTS)

    def _look(self, most: int) -> View:
        kinds = {name: kind for name in sorted({*self._disk, *self._written}) if (kind := kind_of(name)) is not None}
        # Rules come before templates, as they do wherever a workspace is read.
        read = {name: self._document(name) for kind in (*KINDS, TESTS) for name in kinds if kinds[name] == kind}
        for gone in self._read.keys() - read.keys():
            self._memory.forget(gone)
            del self._read[gone]
        parts = [(document, kinds[name]) for name, (document, _) in read.items() if kinds[name] != TESTS]
        problems = [one for name, (_, found) in read.items() if kinds[name] != TESTS for one in found]
        if not parts or not any(kind == KINDS[0] for _, kind in parts):
            problems += self._without_rules(bool(parts))
        policy, found = put_together(parts, [*self._misplaced, *problems], CHANNEL_TYPES, self.folder, self._memory)
        view = View(
            {name: document for name, (document, _) in read.items()},
            kinds,
            policy,
            found,
            frozenset(self._written),
            {name: found for name, (_, found) in read.items()},
            is_read=not has_errors(found),
        )
        checked = [_placed(view, one) for check in self._checks for one in check(policy, most)]
        whole = not any(check.left for check in self._checks)
        all_found = in_order((*found, *checked))
        left = allow(all_found, view.sources, complete=False).findings
        allowed = tuple(one for one in all_found if one not in left)
        view = msgspec.structs.replace(view, diagnostics=left, whole=whole, allowed=allowed)
        return msgspec.structs.replace(view, diagnostics=in_order((*left, *_tests(view, view.open))))

    def imagine(self, texts: Mapping[str, bytes]) -> View:
        """The workspace as it would be with these texts; it stays as it is."""
        before = dict(self._written)
        self._written |= texts
        try:
            return self.look()
        finally:
            self._written = before

    def _document(self, name: str) -> Read:
        data = self._written.get(name, self._disk.get(name, b""))
        known = self._read.get(name)
        if known is None or known[0] != data:
            self._memory.forget(name)
            known = self._read[name] = data, read_data(name, data)
        return known[1]

    def _without_rules(self, any_file: bool) -> list[Diagnostic]:
        """As where a workspace is read once: templates alone are no workspace, unless rules/ is there and empty."""
        return [] if any_file and (self.folder / KINDS[0]).is_dir() else [no_rules(self.folder)]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Garbage is looked for before or after, not while somebody waits."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def settle() -> None:
    """For programs that do nothing else: what was read by now stays, so garbage is not looked for in it again.

    To look through all of a large workspace takes longer than to read an edit.
    """
    gc.collect()
    gc.freeze()


def rest(view: View) -> tuple[Diagnostic, ...]:
    """What else there is to find: checks of the whole policy, and of the tests in files that are not open."""
    checks = [check for check in CHECKS if check.again is None and (view.is_read or not check.whole)]
    more = [_placed(view, one) for check in checks for one in check.findings(view.policy)]
    tests = _tests(view, view.documents.keys() - view.open)
    known = set(view.diagnostics)
    together = tuple(one for one in view.diagnostics if view.kinds.get(one.position.file) != TESTS)
    left = allow(in_order((*together, *view.allowed, *more)), view.sources).findings
    return in_order((*(one for one in left if one not in known), *tests))


def _tests(view: View, names: frozenset[str] | set[str]) -> tuple[Diagnostic, ...]:
    """Findings about these files of tests. What they send can be judged only by a policy that is whole."""
    wanted = sorted(name for name in names if view.kinds.get(name) == TESTS)
    if not wanted:
        return ()
    if not view.sound:
        return tuple(one for name in wanted for one in view.problems[name])
    return tests_in(view.policy, [(view.documents[name], view.problems[name]) for name in wanted]).diagnostics


def _placed(view: View, found: Diagnostic) -> Diagnostic:
    """A finding with the line that it is about."""
    document = view.documents.get(found.position.file)
    return (
        found if document is None else msgspec.structs.replace(found, source=document.source.line(found.position.line))
    )
