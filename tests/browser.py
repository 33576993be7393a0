"""A real browser looks at the pages that botopt writes: headless Chromium, on a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PROBE = """<script>
addEventListener('load', () => {
  const shown = {
    width: document.documentElement.scrollWidth,
    window: innerWidth,
    text: document.body.innerText,
    outside: performance.getEntriesByType('resource').map(entry => entry.name),
    tight: [...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length,
    ids: [...document.querySelectorAll('[id]')].map(e => e.id),
    targets: [...document.querySelectorAll('a[href^="#"]')].map(a => decodeURIComponent(a.getAttribute('href').slice(1))),
  };
  const answer = document.createElement('pre');
  answer.id = 'probe-answer';
  answer.textContent = JSON.stringify(shown);
  document.body.append(answer);
});
</script>"""


def chromium() -> str:
    """The browser. Where none is installed the test is skipped, but fails in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    message = "no Chromium: sudo apt-get install -y chromium"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def look_at(page: Path, folder: Path, width: int = 1200) -> dict:
    """What a reader sees: the text, whether anything sticks out to the right, what the page fetched, its anchors."""
    probed = folder / f"probed-{width}.html"
    text = page.read_text("utf-8")
    assert "</body>" in text
    probed.write_text(text.replace("</body>", f"{_PROBE}</body>"), "utf-8")
    command = [chromium(), *_FLAGS, f"--user-data-dir={folder / 'browser'}", f"--window-size={width},900"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=5000", "--dump-dom", probed.as_uri()],
        capture_output=True,
        timeout=120,
        check=False,
    )
    found = re.search(r'<pre id="probe-answer">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found, done.stderr.decode()[-2000:]
    shown: dict = json.loads(unescape(found[1]))
    return shown


def assert_readable(page: Path, folder: Path, width: int = 1200) -> str:
    """A page that fits its window, fetches nothing, and whose links lead somewhere; the text that is seen."""
    shown = look_at(page, folder, width)
    assert shown["width"] <= shown["window"] + 1, "the page is wider than the window"
    assert shown["outside"] == []
    assert set(shown["targets"]) <= set(shown["ids"])
    return str(shown["text"])
