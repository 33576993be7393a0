"""API keys: what is made, what is read, what fits."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.model.api_keys import RANDOM_BYTES, KeyScope, is_valid, matches, new_id, new_key, parse

T = 1_772_355_600_000_000


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_a_key_is_read_back_and_fits(random_bytes: bytes) -> None:
    key, text = new_key(random_bytes, "shop", [KeyScope.READ], T)
    assert re.fullmatch(r"bk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", text)
    found = parse(text)
    assert found is not None
    assert found[0] == key.id
    assert matches(key, found[1])
    assert key.hashed == sha256(found[1].encode()).digest()
    assert found[1].encode() not in repr(key).encode()


def test_two_keys_have_nothing_in_common() -> None:
    one, one_text = new_key(bytes(range(RANDOM_BYTES)), "a", [KeyScope.READ], T)
    other, other_text = new_key(bytes(range(1, RANDOM_BYTES + 1)), "a", [KeyScope.READ], T)
    assert one.id != other.id
    for key, text in ((one, other_text), (other, one_text)):
        found = parse(text)
        assert found is not None
        assert not matches(key, found[1])


def test_scopes_stand_in_one_order_and_once() -> None:
    wanted = [KeyScope.ADMIN, KeyScope.INGEST, KeyScope.ADMIN]
    assert new_key(bytes(RANDOM_BYTES), "a", wanted, T)[0].scopes == ("ingest", "admin")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bk_",
        "bk_aaaaaaaa_",
        f"bk_aaaaaaaa_{'x' * 42}",
        f"bk_aaaaaaaa_{'x' * 44}",
        f"bk_aaaaaaaa_{'x' * 43}\n",
        f"bk_AAAAAAAA_{'x' * 43}",
        f"bk_aaaaaaaa_{'ä' * 43}",
        f"xbk_aaaaaaaa_{'x' * 43}",
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert parse(text) is None


def test_a_key_holds_until_it_expires_or_is_revoked() -> None:
    key, _ = new_key(bytes(RANDOM_BYTES), "a", [KeyScope.READ], T, T + 10)
    assert is_valid(key, T + 9)
    assert not is_valid(key, T + 10)
    assert is_valid(replace(key, expires_us=None), T + 10**15)
    assert not is_valid(replace(key, revoked_us=T), T + 1)


def test_too_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="37 random bytes are needed, not 16"):
        new_key(bytes(16), "a", [], T)


def test_ids_are_easy_to_type() -> None:
    assert new_id(bytes(5)) == "aaaaaaaa"
    assert new_id(b"\xff" * 5) == "77777777"
