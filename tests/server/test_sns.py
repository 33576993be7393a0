"""`POST /v1/sns`: what SNS signs is taken, and nothing else; no address but its own is asked."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from botopt.server.site import Settings
from botopt.server.sns_messages import FetchFault, is_aws, signed_text
from tests.server.house import event, house

TOPIC = "arn:aws:sns:eu-central-1:123456789012:events"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123.pem"
SUBSCRIBE_URL = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"


def certificate(key) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CERTIFICATE = certificate(KEY)


class Aws:
    """SNS as far as it can be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages = {CERTIFICATE_URL: CERTIFICATE, SUBSCRIBE_URL: b"<ConfirmSubscriptionResponse/>"}

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise FetchFault("SNS answered with HTTP 404")
        return self.pages[url]


def message(kind: str = "Notification", *, version: str = "2", key=KEY, **fields: str) -> dict[str, str]:
    made = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": json.dumps(event("e1")),
        "Timestamp": "2026-03-02T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        **fields,
    }
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    made["Signature"] = base64.b64encode(key.sign(signed_text(made), padding.PKCS1v15(), algorithm)).decode()
    return made


def send(live, made: dict[str, str]):
    headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": made.get("Type", "")}
    return live.client.post("/v1/sns", content=json.dumps(made).encode(), headers=headers)


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def listening(tmp_path, policy, aws):
    with house(tmp_path, policy, settings=Settings(topics=(TOPIC,)), fetch=aws) as live:
        yield live


@pytest.fixture(scope="module")
def steady(tmp_path_factory, policy):
    """A service that nothing changes: it refuses."""
    aws = Aws()
    with house(tmp_path_factory.mktemp("steady"), policy, settings=Settings(topics=(TOPIC,)), fetch=aws) as live:
        yield live, aws


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "news"}])
def test_a_genuine_notification_is_decided(listening, version, more):
    answer = send(listening, message(version=version, **more))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_a_notification_may_hold_several_events(listening):
    both = json.dumps([event("e1"), event("e2", user="bob")])
    assert send(listening, message(Message=both)).json()["accepted"] == 2


def test_the_certificate_is_asked_for_once(listening, aws):
    for number in range(3):
        assert send(listening, message(MessageId=f"m-{number}")).status_code == 202
    assert aws.asked == [CERTIFICATE_URL]


def test_the_same_message_again_is_answered_as_before(listening):
    first, again = send(listening, message()), send(listening, message())
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


def test_a_subscription_is_confirmed_at_sns(listening, aws):
    asked = message("SubscriptionConfirmation", Message="Confirm", SubscribeURL=SUBSCRIBE_URL, Token="abc")
    assert send(listening, asked).status_code == 200
    assert aws.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]
    assert "abc" not in listening.log.getvalue()


def test_the_end_of_a_subscription_is_noted(listening, aws):
    ended = message("UnsubscribeConfirmation", Message="Bye", SubscribeURL=SUBSCRIBE_URL, Token="abc")
    assert send(listening, ended).status_code == 200
    assert "sns_unsubscribed" in listening.log.getvalue()
    assert SUBSCRIBE_URL not in aws.asked


@pytest.mark.parametrize("field", ["Message", "MessageId", "TopicArn", "Timestamp", "Type", "Subject"])
def test_a_changed_message_is_refused(steady, field):
    listening, _ = steady
    made = message(Subject="news")
    made[field] += "x"
    answer = send(listening, made)
    assert answer.status_code == 403, answer.text
    assert listening.get("/v1/decisions").json()["decisions"] == []


def test_another_key_is_refused(listening):
    assert send(listening, message(key=OTHER_KEY)).status_code == 403


def test_another_topic_is_refused_before_anything_is_asked(listening, aws):
    assert send(listening, message(TopicArn=TOPIC + "2")).status_code == 403
    assert aws.asked == []


BAD_ADDRESSES = [
    "http://sns.eu-central-1.amazonaws.com/x.pem",
    "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
    "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem",
    "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem",
    "https://user@sns.eu-central-1.amazonaws.com/x.pem",
    "https://sns.eu-central-1.amazonaws.com:8443/x.pem",
    "https://evil.example#sns.eu-central-1.amazonaws.com/x.pem",
    "https://evil.example\\@sns.eu-central-1.amazonaws.com/x.pem",
    "https://sns.a.amazonaws.com/x.pem",
    # Buckets of S3 that somebody called "sns", and other services' own names.
    "https://sns.s3-us-west-2.amazonaws.com/x.pem",
    "https://sns.s3-accelerate.amazonaws.com/x.pem",
    "https://sns.s3-website-us-west-2.amazonaws.com/x.pem",
    "https://sns.execute-api.amazonaws.com/x.pem",
    "https://sns.elb.amazonaws.com/x.pem",
    "https://xsns.eu-central-1.amazonaws.com/x.pem",
    "https://sns.eu-central-1.amazonaws.com.\n/x.pem",
    "https://[::1]/x.pem",
    "https://127.0.0.1/x.pem",
    "file:///etc/passwd.pem",
    "https://sns.eu-central-1.amazonaws.com:x/x.pem",
]


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_no_other_address_is_asked_for_a_certificate_or_a_confirmation(steady, url):
    listening, aws = steady
    aws.asked.clear()
    assert not is_aws(url)
    assert send(listening, message(SigningCertURL=url)).status_code == 403
    assert aws.asked == []
    asked = message("SubscriptionConfirmation", SubscribeURL=url, Token="abc")
    assert send(listening, asked).status_code == 403
    assert url not in aws.asked


def test_a_certificate_is_a_pem_file(listening, aws):
    aws.pages[SUBSCRIBE_URL] = CERTIFICATE
    assert send(listening, message(SigningCertURL=SUBSCRIBE_URL)).status_code == 403
    assert aws.asked == []


def test_addresses_of_sns_are_known():
    assert is_aws(CERTIFICATE_URL)
    assert is_aws("https://sns.cn-north-1.amazonaws.com.cn/x.pem")
    assert is_aws(SUBSCRIBE_URL)
    for region in (
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "ap-southeast-10",
        "mx-central-1",
        "il-central-1",
    ):
        assert is_aws(f"https://sns.{region}.amazonaws.com/SimpleNotificationService-0.pem")


@pytest.mark.parametrize(
    ("page", "status"),
    [(b"no certificate", 403), (certificate(ec.generate_private_key(ec.SECP256R1())), 403), (None, 503)],
)
def test_a_certificate_that_is_none_is_refused_and_one_that_is_not_there_awaited(listening, aws, page, status):
    if page is None:
        del aws.pages[CERTIFICATE_URL]
    else:
        aws.pages[CERTIFICATE_URL] = page
    assert send(listening, message()).status_code == status


@pytest.mark.parametrize(
    "change",
    [{"SignatureVersion": "3"}, {"Signature": "?"}, {"Signature": "A" * 9_000}, {"Type": "Other"}],
)
def test_what_is_no_message_of_sns_is_refused(steady, change):
    listening, _ = steady
    assert send(listening, {**message(), **change}).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"Type":"Notification"}', b'{"Type":1}', json.dumps({**message(), "Subject": 5}).encode()],
)
def test_what_cannot_be_read_is_400(steady, body):
    listening, _ = steady
    assert listening.client.post("/v1/sns", content=body).status_code == 400


def test_a_notification_without_a_good_event_is_422(listening):
    assert send(listening, message(Message=json.dumps(event(type="nope")))).status_code == 422


def test_without_a_topic_sns_is_not_listened_to(live):
    assert send(live, message()).status_code == 404


def test_a_flood_of_forged_addresses_keeps_nobody_else_waiting(listening, aws):
    assert send(listening, message()).status_code == 202
    hangs, begun = threading.Event(), threading.Event()

    class Hanging(dict):
        def __contains__(self, url: object) -> bool:
            begun.set()
            hangs.wait(20)
            return False

    aws.pages = Hanging()
    forged = message(SigningCertURL="https://sns.eu-central-1.amazonaws.com/forged.pem", MessageId="f")
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(send(listening, forged).status_code)) for _ in range(12)]
    try:
        for thread in threads:
            thread.start()
        assert begun.wait(10)
        assert send(listening, message(MessageId="m-2")).status_code == 202
        assert listening.client.get("/readyz").status_code == 200
        deadline = time.monotonic() + 10
        while len(answers) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert answers == [503, 503], "only so many may wait"
    finally:
        hangs.set()
        for thread in threads:
            thread.join(20)
    assert answers == [503] * 12
