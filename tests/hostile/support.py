"""What the tests of hostile input share: the corpus, a mutator with fixed seeds, and a process with limits.

`BOTOPT_FUZZ` multiplies how many examples are tried; 1 is the short form.
"""

from __future__ import annotations

import os
import random
import re
import resource
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

CORPUS = Path(__file__).parent / "corpus"
FUZZ = max(1, int(os.environ.get("BOTOPT_FUZZ", "1")))
"""How many times as many examples as in the short form."""

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What no finding may hold: a line break would make two of it, an escape would speak to the terminal."""

_MEMORY = 256 << 20
_SECONDS = 10
_PATIENCE = 120
_EXECUTES = re.compile(
    r"os\.(?:system|exec|spawn|posix_spawn|fork|forkpty|startfile|kill|putenv|link|symlink)"
    r"|subprocess\.|socket\.|ctypes\.|pickle\.|urllib\.|ftplib\.|smtplib\.|pty\.|code\.__new__|builtins\.input"
    r"|sys\.settrace|webbrowser\."
)
"""Audit events that no reader of input ever has a reason for."""


def corpus(kind: str) -> dict[str, bytes]:
    """The files of one kind, by name."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / kind).iterdir())}


def mutants(kind: str, tokens: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """`count` changed copies of each file of a kind, each with the seed that makes it again."""
    files = corpus(kind)
    others = list(files.values())
    for name, content in files.items():
        for number in range(count):
            seed = f"{kind}/{name}:{number}"
            yield seed, mutant(content, tokens, others, seed)


def mutant(content: bytes, tokens: list[bytes], others: list[bytes], seed: str) -> bytes:
    """One to six random edits of bytes and tokens; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice((1, 1, 2, 5, 20, 100)))
        before, piece, after = content[:start], content[start:end], content[end:]
        match chance.randrange(9):
            case 0:
                content = before + after
            case 1:
                content = before + bytes([chance.randrange(256)]) + after
            case 2 | 3 | 4:
                content = before + chance.choice(tokens) + piece + after
            case 5:
                content = before + chance.choice(tokens) + after
            case 6:
                content = before + piece * chance.choice((2, 3, 50)) + after
            case 7:
                other = chance.choice(others)
                cut = chance.randrange(len(other) + 1)
                content = before + other[cut : cut + chance.choice((5, 50, 500))] + after
            case _:
                content = before
    return content


def nested(wrapper: str, core: str, depth: int) -> str:
    """A wrapper in itself; where it holds two, only the first goes on."""
    text = core
    for _ in range(depth):
        text = wrapper.replace("{}", text, 1).replace("{}", core)
    return text


Lines = Mapping[str, list[int]]
"""How long each line of each file is."""


def lengths(texts: Mapping[str, str]) -> Lines:
    """What `check_place` wants to know of these files."""
    return {file: [len(line) for line in re.split(r"\r\n|\r|\n", text)] for file, text in texts.items()}


def check_finding(found: Diagnostic, files: Lines) -> None:
    """A finding says what is wrong, on one line of what can be printed, at a place inside its file."""
    assert not UNPRINTABLE.search(found.message + found.hint), found
    check_place(found, files)


def check_place(found: Diagnostic, files: Lines) -> None:
    """A finding says what is wrong, at a place inside its file."""
    assert found.code
    assert found.message
    lines = files.get(found.position.file)
    assert lines is None or is_inside(found.position, lines), found


def is_inside(place: Position, lines: list[int]) -> bool:
    """Whether a position begins and ends in a text with lines of these lengths."""
    if not 1 <= place.line <= place.end_line <= len(lines):
        return False
    ends = ((place.line, place.column), (place.end_line, place.end_column))
    return ends[0] <= ends[1] and all(1 <= column <= lines[line - 1] + 1 for line, column in ends)


def limited(
    task: Callable[[], object], *, seconds: int = _SECONDS, memory: int = _MEMORY, patience: int = _PATIENCE
) -> str:
    """What a task returns, as text, run in a process of its own that may use so much processor time and memory.

    A task that needs more, raises, or does what input must never make it do gives a text that begins with `failed`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _run(task, write, seconds, memory)
    os.close(write)
    try:
        said = _answer(read, patience)
        if said is None:
            return f"failed: it waits for something, after {patience} s"
    finally:
        os.close(read)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return said or f"failed: killed with status {status} after {seconds} s of processor time or by memory"


def _run(task: Callable[[], object], write: int, seconds: int, memory: int) -> None:
    executed: list[str] = []
    said = "failed: it ended the process"
    try:
        sys.addaudithook(lambda event, _: executed.append(event) if _EXECUTES.match(event) else None)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        with suppress(OSError):  # only Linux tells how much is in use
            used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
        said = str(task())
    except BaseException as fault:  # noqa: BLE001 - the other process tells this one
        said = f"failed: {type(fault).__name__}: {str(fault)[:500]}"
    finally:
        answer = f"failed: it did {executed}" if executed else said
        os.write(write, answer.encode(errors="replace")[:60_000])
        os._exit(0)


def _answer(read: int, patience: int) -> str | None:
    parts: list[bytes] = []
    while True:
        if not select.select([read], [], [], patience)[0]:
            return None
        part = os.read(read, 65_536)
        if not part:
            return b"".join(parts).decode()
        parts.append(part)
