"""Click links: only ours lead anywhere, each button counts once, and only people count."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.runtime.items import Overloaded, Stopping
from botopt.server.click_links import click_link, make_token, read_token
from botopt.server.clicking import is_robot
from tests.server.house import CLICK_KEY, KEYS, event

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
ID = "0123456789abcdef01234567"
LINK = "https://maps.acme.example/?parcel=AC-123456"


@pytest.fixture
def message(live):
    """The service, and the path of a button that leads to `LINK`."""
    return live, path_of_button(live)


@pytest.fixture(scope="module")
def unclicked(shared):
    """The same, where nobody clicks."""
    return shared, path_of_button(shared)


def path_of_button(live) -> str:
    waiting = event(
        "p1",
        "parcel_waiting",
        tracking="AC-123456",
        shop={"name": "Kiosk", "street": "Main Street 1"},
        pickup_by="2026-03-05T18:00:00Z",
    )
    [result] = live.post(waiting, params={"wait": "true"}).json()["events"]
    [decision] = result["decisions"]
    assert [button["link"] for button in decision["message"]["buttons"] if button["link"]] == [LINK]
    number = next(n for n, button in enumerate(decision["message"]["buttons"]) if button["link"])
    return f"/c/{make_token(CLICK_KEY, decision['id'], number)}"


def response_of(live) -> str:
    return live.get("/v1/users/ada").json()["state"]["messages"][0]["response"]


def test_a_click_is_recorded_and_leads_where_the_button_leads(message):
    live, path = message
    answer = live.client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (302, LINK)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert response_of(live) == "clicked"


def test_clicks_on_one_button_count_once(message):
    live, path = message
    for _ in range(3):
        assert live.client.get(path, headers=BROWSER).status_code == 302
        live.clock.us += 60_000_000
    assert live.get("/v1/users/ada").json()["state"]["engagement"]["total"]["clicks"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"user-agent": "WhatsApp/2.23.20.0"},
        {"user-agent": "facebookexternalhit/1.1"},
        {"user-agent": "Twitterbot/1.0"},
        {"user-agent": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"},
        {"user-agent": "TelegramBot (like TwitterBot)"},
        {"user-agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"},
        {"user-agent": ""},
        {**BROWSER, "purpose": "prefetch"},
        {**BROWSER, "sec-purpose": "prefetch;prerender"},
        {**BROWSER, "x-moz": "prefetch"},
    ],
)
def test_previews_and_prefetches_lead_on_but_are_no_clicks(unclicked, headers):
    live, path = unclicked
    answer = live.client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, LINK)
    assert response_of(live) == "pending"


@pytest.mark.parametrize(
    "agent",
    [
        BROWSER["user-agent"],
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
    ],
)
def test_people_are_no_robots(agent):
    assert not is_robot({"user-agent": agent})


def test_head_is_no_click(unclicked):
    live, path = unclicked
    answer = live.client.head(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (302, LINK)
    assert response_of(live) == "pending"


def test_a_forged_token_is_a_page_in_plain_words(unclicked):
    live, path = unclicked
    token = path.removeprefix("/c/")
    forged = [
        token[:-1],
        token + "A",
        ("B" if token[0] != "B" else "C") + token[1:],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        make_token(bytes(32), ID, 0),
        make_token(CLICK_KEY, ID, 0),
        base64.urlsafe_b64encode(b"https://evil.example").decode(),
        "https:%2F%2Fevil.example",
        "é",
    ]
    for one in forged:
        answer = live.client.get(f"/c/{one}", headers=BROWSER)
        assert answer.status_code == 404, one
        assert "location" not in answer.headers
    assert "This link leads nowhere" in live.client.get(f"/c/{forged[0]}").text
    assert response_of(live) == "pending"


def test_a_browser_shows_the_page_with_its_style(live):
    answer = live.client.get("/c/nothing", headers=BROWSER)
    style = re.search("<style>(.*)</style>", answer.text)
    allowed = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in answer.headers["content-security-policy"]


def test_a_button_that_is_not_there_leads_nowhere(unclicked):
    live, path = unclicked
    id, _ = read_token(CLICK_KEY, path.removeprefix("/c/"))
    assert live.client.get(f"/c/{make_token(CLICK_KEY, id, 200)}", headers=BROWSER).status_code == 404


@pytest.mark.parametrize("refusal", [Overloaded(3), Stopping()])
def test_a_link_leads_on_when_the_click_cannot_be_recorded(message, refusal):
    live, path = message
    live.running.refusal = refusal
    assert live.client.get(path, headers=BROWSER).headers["location"] == LINK


def test_a_late_click_leads_on(message):
    live, path = message
    live.clock.us += 31 * 86_400_000_000
    assert live.client.get(path, headers=BROWSER).headers["location"] == LINK
    assert 'botopt_click_links_total{result="late"} 1.0' in live.get("/metrics").text


def test_an_erased_users_link_leads_nowhere(message):
    live, path = message
    assert live.client.delete("/v1/users/ada", headers={"x-api-key": KEYS["admin"]}).status_code == 204
    assert live.client.get(path, headers=BROWSER).status_code == 404


@given(id=st.binary(min_size=12, max_size=12), number=st.integers(0, 255))
def test_a_token_says_again_what_it_was_made_of(id, number):
    token = make_token(CLICK_KEY, id.hex(), number)
    assert read_token(CLICK_KEY, token) == (id.hex(), number)
    assert read_token(bytes(32), token) is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_other_text_is_a_token(text):
    assert read_token(CLICK_KEY, text) is None


def test_a_token_has_one_form():
    token = make_token(CLICK_KEY, ID, 3)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [last for last in alphabet if read_token(CLICK_KEY, token[:-1] + last)] == [token[-1]]


def test_only_web_links_go_through_us():
    assert click_link("https://bot.example", CLICK_KEY, ID, 1, "https://shop.example/x").startswith(
        "https://bot.example/c/"
    )
    assert click_link("https://bot.example", CLICK_KEY, ID, 1, "tel:+49123") == "tel:+49123"
    assert click_link(None, CLICK_KEY, ID, 1, "https://shop.example/x") == "https://shop.example/x"
