"""`GET /c/TOKEN`: record the click, and go where the button leads. To nowhere else, and always, if it can be known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from botopt.model.delivery import Feedback
from botopt.model.errors import BotoptError
from botopt.model.live import OutboxRow, unpack_parcel
from botopt.server.auth import Caller
from botopt.server.click_links import read_token
from botopt.server.pages import NOWHERE
from botopt.server.site import Site

_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}
_LONGEST_WAIT_S = 2.0
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F))

_ROBOT = re.compile(
    r"(?<!cu)bot(?:\b|[/;+ -])|crawl|spider|preview|slurp|facebookexternalhit|facebookcatalog|whatsapp|skypeuripreview"
    r"|slack-imgproxy|embedly|pinterest|vkshare|mattermost|iframely|urlcheck|linkcheck|safelinks|barracuda|mimecast"
    r"|proofpoint|headlesschrome|curl/|wget/|python-|go-http-client|okhttp|java/|libwww|apache-httpclient|node-fetch",
    re.IGNORECASE,
)
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_AHEAD_WORDS = ("prefetch", "preview", "prerender")


async def click(site: Site, request: Request, _: Caller | None) -> Response:
    """Follow a link of a message."""
    found = _button(site, str(request.path_params["token"]))
    if found is None:
        site.metrics.clicked("unknown")
        return Response(NOWHERE, 404, _PRIVATE, "text/html; charset=utf-8")
    row, number, link = found
    if request.method == "HEAD" or is_robot(request.headers):
        site.metrics.clicked("preview")
    else:
        site.metrics.clicked(await _record(site, row, number))
    return Response(b"", 302, {**_PRIVATE, "location": location(link)})


def location(link: str) -> str:
    """A link as a header can say it: what is not visible ASCII is percent-encoded, line breaks too."""
    return quote(link, safe=_PRINTABLE)


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether a request is a look ahead, or a program that shows what is behind a link; no person clicked."""
    if any(word in headers.get(name, "").lower() for name in _AHEAD for word in _AHEAD_WORDS):
        return True
    agent = headers.get("user-agent", "")
    return not agent or _ROBOT.search(agent) is not None


def _button(site: Site, token: str) -> tuple[OutboxRow, int, str] | None:
    named = read_token(site.click_key, token)
    if named is None:
        return None
    message_id, number = named
    for row in site.reader.outbox_of(message_id):
        buttons = unpack_parcel(row.parcel).message.buttons
        if number < len(buttons) and (link := buttons[number].link):
            return row, number, link
    return None


async def _record(site: Site, row: OutboxRow, number: int) -> str:
    """What became of the click. Whatever it is, the link leads where it should."""
    received_us = site.receipts.next_us()
    event_id = f"click:{row.message_id}:{number}"  # the same for each click on it: the first one counts
    said = Feedback(type="message.clicked", event_id=event_id, message_id=row.message_id, time_us=received_us)
    try:
        async with asyncio.timeout(_LONGEST_WAIT_S):
            [result] = await site.waiting.result(site.backend.feedback(row.channel, (said,), received_us))
    except (BotoptError, TimeoutError):
        return "lost"
    return "recorded" if result.accepted else "late"
