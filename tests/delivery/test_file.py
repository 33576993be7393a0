"""`file`: a line of JSON for each message, once, whatever happens between."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest

from botopt.delivery import file
from botopt.delivery.file import TYPE, File
from botopt.model.delivery import Delivered, Failed, Outgoing
from botopt.model.options import filled
from tests.delivery.messages import HOSTILE, outgoing, surroundings, with_buttons

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "webhook-message.schema.json").read_text("utf-8"))


def made(path: Path) -> File:
    return File(filled(TYPE, {"path": str(path)}, {}), surroundings())


def message(number: int) -> Outgoing:
    return outgoing(id=f"{number:024x}", key=f"{number:024x}", text=f"Message {number}.")


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_text("utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def keys(path: Path) -> list[object]:
    return [line["key"] for line in lines(path)]


def test_each_message_is_a_line_that_obeys_the_schema(tmp_path: Path):
    path, sent = tmp_path / "out.jsonl", [with_buttons(), outgoing(key="k2", text=HOSTILE)]
    channel = made(path)
    assert [channel.send(one) for one in sent] == [Delivered(), Delivered()]
    assert [line["text"] for line in lines(path)] == [one.text for one in sent]
    for line in lines(path):
        jsonschema.validate(line, {**SCHEMA["properties"]["data"], "$defs": SCHEMA["$defs"]})
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_message_that_comes_again_stands_there_once_also_after_a_restart(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    for _ in range(2):
        channel = made(path)
        for number in (1, 2, 1):
            assert channel.send(message(number)) == Delivered()
        channel.close()
    assert keys(path) == [message(1).key, message(2).key]


def test_a_line_that_a_crash_cut_off_is_written_anew(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    made(path).send(message(1))
    whole = path.read_bytes()
    made(path).send(message(2))
    for end in range(len(whole) + 1, path.stat().st_size):
        os.truncate(path, end)
        made(path).send(message(2))
        assert keys(path) == [message(1).key, message(2).key], end


@pytest.mark.parametrize("before", [b"not ours", b'{"user": 1}', b"a\nb", b"\xff\xfe", b"{}\n{"])
def test_what_others_wrote_stays_as_it_is(tmp_path: Path, before: bytes):
    path = tmp_path / "out.jsonl"
    path.write_bytes(before)
    made(path).send(message(1))
    text = path.read_bytes()
    assert text.startswith(before)
    assert json.loads(text.splitlines()[-1])["key"] == message(1).key


def test_only_the_end_of_a_large_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(file, "_READ_AGAIN", 2_000)
    path = tmp_path / "out.jsonl"
    channel = made(path)
    for number in range(20):
        channel.send(message(number))
    again = made(path)
    again.send(message(19))
    assert len(keys(path)) == 20


def test_keys_are_forgotten_after_very_many_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(file, "_REMEMBERED", 3)
    channel = made(tmp_path / "out.jsonl")
    for number in range(5):
        channel.send(message(number))
    assert len(channel._keys) == 3


def test_many_threads_channels_and_programs_share_a_file(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.delivery.test_file import made, message\n"
        "channel = made(Path(sys.argv[1]))\n"
        "for number in range(200, 230): channel.send(message(number))\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[2])
    channels = [made(path), made(path)]
    with ThreadPoolExecutor(10) as pool:
        receipts = list(pool.map(lambda n: channels[n % 2].send(message(n)), range(100)))
    assert other.wait(60) == 0
    assert receipts == [Delivered()] * 100
    assert sorted(map(str, keys(path))) == sorted(message(n).key for n in (*range(100), *range(200, 230)))


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path):
    path, old = tmp_path / "out.jsonl", tmp_path / "out.jsonl.1"
    channel = made(path)
    channel.send(message(1))
    path.rename(old)
    channel.send(message(2))
    path.unlink()
    path.write_text("")
    channel.send(message(3))
    assert (keys(old), keys(path)) == ([message(1).key], [message(3).key])


def test_a_disk_that_is_full_takes_nothing_of_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "out.jsonl"
    channel = made(path)
    channel.send(message(1))
    before, write = path.read_bytes(), os.write

    def full(number: int, data: bytes) -> int:
        if len(data) > 20:
            return write(number, data[:20])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", lambda number, data: full(number, data[:25] if len(data) > 25 else data))
    monkeypatch.setattr(os, "fsync", lambda number: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    assert channel.send(message(2)) == Failed("the file: no space left on device", retryable=True)
    assert path.read_bytes() == before
    monkeypatch.undo()
    assert channel.send(message(2)) == Delivered()
    assert keys(path) == [message(1).key, message(2).key]


def places(folder: Path) -> Sequence[tuple[Path, bool]]:
    (folder / "dir").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    return (
        (folder / "absent" / "out.jsonl", True),
        (folder / "pipe", False),
        (folder / "loop", False),
        (folder / ("x" * 300), False),
        (Path("/dev/full"), False),
    )


def test_a_place_that_takes_no_lines_is_said_so(tmp_path: Path):
    for path, retryable in places(tmp_path):
        receipt = made(path).send(message(1))
        assert isinstance(receipt, Failed), path
        assert receipt.retryable is retryable, (path, receipt)
        assert receipt.detail.startswith("the file: ")
    with pytest.raises(ValueError, match="it is a folder"):
        made(tmp_path / "dir")


def test_a_file_that_another_program_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import fcntl

    monkeypatch.setattr(file, "_TRIES", 3)
    path = tmp_path / "out.jsonl"
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert made(path).send(message(1)) == Failed("the file: device or resource busy", retryable=True)
        fcntl.flock(held, fcntl.LOCK_UN)
        assert made(path).send(message(1)) == Delivered()


def test_what_cannot_be_written_as_json_is_said_so(tmp_path: Path):
    receipt = made(tmp_path / "x").send(outgoing(text="\ud800"))
    assert receipt == Failed("the message holds something that cannot be written")
