"""What a run of the proof has found, as lines of JSON in a file, and as a table.

BOTOPT_PROOF=proof.jsonl BOTOPT_SOAK=1 pytest tests/proof
python -m tests.proof.reporting proof.jsonl
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import msgspec

from tests.proof.books import Account

VARIABLE = "BOTOPT_PROOF"
COLUMNS = ("taken", "decided", "sent", "delivered", "dead", "unsure", "repeated", "duplicates", "starts")


def report(what: str, found: Account | None = None, **more: object) -> None:
    """Note what was found, if anybody wants to know."""
    place = os.environ.get(VARIABLE)
    if place:
        line = {"what": what, **({} if found is None else msgspec.structs.asdict(found)), **more}
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")  # one write, so that lines of several processes stay whole


def table(lines: list[dict[str, object]]) -> str:
    """Two tables in Markdown: those with an account, and the rest in words."""
    lines = sorted(lines, key=lambda line: str(line["what"]))
    accounts = [line for line in lines if "starts" in line]
    out = [f"| what happened | {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    for line in accounts:
        more = ", ".join(f"{k}: {v}" for k, v in line.items() if k not in {*COLUMNS, "what"})
        words = f"{line['what']} ({more})" if more else str(line["what"])
        out.append(f"| {words} | {' | '.join(_number(line[name]) for name in COLUMNS)} |")
    rest = [line for line in lines if "starts" not in line]
    if rest:
        out += ["", "| what was tried | found |", "| --- | --- |"]
        for line in rest:
            words = ", ".join(f"{k.replace('_', ' ')}: {_number(v)}" for k, v in line.items() if k != "what")
            out.append(f"| {line['what']} | {words} |")
    return "\n".join(out)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        sys.stdout.write(table([json.loads(line) for line in file]) + "\n")
