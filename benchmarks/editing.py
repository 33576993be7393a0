"""How long findings take after an edit, in a workspace of 500 event types that an editor has open.

`python -m benchmarks.editing` makes the workspace of `benchmarks.validation`, joins files until one of rules and one of
texts is just below 50 KB, and types into them: a number, a condition, a new field, a name that does not exist, half a
line that is no YAML. It prints milliseconds from the new text to its findings, the median and the worst of many; and
the worst until all findings are there, where an edit concerns more than one glance looks at.
Seconds of the processor, because others may use the machine, too; nothing here waits or runs in parallel.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.validation import write_workspace
from botopt.verify.live import Live, rest, settle

LARGEST = 50_000
Edit = Callable[[str, int], str]

_RULES: dict[str, Edit] = {
    "a number": lambda text, n: text.replace("weight: 0.", f"weight: 0.{n % 9}", 1),
    "a condition": lambda text, n: text.replace('when: "', f'when: "{n} < 2 or ', 1),
    "a field": lambda text, n: text.replace("    fields:\n", f"    fields:\n      new_{n}: {{type: text}}\n", 1),
    "an event type": lambda text, n: text.replace("events:\n", f"events:\n  new_{n}: {{}}\n", 1),
    "a wrong name": lambda text, n: text.replace("message: ", f"message: x{n}", 1),
    "half a line": lambda text, n: text.replace("    weight: ", f"    wei{n}\n    weight: ", 1),
}
_SETTINGS: dict[str, Edit] = {
    "a threshold": lambda text, n: f"settings: {{threshold: 0.{n + 1}}}\n{text}",
    "an attribute": lambda text, n: text.replace("user:\n", f"user:\n  new_{n}: {{type: text}}\n", 1),
    "an attribute in use": lambda text, n: text.replace("max_length: 80", f"max_length: {81 + n}", 1),
    "a cooldown": lambda text, n: text.replace("cooldown: 6h", f"cooldown: {n + 7}h", 1),
}
_TEXTS: dict[str, Edit] = {
    "a word": lambda text, n: text.replace("Thank you", f"Thank you {n}", 1),
    "a wrong field": lambda text, n: text.replace("{{ ", f"{{{{ x{n}", 1),
    "an open quote": lambda text, n: text.replace('en: "', f'en: {n}"', 1),
}


def _join(folder: Path, section: str) -> Path:
    """One file of just below the largest size, made of the first ones; they are removed."""
    files = sorted(folder.glob("*-*.yaml"))
    text = f"{section}:\n"
    for file in files:
        body = file.read_text("utf-8").partition("\n")[2]
        if len((text + body).encode()) > LARGEST:
            break
        text += body
        file.unlink()
    joined = folder / "joined.yaml"
    joined.write_text(text, encoding="utf-8")
    return joined


def _timed(live: Live, name: str, text: str) -> tuple[float, float]:
    """Until the first findings, and until all of them; the two differ where an edit concerns many templates."""
    began = time.process_time()
    live.write(name, text.encode())
    view = live.glance()
    first = (time.process_time() - began) * 1000
    while not view.whole:
        view = live.glance()
    return first, (time.process_time() - began) * 1000


def measure(workspace: Path, rounds: int) -> float:
    """Print a line for each kind of edit; the worst of all in milliseconds."""
    files = [
        (_join(workspace / "rules", "events"), _RULES),
        (_join(workspace / "templates", "templates"), _TEXTS),
        (workspace / "rules" / "settings.yaml", _SETTINGS),
    ]
    began = time.process_time()
    live = Live(workspace)
    view = live.look()
    settle()
    print(f"first look {time.process_time() - began:8.3f} s")
    began = time.process_time()
    rest(view)
    print(f"the rest   {time.process_time() - began:8.3f} s, after a pause and beside the editing")
    print(f"{'':30}{'median':>8}{'worst':>8}{'all':>8}   ms")
    worst = 0.0
    for path, edits in files:
        name, text = path.relative_to(workspace).as_posix(), path.read_text("utf-8")
        for what, edit in edits.items():
            took = []
            for number in range(rounds):
                took += [_timed(live, name, edit(text, number)), _timed(live, name, text)]
            first, whole = zip(*took, strict=True)
            worst = max(worst, *first)
            print(f"{path.stem + ': ' + what:30}{statistics.median(first):>8.0f}{max(first):>8.0f}{max(whole):>8.0f}")
    return worst


def main() -> None:
    """Measure one workspace."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.editing", description=main.__doc__)
    parser.add_argument("--types", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), options.types)
        print(f"the worst: {measure(Path(folder), options.rounds):.0f} ms")


if __name__ == "__main__":
    main()
