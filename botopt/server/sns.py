"""`POST /v1/sns`: events from Amazon SNS."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from botopt.model.errors import InputError
from botopt.server.auth import Caller
from botopt.server.content import JSON, Content, read_events
from botopt.server.idempotency import Claim, claim_of
from botopt.server.problems import Problem
from botopt.server.receiving import submit
from botopt.server.site import Site
from botopt.server.sns_messages import (
    NOTIFICATION,
    SUBSCRIPTION,
    UNSUBSCRIPTION,
    FetchFault,
    NotGenuine,
    SnsMessage,
    is_aws,
    read_message,
)
from botopt.server.trace_context import trace_of
from botopt.sources.documents import read_document

_MOST_BYTES = 300 << 10
"""SNS carries 256 KiB, and wraps them."""


async def receive(site: Site, request: Request, _: Caller | None) -> Response:
    """Take what SNS sends."""
    if not site.settings.topics:
        raise Problem("unknown", "SNS is not listened to", "start botopt serve with --sns-topic ARN")
    received_us = site.receipts.next_us()
    body = await site.bodies.read(request, min(_MOST_BYTES, site.settings.limits.body))
    message = _read(body)
    if message["TopicArn"] not in site.settings.topics:
        raise _refused("the topic is none of those that are listened to")
    await _verify(site, message)
    match message["Type"]:
        case "Notification":
            return await _notified(site, message, received_us)
        case "SubscriptionConfirmation":
            return await _confirm(site, message)
        case "UnsubscribeConfirmation":
            site.log.warning("sns_unsubscribed", topic=message["TopicArn"])
            return Response(b"", 200)
        case _:
            kinds = f"{NOTIFICATION}, {SUBSCRIPTION} or {UNSUBSCRIPTION}"
            raise _refused(f"Type is none of {kinds}")


async def _notified(site: Site, message: SnsMessage, received_us: int) -> Response:
    text = message["Message"].encode()
    content = Content(JSON, {}, text, received_us)
    events = read_events(site.decoder, content, site.settings.limits.events)
    claim: Claim | None = claim_of(f"sns:{message['TopicArn']}", "/v1/sns", {}, text, message["MessageId"])
    return await submit(site, events, received_us, claim, trace_of({}, text), whole=False)


async def _confirm(site: Site, message: SnsMessage) -> Response:
    url = message.get("SubscribeURL", "")
    if not is_aws(url):
        raise _refused("SubscribeURL is not an address of SNS")
    try:
        await site.asking_sns.run(lambda: site.fetch(url))
    except FetchFault as fault:
        raise _later(fault) from fault
    site.log.info("sns_subscribed", topic=message["TopicArn"])
    return Response(b"", 200)


async def _verify(site: Site, message: SnsMessage) -> None:
    try:
        if site.sns.knows(message):
            site.sns.verify(message)
        else:  # anybody may send us here, so it must keep nobody else waiting
            await site.asking_sns.run(lambda: site.sns.verify(message))
    except NotGenuine as fault:
        raise _refused(str(fault)) from fault
    except FetchFault as fault:
        raise _later(fault) from fault


def _read(body: bytes) -> SnsMessage:
    try:
        return read_message(read_document(body, most_bytes=len(body)))
    except (InputError, NotGenuine) as fault:
        raise Problem("unreadable", f"not a message of SNS: {fault}", "this address is for SNS alone") from fault


def _refused(detail: str) -> Problem:
    return Problem("forbidden", f"not taken: {detail}", "check the topic of the subscription, and --sns-topic")


def _later(fault: FetchFault) -> Problem:
    return Problem("not-ready", str(fault), "SNS will try again", headers={"retry-after": "20"})
