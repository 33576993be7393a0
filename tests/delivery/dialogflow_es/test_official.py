"""Google's protocol definition of ES judges our requests, and its own transport runs against our fake."""

from __future__ import annotations

import pytest

from botopt.delivery.dialogflow_es import TYPE
from botopt.model.delivery import NeedsTransport
from tests.delivery.fakes.dialogflow import Dialogflow
from tests.delivery.google_judges import detect, judged, quiet_import, same_json
from tests.delivery.platforms import channel, message

EVENTS = {"payment_failed": ["Your payment failed."]}
PLACES = [
    {},
    {"location": "europe-west1"},
    {"location": "europe-west1", "environment": "prod", "timezone": "Europe/Paris"},
    {"environment": "prod"},
]


def es():
    return quiet_import("google.cloud.dialogflow_v2")


@pytest.mark.parametrize("place", PLACES)
def test_the_protocol_definition_takes_our_request(place: dict):
    with Dialogflow(EVENTS) as agent:
        channel(TYPE, project="shop", host=agent.url, access_token="token-0", **place).send(message())
        body = agent.asked[0].json
    read = judged(es().DetectIntentRequest, body)
    assert read.query_input.WhichOneof("input") == "event"
    assert read.query_input.event.name == "payment_failed"
    assert read.query_input.event.language_code == "pt-BR"
    assert read.query_input.event.parameters["amount"] == 12.5
    assert read.query_params.time_zone == place.get("timezone", "")


def test_the_judge_refuses_the_requests_of_cx():
    parse_error = quiet_import("google.protobuf.json_format").ParseError
    with pytest.raises(parse_error):
        judged(es().DetectIntentRequest, {"queryInput": {"event": {"event": "x"}, "languageCode": "en"}})


@pytest.mark.parametrize("place", PLACES)
def test_the_official_transport_asks_as_we_do(place: dict):
    with Dialogflow(EVENTS) as agent:
        receipt = channel(TYPE, project="shop", host=agent.url, access_token="token-0", **place).send(message())
        request = judged(es().DetectIntentRequest, agent.asked[0].json)
        request.session = agent.asked[0].path.removeprefix("/v2/").removesuffix(":detectIntent")
        credentials = quiet_import("google.oauth2.credentials").Credentials("token-0")
        answer = detect("dialogflow_v2", agent.url, credentials, es().DetectIntentRequest.wrap(request))
        mine, theirs = agent.asked
    assert receipt == NeedsTransport(("Your payment failed.",), "response-1")
    assert answer.query_result.fulfillment_text == "Your payment failed."
    assert not answer.query_result.intent.is_fallback
    assert (mine.method, mine.path) == (theirs.method, theirs.path)
    assert same_json(mine.body, theirs.body)
