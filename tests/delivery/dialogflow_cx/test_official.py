"""Google's protocol definition of CX judges our requests, and its own transport runs against our fake."""

from __future__ import annotations

import json

import jwt
import pytest

from botopt.delivery.dialogflow_cx import TYPE
from botopt.model.delivery import NeedsTransport
from tests.delivery.dialogflow_cx.support import PLACE, SESSION
from tests.delivery.fakes.dialogflow import Dialogflow
from tests.delivery.google_judges import detect, judged, key_file, key_pair, quiet_import, same_json
from tests.delivery.platforms import channel, message

__all__ = ["key_pair"]

EVENTS = {"payment_failed": ["Your payment failed.", "Pay again?"]}
ALL = {"environment": "prod-1", "channel": "webchat", "timezone": "Europe/Paris", "session_ttl": 3_600_000_000}


def cx():
    return quiet_import("google.cloud.dialogflowcx_v3")


@pytest.mark.parametrize("options", [{}, ALL])
def test_the_protocol_definition_takes_our_request(options: dict):
    with Dialogflow(EVENTS) as agent:
        channel(TYPE, **(PLACE | options), host=agent.url, access_token="token-0").send(message())
        body = agent.asked[0].json
    read = judged(cx().DetectIntentRequest, body)
    assert read.query_input.event.event == "payment_failed"
    assert read.query_input.WhichOneof("input") == "event"
    assert read.query_input.language_code == "pt-BR"
    assert read.query_params.parameters["amount"] == 12.5
    assert read.query_params.parameters["note"] is None
    assert read.query_params.current_page == ""
    if options:
        assert read.query_params.channel == "webchat"
        assert read.query_params.time_zone == "Europe/Paris"
        assert read.query_params.session_ttl.seconds == 3_600


@pytest.mark.parametrize(
    "body",
    [
        {"queryInput": {"event": {"name": "x"}, "languageCode": "en"}},
        {"queryInput": {"event": {"event": "x", "parameters": {}}, "languageCode": "en"}},
        {"queryInput": {"event": {"event": "x"}, "text": {"text": "y"}, "languageCode": "en"}},
    ],
)
def test_the_judge_refuses_the_requests_of_es(body: dict):
    parse_error = quiet_import("google.protobuf.json_format").ParseError
    with pytest.raises(parse_error):
        judged(cx().DetectIntentRequest, body)


@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize("self_signed", [True, False])
@pytest.mark.parametrize("options", [{}, ALL])
def test_the_official_transport_asks_as_we_do(key_pair: tuple, options: dict, self_signed: bool, numbers: bool):
    """The same path, the same body, the same claims; and both understand the fake's answer."""
    pem, public = key_pair
    with Dialogflow(EVENTS, public_key=public) as agent:
        agent.numbers = numbers
        key = key_file(pem, agent.url)
        bot = channel(TYPE, **(PLACE | options), host=agent.url, credentials=json.dumps(key), self_signed=self_signed)
        receipt = bot.send(message())
        mine = list(agent.asked)
        agent.asked.clear()

        service = quiet_import("google.oauth2.service_account").Credentials.from_service_account_info(key)
        service = (
            service.with_always_use_jwt_access(True)
            if self_signed
            else service.with_scopes(["https://www.googleapis.com/auth/dialogflow"])
        )
        if not self_signed:
            service.refresh(quiet_import("google.auth.transport.requests").Request())
            service = quiet_import("google.oauth2.credentials").Credentials(service.token)
        request = judged(cx().DetectIntentRequest, mine[-1].json)
        path = mine[-1].path.removeprefix("/v3/").removesuffix(":detectIntent")
        request.session = path
        answer = detect("dialogflowcx_v3", agent.url, service, cx().DetectIntentRequest.wrap(request))
        theirs = list(agent.asked)

    assert receipt == NeedsTransport(("Your payment failed.", "Pay again?"), "response-1")
    assert answer.query_result.match.match_type == cx().Match.MatchType.EVENT
    assert [text for said in answer.query_result.response_messages for text in said.text.text] == list(receipt.texts)
    assert [(asked.method, asked.path) for asked in mine] == [(asked.method, asked.path) for asked in theirs]
    assert same_json(mine[-1].body, theirs[-1].body)
    assert mine[-1].path.endswith(f"/sessions/{SESSION}:detectIntent")
    if not options:
        client = quiet_import("google.cloud.dialogflowcx_v3.services.sessions").SessionsClient
        assert path == client.session_path(PLACE["project"], PLACE["location"], PLACE["agent"], SESSION)
    if self_signed:
        ours, google = (
            _claims(asked.headers["authorization"].removeprefix("Bearer ")) for asked in (mine[0], theirs[0])
        )
    else:
        ours, google = (_claims(_form(asked.body)["assertion"]) for asked in (mine[0], theirs[0]))
        assert _form(mine[0].body)["grant_type"] == _form(theirs[0].body)["grant_type"]
    assert ours == google


def _form(body: bytes) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(body.decode()))


def _claims(token: str) -> tuple[dict, dict]:
    """Header and claims, with the times as a length: the clocks differ."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.get_unverified_header(token), {**claims, "iat": 0, "exp": claims["exp"] - claims["iat"]}
