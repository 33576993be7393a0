"""The dashboard in a real browser: every page, light, dark and narrow, by keyboard, judged by axe-core.

`BOTOPT_PICTURES=folder` keeps what the browser saw.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.dashboard import write_log
from tests.cli.running import ROOT
from tests.dashboard.logs import decided, event, write
from tests.devtools import browser

pytest.importorskip("streamlit")

PAGES = ("", "volume", "reasons", "people", "learning", "experiments", "policies", "source")
HEADINGS = {
    "": "Overview",
    "volume": "Volume and clicks",
    "reasons": "Why not sent",
    "people": "People",
    "learning": "Learning",
    "experiments": "Experiments",
    "policies": "Policies",
    "source": "Source",
}
CHARTS = {"": 3, "volume": 2, "reasons": 7, "people": 2, "learning": 3, "experiments": 1, "policies": 1, "source": 0}
HOSTILE = "![x](http://tracker.example/pixel.png) <b>bold</b> **strong** $x$"
_SETTLED = """
document.querySelector('h1')
&& !document.querySelector('[data-testid=stSkeleton], [data-testid=stStatusWidget], [data-stale=true]')
&& document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="module")
def url(folder):
    """A dashboard over a made-up log, with one user whose message is hostile."""
    log, events = write_log(folder / "log", 3_000, seed=7, users=60)
    with log.open("a", encoding="utf-8") as file:
        mean = decided(
            "ffffffffffffffffffffffff", "2026-02-20T08:00:00Z", user="*mallory*", text=HOSTILE, event_type="feature_tip"
        )
        file.write(write(folder / "one.jsonl", mean).read_text())
    with events.open("a", encoding="utf-8") as file:
        file.write(write(folder / "two.jsonl", event("last", "user.active", "2026-03-09T00:00:00Z")).read_text())
    command = ["dashboard", "--log", log, "--events", events, "--workspace", ROOT, "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "BOTOPT_CACHE_DIR": str(folder / "cache")}
    with subprocess.Popen(
        [sys.executable, "-m", "botopt", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment,
    ) as process:
        try:
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            assert "Traceback" not in process.stderr.read()
            process.wait(30)


@pytest.fixture(scope="module")
def page(folder, url):
    with browser(folder / "browser") as tab:
        tab.look()
        tab.go(f"{url}/_stcore/health")
        tab.until("document.body && document.body.innerText.includes('ok')", "the server")
        yield tab


def visit(page, url, name):
    page.go(f"{url}/{name}")
    page.until(f"location.pathname.endsWith('/{name}') && {_SETTLED}", name)
    page.until(
        f"document.querySelectorAll('[data-testid=stVegaLiteChart] :is(canvas, svg)').length >= {CHARTS[name]}", name
    )


def keep(page, name):
    if kept := os.environ.get("BOTOPT_PICTURES"):
        page.picture(Path(kept) / f"{name}.png")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_its_charts_and_tables_asks_nobody_else_and_axe_finds_nothing_grave(page, url, name):
    page.asked.clear()
    visit(page, url, name)
    keep(page, f"{name or 'overview'}-light")
    text = page.text()
    assert page.ask("document.querySelector('h1').innerText") == HEADINGS[name]
    assert page.ask("document.querySelectorAll('[data-testid=stVegaLiteChart]').length") == CHARTS[name]
    assert page.ask("document.querySelectorAll('table').length") >= 1
    assert "fault of botopt" not in text
    assert "Traceback" not in text
    assert {urlsplit(asked).hostname for asked in page.asked if not asked.startswith(("data:", "blob:"))} == {
        "127.0.0.1"
    }
    assert page.thrown == []
    assert _grave(page) == []


def test_dark_mode_follows_the_reader_and_stays_readable(page, url):
    page.look(dark=True)
    try:
        for name in ("", "learning", "people"):
            visit(page, url, name)
            keep(page, f"{name or 'overview'}-dark")
            assert _brightness(page, "[data-testid=stApp]", "backgroundColor") < 60
            assert _brightness(page, "h1", "color") > 180
    finally:
        page.look()


def test_a_narrow_window_scrolls_down_and_never_sideways(page, url):
    page.look(width=390, height=844)
    try:
        for name in ("", "reasons", "learning"):
            visit(page, url, name)
            keep(page, f"{name or 'overview'}-narrow")
            assert page.ask("document.documentElement.scrollWidth <= innerWidth + 1")
            wide = "[...document.querySelectorAll('[data-testid=stMain] h1, [data-testid=stMain] p, [data-testid=stVegaLiteChart]')]"
            assert (
                page.ask(
                    f"{wide}.filter(e => !e.closest('table, details') && e.getBoundingClientRect().right > innerWidth + 1).length"
                )
                == 0
            )
    finally:
        page.look()


def test_everything_can_be_reached_and_opened_by_keyboard(page, url):
    visit(page, url, "")
    seen = []
    for _ in range(60):
        page.press("Tab")
        seen.append(
            str(
                page.ask(
                    "(document.activeElement.innerText || document.activeElement.ariaLabel || '').trim().slice(0, 99)"
                )
            )
        )
        if "The numbers: Messages by day" in seen[-1]:  # an icon's name stands before it
            break
    told = "\n".join(seen)
    for what in ("Volume and clicks", "Read the source again", "Download: From events to clicks"):
        assert what in told
    assert "The numbers: Messages by day" in seen[-1]
    page.press("Enter")
    page.until("document.querySelectorAll('details[open] table').length === 1", "the opened table")


def test_what_users_wrote_is_shown_as_it_is_and_nothing_of_it_is_fetched(page, url):
    page.asked.clear()
    visit(page, url, "people")
    page.ask("document.querySelector('input[aria-label=User]').focus()")
    page.ask("document.querySelector('input[aria-label=User]').select()")
    page.call("Input.insertText", text="*mallory*")
    page.press("Enter")
    page.until("document.body.innerText.includes('pixel.png')", "the message")
    assert HOSTILE in page.text()
    assert "about *mallory*" in page.text()
    assert not page.ask("[...document.images].some(i => i.src.includes('tracker'))")
    assert not [asked for asked in page.asked if "tracker" in asked]


def test_a_filter_changes_what_is_shown(page, url):
    visit(page, url, "policies")
    assert page.ask("document.querySelectorAll('table tbody tr').length") >= 3
    page.ask('document.querySelector(\'input[aria-label="Event types"], [aria-label*="Event types"] input\').focus()')
    page.call("Input.insertText", text="feature_tip")
    page.press("Enter")
    page.until("document.body.innerText.includes('feature_tip')", "the chosen type")
    page.until(f"{_SETTLED} && !document.body.innerText.includes('3,001 Decisions')", "the page")


def _grave(page):
    """What axe-core calls serious or critical: rule, element, what to do."""
    page.ask(files("axe_core_python").joinpath("axe.min.js").read_text("utf-8") + "; true")
    return page.ask(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations"
        ".filter(one => ['serious', 'critical'].includes(one.impact))"
        ".flatMap(one => one.nodes.map(node => [one.id, node.html.slice(0, 200), node.failureSummary])))"
    )


def _brightness(page, selector, what):
    colour = str(page.ask(f"getComputedStyle(document.querySelector({selector!r})).{what}"))
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
