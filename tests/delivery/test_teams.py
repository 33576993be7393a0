"""Teams: the connector's own client and models judge the fake and our activities; PyJWT and real keys the callbacks."""

from __future__ import annotations

import json
import warnings

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what old packages say when they are imported is not about us
    from botbuilder.schema import Activity
    from botframework.connector import ConnectorClient
    from msrest.authentication import BasicTokenAuthentication

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.delivery.teams import activity
from botopt.model.delivery import Delivered, Failed, Feedback, Inbound, Refused, click_id
from botopt.model.options import filled
from tests.delivery.factory_messengers import TEAMS_PASSWORD
from tests.delivery.messages import NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import Reply, Request, answering, peer

APP = "00000000-1111-2222-3333-444444444444"
NOW_S = NOW_US // 1_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key, name: str) -> dict:
    return {
        **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
        "kid": name,
        "use": "sig",
        "alg": "RS256",
    }


class FakeConnector:
    """The connector, the login service and the keys, as far as we use them."""

    def __init__(self) -> None:
        self.activities: list[tuple[str, dict]] = []
        self.tokens = 0
        self.asked_for_keys = 0
        self.fault: tuple[int, bytes] | None = None
        self.names = ["one"]
        self.url = ""

    def __call__(self, request: Request) -> Reply:
        if request.path.endswith("/oauth2/v2.0/token"):
            form = request.form()
            right = form == {
                "grant_type": "client_credentials",
                "client_id": APP,
                "client_secret": TEAMS_PASSWORD,
                "scope": "https://api.botframework.com/.default",
            }
            self.tokens += right
            said = {"access_token": f"t{self.tokens}", "expires_in": 3600} if right else {"error": "invalid_client"}
            return Reply(200 if right else 401, json.dumps(said).encode())
        if request.path == "/openid":
            return Reply(body=json.dumps({"jwks_uri": f"{self.url}/keys"}).encode())
        if request.path == "/keys":
            self.asked_for_keys += 1
            return Reply(body=json.dumps({"keys": [public(KEY, name) for name in self.names]}).encode())
        if self.fault is not None:
            return Reply(self.fault[0], self.fault[1])
        if request.headers.get("authorization") not in {f"Bearer t{self.tokens}", "Bearer sdk"}:
            return Reply(401, b'{"error": {"code": "Unauthorized"}}')
        self.activities.append((request.target, request.json()))
        return Reply(201, b'{"id": "1:abc"}')


@pytest.fixture
def fake():
    connector = FakeConnector()
    with peer(answering(connector)) as there:
        connector.url = there.url
        yield connector


@pytest.fixture
def teams(fake):
    made = channel(fake)
    yield made
    made.close()


def channel(fake, **options: object):
    type_ = CHANNEL_TYPES["teams"]
    given = {
        "app_id": APP,
        "app_password": TEAMS_PASSWORD,
        "service_url": f"{fake.url}/teams/",
        "login_url": fake.url,
        "metadata_url": f"{fake.url}/openid",
        **options,
    }
    return type_.make(filled(type_, given, {}), surroundings(timeout_s=5.0))


def test_the_connectors_own_client_finds_the_fake_to_be_one_and_sends_as_we_do(fake, teams):
    message = outgoing(address="a:1/x;y")
    theirs = ConnectorClient(BasicTokenAuthentication({"access_token": "sdk"}), base_url=f"{fake.url}/teams/")
    sent = theirs.conversations.send_to_conversation("a:1/x;y", Activity.deserialize(activity(message, APP)))
    assert sent.id == "1:abc"
    assert teams.send(message) == Delivered("1:abc")
    (their_target, their_body), (our_target, our_body) = fake.activities
    assert our_target == their_target
    assert our_body == their_body


@pytest.mark.parametrize("make", [outgoing, with_buttons])
def test_the_official_model_loses_nothing_of_our_activity(make):
    ours = activity(make(address="a:1"), APP)
    assert Activity.deserialize(ours).serialize() == ours


def test_a_card_shows_text_as_it_is_and_buttons_come_back(fake, teams):
    message = with_buttons(address="a:1", text="*not bold* [x](y)")
    teams.send(message)
    card = fake.activities[0][1]["attachments"][0]["content"]
    assert [block["inlines"][0]["text"] for block in card["body"]] == ["Payment failed", "*not bold* [x](y)"]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Pay now", "url": message.buttons[0].link},
        {"type": "Action.Submit", "title": "Later", "data": {"botopt": message.buttons[1].payload}},
    ]


def test_a_token_is_kept_and_a_refused_one_is_not(fake, teams):
    teams.send(outgoing(address="a:1"))
    teams.send(outgoing(address="a:1"))
    assert fake.tokens == 1
    fake.fault = (401, b'{"error": {"code": "Unauthorized"}}')
    receipt = teams.send(outgoing(address="a:1"))
    assert (receipt.retryable, receipt.unsure) == (True, False)
    fake.fault = None
    assert isinstance(teams.send(outgoing(address="a:1")), Delivered)
    assert fake.tokens == 2


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (403, False), (404, False), (413, False), (412, True), (429, True), (500, True), (503, True)],
)
def test_faults_of_the_connector(fake, teams, status, retryable):
    fake.fault = (status, b'{"error": {"code": "BotNotInConversationRoster", "message": "x"}}')
    receipt = teams.send(outgoing(address="a:1"))
    assert isinstance(receipt, Failed)
    assert receipt.retryable == retryable
    assert "BotNotInConversationRoster" in receipt.detail


def test_a_wrong_password_waits_for_a_person_and_shows_nothing(fake):
    made = channel(fake, app_password="wrong-password-here")
    receipt = made.send(outgoing(address="a:1"))
    assert (receipt.retryable, receipt.unsure) == (True, False)
    assert "app_password" in receipt.detail
    assert "wrong-password-here" not in receipt.detail
    made.close()


def test_an_address_that_would_be_a_path_is_refused(fake, teams):
    assert isinstance(teams.send(outgoing(address="a b")), Failed)
    teams.send(outgoing(address="../../admin"))
    assert fake.activities[0][0] == "/teams/v3/conversations/..%2F..%2Fadmin/activities"


# ---------------------------------------------------------------- what Teams tells us

SAID = {
    "type": "message",
    "id": "1700000000000",
    "conversation": {"id": "a:1;messageid=17"},
    "value": {"botopt": "botopt:0123456789abcdef01234567:1"},
}


def inbound(
    fake, said: object = SAID, *, key=KEY, kid: str = "one", scheme: str = "Bearer", **claims: object
) -> Inbound:
    given = {
        "iss": "https://api.botframework.com",
        "aud": APP,
        "nbf": NOW_S - 10,
        "exp": NOW_S + 3600,
        "serviceurl": f"{fake.url}/teams/",
        **claims,
    }
    token = jwt.encode({k: v for k, v in given.items() if v is not None}, key, algorithm="RS256", headers={"kid": kid})
    headers = {"authorization": f"{scheme} {token}", "content-type": "application/json"}
    return Inbound(method="POST", url="", headers=headers, body=json.dumps(said).encode(), received_us=NOW_US)


def test_a_pressed_button_is_a_click_and_a_sign_of_life(fake, teams):
    alive, click = teams.receive(inbound(fake)).feedback
    assert (alive.type, alive.address, alive.data) == ("user.active", "a:1", {"channel": "chat"})
    assert click == Feedback(
        type="message.clicked",
        event_id=click_id("0123456789abcdef01234567", 1),
        message_id="0123456789abcdef01234567",
    )


def test_a_message_is_a_sign_of_life_and_other_activities_are_none(fake, teams):
    assert [one.type for one in teams.receive(inbound(fake, {**SAID, "value": None})).feedback] == ["user.active"]
    for change in ({"type": "conversationUpdate"}, {"conversation": None}, {"id": None}):
        assert teams.receive(inbound(fake, {**SAID, **change})).feedback == ()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"key": OTHER}, 401),
        ({"kid": "two"}, 401),
        ({"aud": "other"}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"exp": NOW_S - 301}, 401),
        ({"exp": None}, 401),
        ({"exp": "soon"}, 401),
        ({"nbf": NOW_S + 301}, 401),
        ({"scheme": "Basic"}, 401),
        ({"serviceurl": "https://evil.example/teams/"}, 403),
    ],
)
def test_what_the_connector_did_not_sign_for_us_is_refused(fake, teams, changes, status):
    with pytest.raises(Refused) as raised:
        teams.receive(inbound(fake, **changes))
    assert raised.value.status == status


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(fake, teams):
    forged = jwt.encode({"aud": APP, "exp": NOW_S + 60}, "x" * 64, algorithm="HS256", headers={"kid": "one"})
    for token in (forged, jwt.encode({"aud": APP}, None, algorithm="none", headers={"kid": "one"})):
        with pytest.raises(Refused):
            teams.receive(
                Inbound(method="POST", url="", headers={"authorization": f"Bearer {token}"}, received_us=NOW_US)
            )


def test_keys_are_asked_for_once_and_an_unknown_name_does_not_ask_again_at_once(fake, teams):
    teams.receive(inbound(fake))
    teams.receive(inbound(fake))
    for _ in range(5):
        with pytest.raises(Refused):
            teams.receive(inbound(fake, kid="unknown"))
    assert fake.asked_for_keys == 1


def test_a_new_key_is_found_an_hour_later(fake, teams):
    teams.receive(inbound(fake))
    fake.names.append("two")
    late = inbound(fake, kid="two", exp=NOW_S + 9_000)
    late = Inbound(method="POST", url="", headers=late.headers, body=late.body, received_us=NOW_US + 3_601_000_000)
    assert teams.receive(late).feedback
    assert fake.asked_for_keys == 2


def test_while_the_keys_cannot_be_read_the_connector_is_to_try_again(fake):
    made = channel(fake, metadata_url="http://127.0.0.1:9/openid")
    with pytest.raises(Refused) as raised:
        made.receive(inbound(fake))
    assert raised.value.status == 503
    made.close()


def test_strangers_cannot_make_us_ask_for_keys_again_and_again_nor_keep_messages_waiting(fake, teams):
    fake.names = []  # the list is there, and no key in it can be used
    asked = fake.asked_for_keys
    for _ in range(5):
        with pytest.raises(Refused) as raised:
            teams.receive(inbound(fake))
        assert raised.value.status == 503
    assert fake.asked_for_keys == asked + 1
    fake.names = ["one"]
    later = inbound(fake)
    later = Inbound(method="POST", url="", headers=later.headers, body=later.body, received_us=NOW_US + 31_000_000)
    assert teams.receive(later).feedback


def test_a_trace_that_no_header_can_carry_stops_no_message(fake, teams):
    assert isinstance(teams.send(outgoing(address="a:1", trace={"traceparent": "é\r\nx: y"})), Delivered)
