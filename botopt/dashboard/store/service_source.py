"""A running service, asked over HTTP with a key of scope `read`: its newest decisions, and what users did."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botopt.dashboard.store.reading import read_files
from botopt.dashboard.store.state_source import insert
from botopt.model.errors import InputError, UsageError
from botopt.model.instants import instant_us

if TYPE_CHECKING:
    import httpx
    from duckdb import DuckDBPyConnection

MOST_DECISIONS = 200_000
"""So many of the newest decisions are fetched."""

MOST_USERS = 2_000
"""Of so many users the answers are asked for, one request each: those of the newest messages."""

_PAGE = 1_000
_SECONDS = 10.0


def fetch(con: DuckDBPyConnection, url: str, key: str | None) -> int:
    """Decisions into `lines`, answers into `stated`, time zones into `stated_zones`; the newest time of its users.

    Raises:
        UsageError: a package is missing.
        InputError: nobody answers, or the key is not taken.
    """
    try:
        import httpx
    except ModuleNotFoundError as fault:
        raise UsageError("asking a service needs one more package: pip install 'botopt[dashboard]'") from fault
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url, timeout=_SECONDS, follow_redirects=False, headers=headers) as client:
            _fetch_decisions(con, client, url)
            return _fetch_answers(con, client)
    except httpx.TimeoutException as fault:
        raise InputError(f"no botopt answers at {url}: nothing came within {_SECONDS:.0f} seconds") from fault
    except httpx.ConnectError as fault:
        raise InputError(f"no botopt answers at {url}: no connection; does botopt serve run there?") from fault
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
        raise InputError(f"no botopt answers at {url}: write it as http://127.0.0.1:8080") from fault
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as fault:
        raise InputError(f"no botopt answers at {url}: something else speaks there ({type(fault).__name__})") from fault


def _fetch_decisions(con: DuckDBPyConnection, client: httpx.Client, url: str) -> None:
    count, before = 0, None
    with tempfile.TemporaryDirectory(prefix="botopt-dashboard-") as folder:
        copy = Path(folder) / "decisions.jsonl"
        with copy.open("wb") as file:
            while count < MOST_DECISIONS:
                asked = {"limit": _PAGE} | ({} if before is None else {"before": before})
                answer = client.get("/v1/decisions", params=asked, headers={"accept": "application/x-ndjson"})
                _check(answer, url)
                file.write(answer.content)
                count += answer.content.count(b"\n")
                following = answer.links.get("next")
                if following is None:
                    break
                before = int(_parameter(following["url"], "before"))
            else:
                words = f"older decisions: only the newest {MOST_DECISIONS:,} are fetched; read a log for all of them"
                con.execute("INSERT INTO problems VALUES (?, 1, ?)", [words, url])
        read_files(con, [copy])
    con.execute("DELETE FROM files")


def _fetch_answers(con: DuckDBPyConnection, client: httpx.Client) -> int:
    users = con.execute(
        'SELECT "user" FROM lines WHERE outcome = \'sent\' GROUP BY "user" ORDER BY max(time_us) DESC LIMIT ?',
        [MOST_USERS + 1],
    ).fetchall()
    if len(users) > MOST_USERS:
        words = f"answers of users beyond {MOST_USERS:,}: their messages count as of unknown answer"
        con.execute("INSERT INTO problems VALUES (?, 1, ?)", [words, str(client.base_url)])
    answers: list[tuple[str, str, int]] = []
    zones: list[tuple[str, str]] = []
    newest_us = 0
    for (user,) in users[:MOST_USERS]:
        answer = client.get(f"/v1/users/{quote(user, safe='')}")
        if answer.status_code != 200:
            continue
        state: dict[str, Any] = answer.json()["state"]
        newest_us = max(newest_us, 0 if state["clock"] is None else instant_us(state["clock"]))
        for message in state["messages"]:
            at = message["responded"]
            answers.append((message["message_id"], message["response"], 0 if at is None else instant_us(at)))
        zone = state["attributes"].get("timezone")
        if isinstance(zone, str):
            zones.append((user, zone))
    insert(con, answers, zones)
    return newest_us


def _check(answer: httpx.Response, url: str) -> None:
    if answer.status_code in {401, 403}:
        raise InputError(
            f"{url} does not take the key: it needs the scope read; botopt keys add NAME --scope read makes one"
        )
    if answer.status_code != 200:
        raise InputError(f"{url} says {answer.status_code} to /v1/decisions: is it a botopt service?")


def _parameter(url: str, name: str) -> str:
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(url).query)[name][0]
