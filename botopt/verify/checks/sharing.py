"""Work of seconds on two processors: a part of it in a forked process, which begins at once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from botopt.model.diagnostic import Diagnostic

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Part = TypeVar("_Part")
Look = Callable[[Sequence[_Part]], list[Diagnostic]]

PAYS_FROM = 64
"""Templates of six texts: looking at half of them takes some 0.1 s, a process of its own 0.03 s."""


THEIRS = 0.7
"""What the other process looks at: this one has other checks to run meanwhile."""


def shared(parts: Sequence[_Part], look: Look[_Part]) -> Iterable[Diagnostic]:
    """`look(parts)`, where the findings of many parts are those of each: many parts are shared by two processes.

    The other process begins at the call, this one when the result is asked for. Where the other ends early, for
    whatever reason, its parts are looked at here.
    """
    if len(parts) < PAYS_FROM or not _may_fork():
        return look(parts)
    from multiprocessing import get_context

    ours = len(parts) - int(len(parts) * THEIRS)
    context = get_context("fork")  # so that nothing needs to be read again there
    receiver, sender = context.Pipe(duplex=False)
    other = context.Process(target=_answer, args=(sender, look, parts[ours:]), daemon=True)
    other.start()
    sender.close()

    def found() -> Iterator[Diagnostic]:
        yield from look(parts[:ours])
        try:
            theirs = receiver.recv()
        except EOFError:
            theirs = look(parts[ours:])
        receiver.close()
        other.join()
        yield from theirs

    return found()


def _answer(sender: Connection, look: Look[_Part], parts: Sequence[_Part]) -> None:
    try:
        sender.send(look(parts))
    except Exception:  # noqa: BLE001  # whatever it is, it comes again in the process that can say so
        sender.close()


def _may_fork() -> bool:
    """Whether there is a second processor, and a copy of this process would work: other threads are not copied."""
    if sys.platform in ("win32", "darwin") or threading.active_count() > 1 or (os.cpu_count() or 1) < 2:
        return False
    from multiprocessing import current_process

    return not current_process().daemon
