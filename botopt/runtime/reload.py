"""The policy changes while the service runs: compiled beside the one that decides, and swapped between two groups.

A policy with errors changes nothing: the last good one goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from botopt.loading.stamps import Stamp, folders, stamp
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.errors import BotoptError
from botopt.model.policy import Policy
from botopt.runtime.clock import Clock
from botopt.runtime.serving import Serving, serve

FINDINGS_SHOWN = 5

_LOOK_EVERY_MS = 1_000
"""Where the system tells of no changes (network drives), looking still finds them."""
_SETTLED_S = 0.1
"""How long nothing must change before the files are read: editors and git write several."""
_MOST_LOOKS = 50

_LONGEST_END_S = 5.0
"""How long the end of a service waits for files that are being read, from a network drive that hangs for example."""


class Loaded(msgspec.Struct, frozen=True):
    """A workspace as it was read: its policy, or None where `findings` has errors."""

    policy: Policy | None
    findings: Sequence[Diagnostic] = ()
    revision: str | None = None


Loader = Callable[[], Loaded]
"""Reads and checks the workspace. It may raise BotoptError for a folder that cannot be read."""


class RefusedPolicy(msgspec.Struct, frozen=True):
    """A change that was refused: since when, how many errors it has, and the first of them in words."""

    at_us: int
    errors: int
    findings: tuple[str, ...]
    revision: str | None = None


class Reloading:
    """Watches a workspace, and reloads it when it changes or when somebody asks.

    Args:
        loader: reads and checks the workspace.
        swap: hands the new policy to the writer and returns when it decides.
        current: the revision that decides now.
        changed: is told of a new policy, after the swap, and of a refused one; in this thread.
    """

    def __init__(
        self,
        loader: Loader,
        swap: Callable[[Serving], tuple[str, ...]],
        current: Callable[[], str],
        clock: Clock,
        changed: Callable[[Serving | RefusedPolicy, tuple[str, ...]], None],
    ) -> None:
        self._loader = loader
        self._swap = swap
        self._current = current
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._threads: list[threading.Thread] = []
        self.refused: RefusedPolicy | None = None

    def reload_now(self) -> RefusedPolicy | None:
        """Read the workspace again; None: what it says decides now. The calling thread does the work."""
        with self._lock:
            try:
                return self._reload()
            except BotoptError as fault:
                return self._refuse((str(fault),), None)
            except Exception as fault:  # noqa: BLE001 a fault of ours in a check must not end the watching
                return self._refuse((f"botopt failed on this workspace: {type(fault).__name__}: {fault}",), None)

    def _reload(self) -> RefusedPolicy | None:
        loaded = self._loader()
        policy = loaded.policy
        if policy is None:
            return self._refuse(_errors(loaded.findings), loaded.revision)
        if policy.revision == self._current():
            self.refused = None
            return None
        serving = serve(policy, self._clock())
        notices = self._swap(serving)
        self.refused = None
        self._changed(serving, notices)
        return None

    def ask(self) -> None:
        """Let a thread reload soon. Comes back at once."""
        self._asked.set()

    def start(self, workspace: Path | None) -> None:
        """Watch the files of a workspace, if one is given, and wait for those who ask."""
        self._threads = [threading.Thread(target=self._serve, name="botopt-reload", daemon=True)]
        if workspace is not None:
            given = workspace, stamp(workspace)
            self._threads.append(threading.Thread(target=self._watch, args=given, name="botopt-watch", daemon=True))
            self.ask()  # it may have changed since it was loaded
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; returns when both threads have, or hang: what they read is not taken any more."""
        self._stop.set()
        self._asked.set()
        end = time.monotonic() + _LONGEST_END_S
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0))

    def _serve(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._stop.is_set():
                return
            self.reload_now()

    def _watch(self, workspace: Path, before: Stamp) -> None:
        """Whatever tells of changes, what counts is that the files are not as they were."""
        while not self._stop.is_set():
            try:
                watched = folders(workspace, ())
                for _ in self._looks(watched):
                    after = self._settled(workspace)
                    if after != before:
                        before = after
                        self.ask()
                    if folders(workspace, ()) != watched:
                        break
            except OSError:  # a file that went while it was looked at
                self._stop.wait(_LOOK_EVERY_MS / 1_000)

    def _looks(self, watched: Sequence[Path]) -> Iterator[object]:
        """When to look: at once after a change that the system tells of, and every second."""
        import watchfiles

        try:
            if watched:
                yield from watchfiles.watch(
                    *watched,
                    watch_filter=None,
                    recursive=False,
                    stop_event=self._stop,
                    rust_timeout=_LOOK_EVERY_MS,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                )
                return
        except (OSError, RuntimeError):  # a folder that is gone again, or no more watches to be had
            pass
        self._stop.wait(_LOOK_EVERY_MS / 1_000)
        yield None

    def _settled(self, workspace: Path) -> Stamp:
        """The files when whoever writes them has come to an end."""
        for _ in range(_MOST_LOOKS):
            before = stamp(workspace)
            if self._stop.wait(_SETTLED_S) or stamp(workspace) == before:
                break
        return stamp(workspace)

    def _refuse(self, findings: Sequence[str], revision: str | None) -> RefusedPolicy:
        refused = RefusedPolicy(self._clock(), len(findings), tuple(findings[:FINDINGS_SHOWN]), revision)
        self.refused = refused
        self._changed(refused, ())
        return refused


def _errors(findings: Sequence[Diagnostic]) -> tuple[str, ...]:
    return tuple(f"{one.position} {one.code} {one.message}" for one in findings if one.severity is Severity.ERROR)
