"""Signatures of Standard Webhooks: the specification's own vector, and its official library as the judge."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from botopt.delivery.signing import BadSignature, read_secret, sign, signature, verify
from botopt.model.errors import UsageError
from tests.delivery.messages import NOW_US

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of some length").decode()
SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
PRIVATE_TEXT = "whsk_" + base64.b64encode(SEED + PUBLIC).decode()
PUBLIC_TEXT = "whpk_" + base64.b64encode(PUBLIC).decode()
BODY = b'{"test": 2432232314}'
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_the_vector_of_the_specification():
    found = signature([read_secret(SECRET)], ID, 1614265330, BODY)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": found}
    assert verify([read_secret(SECRET)], headers, BODY, 1614265330 * 1_000_000) == ID


def test_the_official_library_believes_what_we_sign():
    now = datetime.now(UTC)
    headers = sign([read_secret(OTHER), read_secret(SECRET)], "id-1", int(now.timestamp() * 1e6), BODY)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(BODY, headers)


@given(st.binary(max_size=200), st.integers(1_500_000_000, 2_500_000_000), st.text("abcdef0123456789_:-", min_size=1))
def test_we_believe_what_the_official_library_signs(body: bytes, seconds: int, id: str):
    text = body.decode("latin-1")
    signed = Webhook(SECRET).sign(id, datetime.fromtimestamp(seconds, UTC), text)
    headers = {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": signed}
    assert verify([read_secret(SECRET)], headers, text.encode(), seconds * 1_000_000) == id


def test_two_secrets_make_two_signatures_and_either_will_do():
    keys = [read_secret(SECRET), read_secret(OTHER)]
    headers = sign(keys, "id-1", NOW_US, BODY)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for key in keys:
        assert verify([key], headers, BODY, NOW_US) == "id-1"
    only_old = sign([read_secret(OTHER)], "id-1", NOW_US, BODY)
    assert verify(keys, only_old, BODY, NOW_US) == "id-1"


def test_a_pair_of_keys_signs_with_one_and_verifies_with_the_other():
    headers = sign([read_secret(PRIVATE_TEXT)], "id-1", NOW_US, BODY)
    assert headers["webhook-signature"].startswith("v1a,")
    for key in (read_secret(PRIVATE_TEXT), read_secret(PUBLIC_TEXT, signs=False)):
        assert verify([key], headers, BODY, NOW_US) == "id-1"
        with pytest.raises(BadSignature):
            verify([key], headers, BODY + b" ", NOW_US)
    assert read_secret("whsk_" + base64.b64encode(SEED).decode()).sign(b"x") == read_secret(PRIVATE_TEXT).sign(b"x")
    with pytest.raises(UsageError):
        read_secret(PUBLIC_TEXT, signs=False).sign(b"x")


def test_a_signature_of_one_kind_is_none_of_the_other():
    """A public key is public: nobody may use its bytes as a shared secret."""
    as_shared = read_secret("whsec_" + base64.b64encode(PUBLIC).decode())
    headers = sign([as_shared], "id-1", NOW_US, BODY)
    with pytest.raises(BadSignature):
        verify([read_secret(PUBLIC_TEXT, signs=False)], headers, BODY, NOW_US)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_!!!",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsk_" + base64.b64encode(b"x" * 31).decode(),
        "whsk_" + base64.b64encode(SEED + SEED).decode(),
        PUBLIC_TEXT,
        "whsec_\xff\u1234",
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(text: str):
    with pytest.raises(ValueError, match="secret") as raised:
        read_secret(text)
    rest = text.partition("_")[2]
    assert not rest or rest not in str(raised.value)


def test_a_secret_may_come_without_its_padding():
    assert read_secret(OTHER.rstrip("=")).sign(b"x") == read_secret(OTHER).sign(b"x")


GOOD = sign([read_secret(SECRET)], "id-1", NOW_US, BODY)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_a_clock_may_be_five_minutes_off(seconds: int):
    assert verify([read_secret(SECRET)], GOOD, BODY, NOW_US + seconds * 1_000_000) == "id-1"


@pytest.mark.parametrize("us", [-300_000_001, 300_000_001, 10**15])
def test_and_no_more(us: int):
    with pytest.raises(BadSignature, match="too old"):
        verify([read_secret(SECRET)], GOOD, BODY, NOW_US + us)


BAD = (
    {},
    {"webhook-id": ""},
    {"webhook-id": "id-2"},
    {"webhook-id": "x" * 1_000},
    {"webhook-id": "\xff"},
    {"webhook-id": "id\n1"},
    {"webhook-timestamp": ""},
    {"webhook-timestamp": "soon"},
    {"webhook-timestamp": "1e9"},
    {"webhook-timestamp": "-1"},
    {"webhook-timestamp": " 1782907200"},
    {"webhook-timestamp": "1782907200.0"},
    {"webhook-timestamp": "١٧٨٢٩٠٧٢٠٠"},
    {"webhook-timestamp": "9" * 5_000},
    {"webhook-timestamp": "1782907201"},
    {"webhook-signature": ""},
    {"webhook-signature": "v1"},
    {"webhook-signature": "v1,"},
    {"webhook-signature": "v1,!!!"},
    {"webhook-signature": "v1,\xff\u1234"},
    {"webhook-signature": ","},
    {"webhook-signature": "v1a," + base64.b64encode(b"x" * 64).decode()},
    {"webhook-signature": GOOD["webhook-signature"].replace("v1,", "v2,")},
    {"webhook-signature": GOOD["webhook-signature"].replace("v1,", "v1,,")},
    {"webhook-signature": " ".join(["v1,AAAA"] * 20) + " " + GOOD["webhook-signature"]},
    {"webhook-signature": "v1," + "A" * 1_000_000},
)


@pytest.mark.parametrize("changes", BAD)
@pytest.mark.parametrize("secret", [SECRET, PUBLIC_TEXT])
def test_whatever_stands_in_the_headers_it_is_refused_and_never_a_fault_of_ours(changes: dict[str, str], secret: str):
    headers = {**GOOD, **changes} if changes else {}
    with pytest.raises(BadSignature):
        verify([read_secret(secret, signs=False)], headers, BODY, NOW_US)


@given(st.text(), st.text(), st.text(), st.binary())
def test_no_text_at_all_brings_another_fault(id: str, at: str, given: str, body: bytes):
    headers = {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": given}
    with pytest.raises(BadSignature):
        verify([read_secret(SECRET), read_secret(PUBLIC_TEXT, signs=False)], headers, body, NOW_US)


def test_a_good_signature_among_bad_ones_counts():
    headers = {**GOOD, "webhook-signature": f"v1,!! v9,AAAA {GOOD['webhook-signature']}"}
    assert verify([read_secret(SECRET)], headers, BODY, NOW_US) == "id-1"
