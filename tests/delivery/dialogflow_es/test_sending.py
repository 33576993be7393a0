"""What ES is asked, and when its answer counts."""

from __future__ import annotations

import pytest

from botopt.delivery.dialogflow_es import TYPE
from botopt.model.channels import Channel
from botopt.model.delivery import Failed, NeedsTransport
from tests.delivery.fakes.dialogflow import Dialogflow
from tests.delivery.fakes.platform import Told
from tests.delivery.platforms import channel, message

EVENTS = {"payment_failed": ["Your payment failed.", "Pay again?"]}
SESSION = "7dca4d1f-5804-5984-8291-ac9b1abae24b"


def bot(agent: Dialogflow, **options: object) -> Channel:
    return channel(TYPE, **({"project": "shop", "host": agent.url, "access_token": "token-0"} | options))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ({}, f"/v2/projects/shop/agent/sessions/{SESSION}:detectIntent"),
        (
            {"location": "europe-west1"},
            f"/v2/projects/shop/locations/europe-west1/agent/sessions/{SESSION}:detectIntent",
        ),
        (
            {"environment": "prod"},
            f"/v2/projects/shop/agent/environments/prod/users/{SESSION}/sessions/{SESSION}:detectIntent",
        ),
    ],
)
def test_the_request(place: dict, path: str):
    with Dialogflow(EVENTS) as agent:
        assert bot(agent, **place).send(message()) == NeedsTransport(tuple(EVENTS["payment_failed"]), "response-1")
        (asked,) = agent.asked
    assert asked.path == path
    event = asked.json["queryInput"].pop("event")
    assert asked.json.keys() == {"queryInput"}
    assert event["name"] == "payment_failed"
    assert event["languageCode"] == "pt-BR"
    assert event["parameters"]["amount"] == 12.5
    assert event["parameters"]["botopt_id"] == "5f0c1e2d3b4a5f0c1e2d3b4a"


def test_the_fallback_intent_is_no_delivery():
    """It comes with status 200 and a text, for unknown events and for missing input contexts."""
    with Dialogflow({}) as agent:
        receipt = bot(agent).send(message())
    assert receipt == Failed(
        'no intent has the event "payment_failed", or its input contexts are missing: Default Fallback Intent answered'
    )


@pytest.mark.parametrize(
    ("result", "receipt"),
    [
        ({"fulfillmentText": "Hi"}, Failed('no intent has the event "payment_failed"')),
        (
            {"intent": {"isFallback": True, "displayName": "Oops\nintent"}},
            Failed('no intent has the event "payment_failed", or its input contexts are missing: Oops intent answered'),
        ),
        ({"intent": {"name": "i"}, "fulfillmentText": "Hi"}, NeedsTransport(("Hi",))),
        ({"intent": {"name": "i"}}, Failed("the agent took the event up and said nothing")),
        (
            {
                "intent": {"name": "i"},
                "fulfillmentText": "Hi",
                "fulfillmentMessages": [
                    {"platform": "SLACK", "text": {"text": ["for Slack"]}},
                    {"platform": 1, "text": {"text": ["for Facebook"]}},
                    {"platform": "PLATFORM_UNSPECIFIED", "text": {"text": ["for all"]}},
                    {"payload": {}},
                ],
            },
            NeedsTransport(("for all",)),
        ),
    ],
)
def test_what_counts(result: dict, receipt: object, monkeypatch: pytest.MonkeyPatch):
    with Dialogflow(EVENTS) as agent:
        monkeypatch.setattr(agent, "answer", lambda _: Told({"queryResult": result}))
        assert bot(agent).send(message()) == receipt


@pytest.mark.parametrize("platform", ["SLACK", 2])
def test_responses_for_a_platform(platform: object, monkeypatch: pytest.MonkeyPatch):
    messages = [{"text": {"text": ["for all"]}}, {"platform": platform, "text": {"text": ["for Slack"]}}]
    result = {"intent": {"name": "i"}, "fulfillmentMessages": messages}
    with Dialogflow(EVENTS) as agent:
        monkeypatch.setattr(agent, "answer", lambda _: Told({"queryResult": result}))
        assert bot(agent, platform="SLACK").send(message()) == NeedsTransport(("for Slack",))
        assert bot(agent, platform="LINE").send(message()) == NeedsTransport(("for all",))


def test_a_region_has_a_host_of_its_own():
    own = channel(TYPE, project="p", location="europe-west1", access_token="x")
    assert own.place.host == "https://europe-west1-dialogflow.googleapis.com"
    assert channel(TYPE, project="p", access_token="x").place.host == "https://dialogflow.googleapis.com"
