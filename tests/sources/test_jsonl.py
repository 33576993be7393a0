"""Lines from files: whole, in order, bounded; and what is said about files that cannot be read."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import random
import re
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.errors import InputError
from botopt.model.event import Line, Rejected, line_digest
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import MAX_LINE_BYTES, InputFile, LongLine, _blocks
from tests.sources.helpers import POLICY, read_lines
from tests.state.helpers import ROOT, as_anybody

TEXT = b'{"a": 1}\n\n{"b": 2}\r\n\r\n\xff\xfe'
LINES = [(1, b'{"a": 1}'), (2, b""), (3, b'{"b": 2}'), (4, b""), (5, b"\xff\xfe")]

zst = zstandard.ZstdCompressor().compress
SKIPPED_FRAME = struct.pack("<II", 0x184D2A50, 4) + b"abcd"

FILES: list[tuple[str, bytes]] = [
    ("a.jsonl", TEXT),
    ("a", TEXT),
    ("a.jsonl", TEXT + b"\n"),
    ("a.jsonl.gz", gzip.compress(TEXT, mtime=0)),
    (
        "a.jsonl.gz",
        gzip.compress(TEXT[:12], mtime=0)
        + gzip.compress(b"", mtime=0)
        + gzip.compress(TEXT[12:], mtime=0)
        + bytes(100),
    ),
    ("a.jsonl", gzip.compress(TEXT, mtime=0)),
    ("a.jsonl.zst", zst(TEXT)),
    ("a.jsonl.zst", SKIPPED_FRAME + zst(TEXT[:12]) + SKIPPED_FRAME + zst(TEXT[12:]) + SKIPPED_FRAME),
    ("a.jsonl", zst(TEXT)),
]


@pytest.mark.parametrize(("name", "content"), FILES)
def test_lines(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert list(read_lines(str(path), input=3)) == LINES
    with InputFile(str(path), 3) as file:
        assert (file.size, file.position(), file.interactive) == (len(content), 0, False)
        assert list(file) == [Line(number, raw, 3) for number, raw in LINES]
        assert file.position() == len(content)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    assert list(read_lines(str(path))) == []


BROKEN: list[tuple[str, bytes | None, str]] = [
    ("a.jsonl", None, "there is no file {}"),
    ("a.gz", gzip.compress(TEXT, mtime=0)[:-3], "{} is cut off: its end is missing, so its last lines cannot be read"),
    ("a.gz", gzip.compress(TEXT, mtime=0)[:5], "{} is cut off: its end is missing, so its last lines cannot be read"),
    ("a.gz", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), "{} is damaged: it cannot be unpacked to its end"),
    ("a.gz", gzip.compress(TEXT, mtime=0) + b"more", "{} is damaged: it cannot be unpacked to its end"),
    ("a.gz", TEXT, "{} is not a gzip file, though it is named like one"),
    ("a.gz", b"", "{} is not a gzip file, though it is named like one"),
    ("a.zst", zst(TEXT * 99)[:-3], "{} is cut off: its end is missing, so its last lines cannot be read"),
    ("a.zst", zst(TEXT)[:6], "{} is cut off: its end is missing, so its last lines cannot be read"),
    ("a.zst", zst(TEXT) + b"more", "{} is damaged: it cannot be unpacked to its end"),
    ("a.zst", zst(TEXT)[:4] + bytes(range(99)), "{} is damaged: it cannot be unpacked to its end"),
    ("a.zst", TEXT, "{} is not a Zstandard file, though it is named like one"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_lines(str(path)))
    assert str(caught.value) == said.format(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{re.escape(str(tmp_path))} is a folder: name the files in it"):
        list(read_lines(str(tmp_path)))


def test_a_file_that_this_user_may_not_read() -> None:
    path = Path("/tmp/botopt-unreadable.jsonl")  # where everybody may look, which tmp_path is not
    path.touch(mode=0o600)
    try:
        path.chmod(0o000)
        assert "InputError: /tmp/botopt-unreadable.jsonl cannot be read: this user may not" in as_anybody(
            lambda: list(read_lines(str(path)))
        )
    finally:
        path.unlink()


def test_names_that_no_file_can_have() -> None:
    for name in ("a\0b", "x" * 5_000):
        with pytest.raises(InputError, match="cannot be read"):
            list(read_lines(name))


def test_a_cut_off_file_gives_its_lines_first(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    content = b"".join(b'{"n": %d, "x": "%d"}\n' % (n, random.Random(n).getrandbits(256)) for n in range(5_000))
    path.write_bytes(gzip.compress(content)[:-1_000])
    lines = read_lines(str(path))
    assert len(list(islice(lines, 4_000))) == 4_000
    with pytest.raises(InputError, match="is cut off"):
        list(lines)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=6) | st.sampled_from([b"\n", b"\r\n", b"\r", b"x" * (MAX_LINE_BYTES // 2)])))
def test_chunks_do_not_matter(chunks: list[bytes]) -> None:
    content = b"".join(chunks)
    parts = content.split(b"\n")
    wanted = [part.removesuffix(b"\r") for part in (parts if parts[-1] else parts[:-1])]
    blocks = list(_blocks(iter(chunks), 4, 0, 1, 3))
    found = [raw for block in blocks for raw in block.lines]
    assert all(len(block.lines) <= 3 for block in blocks)
    for before, after in itertools.pairwise(blocks):
        assert after.first == before.first + len(before.lines)
        assert content[: before.end].count(b"\n") == after.first - 1
        assert content[before.end - 1 : before.end] == b"\n"
    assert len(found) == len(wanted)
    for number, (raw, whole) in enumerate(zip(found, wanted, strict=True), 1):
        if isinstance(raw, LongLine):
            assert (raw.size, raw.digest) == (len(whole), line_digest(4, number, whole))
            assert len(whole) > MAX_LINE_BYTES
        else:
            assert raw == whole


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress, zst], ids=["plain", "gzip", "zstd"])
def test_lines_that_are_too_long_take_no_memory(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    long = b'{"id": "e1", "user": "ada", "x": "' + b"x" * 30_000_000 + b'"}'
    path = tmp_path / "a"
    path.write_bytes(pack(b"first\n" + long + b"\r\n" + long + b"\nlast"))
    tracemalloc.start()
    decoder = Decoder(POLICY)
    found = [decoder.decode(raw, number, 0) for number, raw in read_lines(str(path))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert [each.line for each in found if isinstance(each, Rejected)] == [1, 2, 3, 4]
    for number in (2, 3):
        assert found[number - 1] == Rejected(
            number,
            f"the line is too long: {len(long):,} bytes, at most 1,048,576",
            line_digest(0, number, long),
            event_id="e1",
            user="ada",
        )


def test_a_long_line_of_blanks_is_rejected_too() -> None:
    ((raw,),) = (block.lines for block in _blocks(iter([b" " * MAX_LINE_BYTES, b"  "]), 0, 0, 1))
    assert isinstance(Decoder(POLICY).decode(raw, 1, 0), Rejected)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (TEXT, gzip.compress(TEXT, mtime=0), zst(TEXT)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert list(read_lines("-")) == LINES
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="there is no standard input"):
        list(read_lines("-"))


def test_standard_input_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"a"))
    monkeypatch.setattr(sys, "stdin", stdin)
    with InputFile("-", 0) as file:
        assert list(file) == [Line(1, b"a", 0)]
        assert (file.size, file.position()) == (0, 1)
    assert not stdin.closed


def test_a_line_is_given_on_as_soon_as_it_is_there() -> None:
    code = """if True:
        from botopt.sources.jsonl import InputFile
        with InputFile("-", 0) as file:
            for line in file:
                print((line.number, line.raw), flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in (1, 2, 3):
            process.stdin.write(b"x\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"(%d, b'x')\n" % number
        process.stdin.close()


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(["/bin/sh", "-c", 'printf "a\\nb" > "$0"', str(path)]), InputFile(str(path), 0) as file:
        assert file.size == 0
        assert [line.raw for line in file] == [b"a", b"b"]
