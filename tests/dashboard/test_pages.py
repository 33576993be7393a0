"""Pages without a browser: what they say where there is nothing to see, or where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import botopt.dashboard
from botopt.dashboard.asked import Asked
from tests.dashboard.logs import decided, write

testing = pytest.importorskip("streamlit.testing.v1")

from botopt.dashboard.holding import hold  # noqa: E402  # needs Streamlit
from botopt.dashboard.views import app  # noqa: E402
from botopt.dashboard.views.session import Given  # noqa: E402

SCRIPT = Path(botopt.dashboard.__file__).parent / "views" / "script.py"


@pytest.fixture
def look():
    def looking(asked: Asked):
        hold(Given(asked))
        app._opened.clear()
        return testing.AppTest.from_file(str(SCRIPT), default_timeout=120).run()

    yield looking
    app._opened.clear()


def said(page) -> str:
    parts = [*page.title, *page.markdown, *page.info, *page.error, *page.warning, *page.success]
    return "\n".join(str(part.value) for part in parts)


def test_a_log_without_decisions_says_how_to_get_some(look, tmp_path):
    page = look(Asked(files=(write(tmp_path / "empty.jsonl"),)))
    assert not page.exception
    assert "There are no decisions here" in said(page)


def test_a_source_that_is_gone_is_explained_without_a_stack(look, tmp_path):
    page = look(Asked(files=(tmp_path / "gone_log.jsonl",)))
    assert not page.exception
    assert "Nothing to see yet" in said(page)
    assert "cannot be read\\: no such file" in said(page)
    assert "Traceback" not in said(page)


def test_a_service_that_is_down_is_explained(look):
    page = look(Asked(url="http://127.0.0.1:9"))
    assert "does botopt serve run there" in said(page)


def test_a_fault_of_our_own_is_a_sentence(look, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("botopt.dashboard.views.summary.overview.funnel", broken)
    page = look(Asked(files=(write(tmp_path / "log.jsonl", decided("a", "2026-03-02T08:00:00Z")),)))
    assert "A fault of botopt's own (RuntimeError)" in said(page)
    assert "secret" not in said(page)


def test_a_choice_that_lets_nothing_through_says_so(look, tmp_path):
    page = look(Asked(files=(write(tmp_path / "log.jsonl", decided("a", "2026-03-02T08:00:00Z")),)))
    assert not page.exception
    assert page.metric[1].value == "1"
    page.multiselect(key="outcome").select("sent").run()
    assert page.metric[1].value == "1"
