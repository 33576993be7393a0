"""The frame around every page: the source, the filters, the list of pages; and words where something is wrong."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial

import duckdb
import streamlit as st

from botopt.dashboard.holding import given
from botopt.dashboard.queries import overview
from botopt.dashboard.queries.asking import Filter
from botopt.dashboard.store.opening import Opened, open_source
from botopt.dashboard.views import experiments, learning, messages, people, policies, reasons, source, summary
from botopt.dashboard.views.session import Looking
from botopt.dashboard.views.showing import plain
from botopt.dashboard.words import OUTCOMES
from botopt.model.errors import BotoptError

_LOG = logging.getLogger("botopt.dashboard")
_PAGES = (
    ("Overview", summary.show, "overview"),
    ("Volume and clicks", messages.show, "volume"),
    ("Why not sent", reasons.show, "reasons"),
    ("People", people.show, "people"),
    ("Learning", learning.show, "learning"),
    ("Experiments", experiments.show, "experiments"),
    ("Policies", policies.show, "policies"),
    ("Source", source.show, "source"),
)


def show() -> None:
    """Show the page that was chosen."""
    st.set_page_config(page_title="botopt", layout="wide")
    now = given()
    page = st.navigation(
        [
            st.Page(partial(_page, view), title=title, url_path=path, default=path == "overview")
            for title, view, path in _PAGES
        ]
    )
    try:
        opened = _opened()
        con = opened.cursor()
        chosen = _filters(con)
    except (BotoptError, OSError) as fault:
        st.title("Nothing to see yet")
        st.error(f"The source cannot be read: {plain(str(fault))}")
        st.markdown("Mend it, or start `botopt dashboard` with another source; then read again.")
        _again()
        return
    except Exception as fault:  # noqa: BLE001  # a visitor reads words, whatever went wrong
        _broken(fault)
        return
    st.session_state["looking"] = Looking(con, chosen, overview.revisions(con, chosen), now)
    page.run()


def _page(view: object) -> None:
    looking = st.session_state["looking"]
    try:
        view(looking)  # type: ignore[operator]
    except BotoptError as fault:
        st.error(plain(str(fault)))
    except Exception as fault:  # noqa: BLE001  # as above
        _broken(fault)


def _broken(fault: Exception) -> None:
    _LOG.error("a page could not be made", exc_info=fault)
    kind = plain(type(fault).__name__)
    st.error(
        f"A fault of botopt's own ({kind}): this page cannot be shown. Reload it; if that does not help, please report "
        "it with what the terminal of `botopt dashboard` says."
    )


@st.cache_resource(show_spinner="Reading the source. What was read before is not read again.", max_entries=2)
def _opened() -> Opened:
    return open_source(given().asked)


def _again() -> None:
    if st.sidebar.button("Read the source again", key="again", help="Takes in what was written since."):
        _opened.clear()
        st.rerun()


def _filters(con: duckdb.DuckDBPyConnection) -> Filter:
    bounds, names = overview.bounds(con), overview.names(con)
    first, last, count = bounds.rows[0]
    with st.sidebar:
        st.header("Filters")
        if not isinstance(first, date) or not isinstance(last, date):
            st.markdown("No decisions, nothing to filter.")
            _again()
            return Filter()
        begin = st.date_input("First day", first, min_value=first, max_value=last, key="first", format="YYYY-MM-DD")
        end = st.date_input("Last day", last, min_value=first, max_value=last, key="last", format="YYYY-MM-DD")
        chosen = {
            column: tuple(
                st.multiselect(label, names[column], key=column, format_func=lambda name: OUTCOMES.get(name, name))
            )
            for column, label in (
                ("event_type", "Event types"),
                ("channel", "Channels"),
                ("locale", "Locales"),
                ("outcome", "Outcomes"),
                ("revision", "Revisions of the policy"),
            )
        }
        st.markdown(f"{count:,} decisions in the source. A filter that is empty lets everything pass.")
        _again()
    return Filter(
        begin if begin != first else None,
        end if end != last else None,
        chosen["event_type"],
        chosen["channel"],
        chosen["locale"],
        chosen["outcome"],
        chosen["revision"],
    )
