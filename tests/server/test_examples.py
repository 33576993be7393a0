"""The requests that the pages show are sent, and every one of them is taken."""

from __future__ import annotations

import re
import shlex

import pytest

from botopt.verify.validate import load
from tests.cli.running import ROOT, botopt
from tests.server.house import NOW, house

PAGES = (ROOT / "README.md", ROOT / "docs" / "howto" / "serve.md", ROOT / "docs" / "reference" / "http.md")
_BLOCK = re.compile(r"^```text\n(curl .*?)^```", re.DOTALL | re.MULTILINE)
LINES = f'{{"id": "l1", "type": "user.active", "user": "ada", "time": "{NOW}"}}\n'
REQUESTS = [(page.stem, block) for page in PAGES for block in _BLOCK.findall(page.read_text("utf-8")) if " -d" in block]
REQUESTS += [("http", block) for block in _BLOCK.findall(PAGES[-1].read_text("utf-8")) if "--data-binary" in block]


@pytest.mark.parametrize(("page", "block"), REQUESTS, ids=lambda value: value if len(value) < 9 else "")
def test_a_request_of_a_page_is_taken(page, block, tmp_path, policy):
    words = iter(shlex.split(block.replace("$(date -u +%FT%TZ)", NOW).replace("\\\n", "")))
    assert next(words) == "curl"
    headers, address, body = {}, "", b""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word in {"-d", "--data-binary"}:
            given = next(words)
            body = (LINES * 2 if given == "@events.jsonl" else given).encode()
        elif not word.startswith("-"):
            address = word
    if page == "README":  # which begins with the smallest policy
        assert botopt("init", "--minimal", "shop", cwd=tmp_path).returncode == 0
        policy = load(tmp_path / "shop")
    with house(tmp_path, policy, open_to_all=True) as live:
        answer = live.client.post(f"/{address.partition('/')[2]}", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.json()["refused"] == 0
