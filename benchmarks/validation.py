"""How long `botopt validate` takes, and loading a policy for a replay, for workspaces of more and more event types.

`python -m benchmarks.validation` prints what whole processes take: cold, and when nothing changed. It counts seconds
of the processor, the best of a few rounds, because others may use the machine, too; nothing here waits or runs in
parallel. With `--write FOLDER` it only writes the workspace, to look at.

An event type has six fields and four rules, a template two variants in three locales. Every 25 of them share a file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.workload import EventType, _event_yaml, event_types

SIZES = (125, 250, 500, 1000)
A_FILE = 25
_LOCALES = {
    "en": ("Again: {reference} is still open. {words}", "Thank you for waiting."),
    "de": ("Noch einmal: {reference} ist noch offen. {words}", "Danke für Ihre Geduld."),
    "hi": ("फिर से: {reference} अभी बाकी है। {words}", "धन्यवाद।"),
}
_SETTINGS = """\
channels:
  chat: {type: console}
suppression:
  - {id: one-kind-at-a-time, cooldown: 6h, per: [user, event]}
  - {id: five-a-day, limit: 5, within: 24h}
user:
  name: {type: text, optional: true, max_length: 80}
  plan: {type: text, one_of: [free, pro, vip], default: free}
"""
_LOADING = "import sys; from botopt.verify.validate import load; load(sys.argv[1])"


def write_workspace(folder: Path, types: int) -> None:
    """Write a workspace of so many event types."""
    for name in ("rules", "templates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "rules" / "settings.yaml").write_text(_SETTINGS, encoding="utf-8")
    found = event_types(types)
    for begin in range(0, types, A_FILE):
        some = found[begin : begin + A_FILE]
        events = "".join(_event_yaml(event_type) for event_type in some)
        texts = "".join(_template_yaml(event_type) for event_type in some)
        (folder / "rules" / f"events-{begin:04}.yaml").write_text(f"events:\n{events}", encoding="utf-8")
        (folder / "templates" / f"texts-{begin:04}.yaml").write_text(f"templates:\n{texts}", encoding="utf-8")


def _template_yaml(event_type: EventType) -> str:
    words = f"{{{{ {event_type.choice} }}}}, {{{{ {event_type.number} | number }}}}"
    greeting = "{% if user.name is defined %}{{ user.name }}: {% endif %}"
    reference = f"{{{{ {event_type.reference} }}}}"
    lines = [f"  {event_type.name}:", "    variants:", "      again:", f"        when: {event_type.integer} >= 3"]
    lines.append("        text:")
    for locale, (again, _) in _LOCALES.items():
        text = greeting + again.format(reference=reference, words=words)
        lines.append(f"          {locale}: {json.dumps(f'{text} ({event_type.name})', ensure_ascii=False)}")
    lines += ["      plain:", "        text:"]
    for locale, (_, thanks) in _LOCALES.items():
        text = f"{event_type.name}: {reference} ({words}). {thanks}"
        lines.append(f"          {locale}: {json.dumps(text, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _seconds(command: list[str], cache: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "BOTOPT_CACHE_DIR": cache})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(types: int, rounds: int) -> None:
    """Print one line: cold and cached, validating and loading."""
    with tempfile.TemporaryDirectory() as name:
        workspace, cache = Path(name) / "workspace", str(Path(name) / "cache")
        write_workspace(workspace, types)
        validating = [sys.executable, "-m", "botopt", "validate", "-w", str(workspace)]
        loading = [sys.executable, "-c", _LOADING, str(workspace)]
        figures = []
        for command in (validating, loading):
            figures.append(min(_seconds(command, "off") for _ in range(rounds)))
            _seconds(command, cache)
            figures.append(min(_seconds(command, cache) for _ in range(rounds)))
    print(f"{types:>6} types" + "".join(f"{figure:>12.3f}" for figure in figures))


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation", description=main.__doc__)
    parser.add_argument("--types", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="only write the workspace of the first size into this folder")
    options = parser.parse_args()
    if options.write is not None:
        write_workspace(options.write, options.types[0])
        return
    print(f"{'':12}{'validate':>12}{'unchanged':>12}{'load':>12}{'unchanged':>12}")
    for types in options.types:
        measure(types, options.rounds)


if __name__ == "__main__":
    main()
