"""What `botopt init` writes: the starter policy, or the least that sends a message."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from botopt.model.data_files import data_dir
from botopt.model.errors import InputError

_MINIMAL: Mapping[str, str] = {
    "rules/rules.yaml": """\
channels:
  chat: {type: console}

events:
  payment_failed:
    description: A card payment was declined
    fields:
      amount: {type: number, min: 0}
    weight: 0.70          # how much this matters, 0 to 1; a message needs more than 0.60
    message: payment_failed
    rules:
      - {id: small, when: amount < 5, score: -0.20}

suppression:
  - {id: not-twice, cooldown: 6h}
""",
    "templates/templates.yaml": """\
templates:
  payment_failed: "Your payment of {{ amount }} failed. Want to try another card?"
""",
    "events.jsonl": """\
{"id": "e1", "type": "payment_failed", "user": "ada", "time": "2026-03-01T09:00:00Z", "data": {"amount": 42}}
{"id": "e2", "type": "message.clicked", "user": "ada", "time": "2026-03-01T09:05:00Z", "data": {}}
{"id": "e3", "type": "payment_failed", "user": "ada", "time": "2026-03-01T10:00:00Z", "data": {"amount": 42}}
{"id": "e4", "type": "payment_failed", "user": "bob", "time": "2026-03-01T10:30:00Z", "data": {"amount": 2}}
""",
}


def minimal_files() -> dict[str, str]:
    """A workspace of one event type, by relative path."""
    return dict(_MINIMAL)


def starter_files() -> dict[str, str]:
    """The starter policy and its example events, by relative path."""
    files = {}
    for kind in ("rules", "templates"):
        root = data_dir(kind)
        for path in sorted(root.rglob("*.yaml")):
            files[f"{kind}/{path.relative_to(root).as_posix()}"] = path.read_text("utf-8")
    files["events.jsonl"] = (data_dir("examples") / "events.jsonl").read_bytes().decode("utf-8", "surrogateescape")
    return files


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none.

    Raises:
        InputError: one is in the way, or the folder cannot be written.
    """
    for name in (".", "rules", "templates", *files):
        path = folder / name
        wanted_folder = name in (".", "rules", "templates")
        if path.is_symlink() or path.exists():
            if not wanted_folder:
                raise InputError(f"{path} exists already; nothing was written. Choose a new folder.")
            if not path.is_dir():
                raise InputError(f"{path} is a file, and a folder of that name is needed; nothing was written.")
            if name != "." and any(path.iterdir()):
                raise InputError(f"{path} holds files already; nothing was written. Choose a new folder.")
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as fault:
        raise InputError(f"{fault.filename or folder}: {fault.strerror}") from fault
