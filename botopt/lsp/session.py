"""One workspace that an editor has open: its texts, its findings, and when to look again.

Everything that reads or checks happens in one thread of its own, so the server answers while it does; checks of the
whole policy, which may take long, in another, after a pause in the typing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from botopt.authoring.editing.workbench import Workbench
from botopt.model.diagnostic import Diagnostic, in_order
from botopt.verify.live import Live, View, kind_of, rest, settle

_Answer = TypeVar("_Answer")

TYPING_S = 0.04
"""The first edit is looked at immediately; what was typed meanwhile, so long after."""
PAUSE_S = 0.6
"""Checks of the whole policy wait for a pause of this length."""

Publish = Callable[["Session", Mapping[str, Sequence[Diagnostic]]], None]


def workspace_of(path: Path) -> tuple[Path, str] | None:
    """The workspace that a file belongs to, and its name there; None if it belongs to none."""
    for folder in path.parents:
        name = path.relative_to(folder).as_posix()
        if kind_of(name) is not None and (folder / "rules").is_dir():
            return folder, name
    return None


class Session:
    """What goes on in one workspace. Its methods belong to the thread of the event loop."""

    def __init__(self, folder: Path, publish: Publish, report: Callable[[Exception], None]) -> None:
        self.folder = folder
        self._publish = publish
        self._report = report
        self._reading = ThreadPoolExecutor(1, "botopt-reading")
        self._checking = ThreadPoolExecutor(1, "botopt-checking")
        self._live: Live | None = None
        self._bench: Workbench | None = None
        self._written: dict[str, bytes | None] = {}
        self._look_at_disk = False
        self._taken = False
        self._settled = False
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._later: asyncio.Task[None] | None = None
        self._rest: tuple[Diagnostic, ...] = ()
        self._published: dict[str, list[Diagnostic]] = {}

    def write(self, name: str, text: str | None) -> None:
        """A file holds this text now; None: what the disk says."""
        self._written[name] = None if text is None else text.encode("utf-8", "surrogatepass")
        self._rest = tuple(one for one in self._rest if one.position.file != name)
        self._begin()

    def refresh(self) -> None:
        """Something may have changed on the disk."""
        self._look_at_disk = True
        self._begin()

    def _begin(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Look until nothing is left to look at."""
        again = False
        while not self._is_current() or self._bench is None or not self._bench.view.whole:
            if again:  # somebody types fast: a look at every other key is enough
                await asyncio.sleep(0 if self._is_current() else TYPING_S)
            again = True
            written, self._written = self._written, {}
            refresh, self._look_at_disk = self._look_at_disk, False
            self._taken = bool(written) or refresh
            try:
                self._bench = await self._in_thread(partial(self._looked, written, refresh=refresh))
            except Exception as fault:  # noqa: BLE001  # a fault of botopt's own: the next edit may be without it
                self._taken = False
                self._report(fault)
                self._news.set()
                return
            self._taken = False
            if not self._written:
                self._show(written.keys())
            self._news.set()
        self._later = asyncio.create_task(self._look_at_the_rest())

    def _looked(self, written: Mapping[str, bytes | None], *, refresh: bool) -> Workbench:
        """In the thread that reads."""
        first = self._live is None
        live = self._live or Live(self.folder)
        self._live = live
        for name, data in written.items():
            live.write(name, data)
        if refresh and not first:
            live.refresh()
        bench = Workbench(live.glance(), self._bench)
        if bench.view.whole and (self._bench is None or not self._settled):
            self._settled = True
            settle()
        return bench

    async def _look_at_the_rest(self) -> None:
        await asyncio.sleep(PAUSE_S)
        bench = self._bench
        assert bench is not None
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._checking, rest, bench.view)
        except Exception as fault:  # noqa: BLE001  # as above
            self._report(fault)
            return
        if bench is self._bench:
            self._rest = found
            self._show()

    def _show(self, edited: Collection[str] = ()) -> None:
        """Publish what is known now, for every file whose findings are others than before, or whose text is."""
        by_file: dict[str, list[Diagnostic]] = {}
        known = () if self._bench is None else self._bench.view.diagnostics
        for one in in_order((*known, *self._rest)):
            by_file.setdefault(one.position.file, []).append(one)
        files = {*by_file, *self._published}
        changed = [file for file in sorted(files) if by_file.get(file) != self._published.get(file) or file in edited]
        self._published = by_file
        self._publish(self, {file: by_file.get(file, []) for file in changed})

    @property
    def view(self) -> View | None:
        """The latest view, if there is any yet."""
        return None if self._bench is None else self._bench.view

    def findings(self, file: str) -> tuple[Diagnostic, ...]:
        """What is known about a file, the rest included."""
        known = () if self._bench is None else self._bench.view.diagnostics
        return tuple(one for one in in_order((*known, *self._rest)) if one.position.file == file)

    async def latest(self) -> Workbench:
        """What is known, as soon as there is anything: it may be older than the last key."""
        if self._bench is None:
            return await self.settled()
        return self._bench

    async def settled(self) -> Workbench:
        """What is known once every edit so far was looked at."""
        while self._bench is None or not self._is_current():
            self._news.clear()
            if self._looking is None or self._looking.done():
                self._begin()
            await self._news.wait()
            if self._bench is None:
                raise RuntimeError("the workspace could not be looked at")
        return self._bench

    def _is_current(self) -> bool:
        """Whether everything that was typed was looked at."""
        return not (self._written or self._look_at_disk or self._taken)

    async def ask(self, question: Callable[[Live, Workbench], _Answer]) -> _Answer:
        """Ask what only the thread that reads can answer, about the workspace as it is now."""
        bench = await self.settled()
        live = self._live
        assert live is not None
        return await self._in_thread(lambda: question(live, bench))

    async def _in_thread(self, work: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    def close(self) -> None:
        """Let the threads end."""
        for task in (self._looking, self._later):
            if task is not None:
                task.cancel()
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._checking.shutdown(wait=False, cancel_futures=True)
