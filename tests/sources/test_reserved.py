"""What users say about themselves, and what they do with messages."""

from __future__ import annotations

import pytest

from tests.sources.helpers import AT_US, event, native, of, rejected


@pytest.mark.parametrize(
    ("data", "read"),
    [
        ({}, {}),
        ({"plan": "pro", "name": "Ada"}, {"plan": "pro", "name": "Ada"}),
        ({"plan": None, "timezone": None, "locale": None}, {"plan": None, "timezone": None, "locale": None}),
        ({"timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"timezone": "Asia/Calcutta"}, {"timezone": "Asia/Calcutta"}),
        ({"locale": "de"}, {"locale": "de"}),
        ({"locale": "de_AT"}, {"locale": "de-AT"}),
        ({"locale": "de-at"}, {"locale": "de-AT"}),
        ({"locale": "ZH_hant_tw"}, {"locale": "zh-Hant-TW"}),
        ({"locale": "es-419"}, {"locale": "es-419"}),
        ({"locale": "fr-DE"}, {"locale": "fr-DE"}),
        ({"locale": "ca-ES-valencia"}, {"locale": "ca-ES-valencia"}),
        ({"age": 5.0, "unknown": [1], "id": "x"}, {"age": 5}),
    ],
)
def test_updates(data: dict[str, object], read: dict[str, object]) -> None:
    assert event(of("user.updated", **data)).data == read


@pytest.mark.parametrize(
    ("data", "detail", "by"),
    [
        ({"name": "Ada", "plan": "gold"}, 'a field has a wrong value: plan must be free or pro, not "gold"', "plan"),
        ({"name": 5}, "a field has the wrong type: name must be text, not 5", "name"),
        ({"timezone": 5}, "a field has the wrong type: timezone must be text, not 5", "timezone"),
        (
            {"timezone": "Europe/Berln"},
            'an unknown time zone: "Europe/Berln" is no IANA name such as Europe/Berlin',
            "timezone",
        ),
        (
            {"timezone": "europe/berlin"},
            'an unknown time zone: "europe/berlin" is no IANA name such as Europe/Berlin',
            "timezone",
        ),
        ({"timezone": "+02:00"}, 'an unknown time zone: "+02:00" is no IANA name such as Europe/Berlin', "timezone"),
        (
            {"timezone": "../etc/passwd"},
            'an unknown time zone: "../etc/passwd" is no IANA name such as Europe/Berlin',
            "timezone",
        ),
        *(
            ({"locale": tag}, f'an unknown locale: "{tag}" is no tag such as de or de-AT', "locale")
            for tag in ["xx", "de-XX", "german", "C", "en_US.UTF-8", "de-", "de--AT", "und", "", "root", "de AT", "*"]
        ),
    ],
)
def test_a_wrong_value_rejects_the_whole_update(data: dict[str, object], detail: str, by: str) -> None:
    found = rejected(of("user.updated", **data))
    assert (found.detail, found.by) == (detail, by)


@pytest.mark.parametrize("kind", ["user.subscribed", "user.unsubscribed"])
@pytest.mark.parametrize(
    "data", [{}, {"category": "marketing"}, {"channel": "sms"}, {"category": "marketing", "channel": "chat"}]
)
def test_consent(kind: str, data: dict[str, object]) -> None:
    assert event(of(kind, **data)).data == data
    assert event(of(kind, **{"category": None, "channel": None, **data})).data == data


@pytest.mark.parametrize(
    ("data", "detail", "by"),
    [
        (
            {"category": "marketng"},
            'a category that is not declared: "marketng" - did you mean "marketing"?',
            "category",
        ),
        ({"channel": "fax"}, 'a channel that is not declared: "fax"', "channel"),
        ({"category": "marketing", "channel": ""}, 'a channel that is not declared: ""', "channel"),
        ({"category": ["marketing"]}, "a field has the wrong type: category must be text, not a list", "category"),
    ],
)
def test_consent_for_what_is_not_declared(data: dict[str, object], detail: str, by: str) -> None:
    for kind in ("user.subscribed", "user.unsubscribed"):
        found = rejected(of(kind, **data))
        assert (found.detail, found.by) == (detail, by)


@pytest.mark.parametrize("kind", ["clicked", "converted", "dismissed", "failed"])
def test_feedback(kind: str) -> None:
    name = f"message.{kind}"
    assert event(of(name)).data == {}
    assert event(of(name, message_id="m1", event_type=None, link="x")).data == {"message_id": "m1"}
    assert event(of(name, event_type="pay-fail")).data == {"event_type": "payment_failed"}
    assert rejected(of(name, message_id=5)).by == "message_id"
    found = rejected(of(name, event_type="user.updated"))
    assert (found.detail, found.by) == ('an event type that is not declared: "user.updated"', "event_type")


@pytest.mark.parametrize("data", [{}, {"channel": "chat"}, {"channel": "sms"}])
def test_activity(data: dict[str, object]) -> None:
    assert event(of("user.active", **data)).data == data
    assert event(of("user.active", **{"channel": None, **data, "text": "hi"})).data == data


def test_activity_on_what_is_no_channel() -> None:
    found = rejected(of("user.active", channel="fax"))
    assert (found.detail, found.by) == ('a channel that is not declared: "fax"', "channel")
    assert rejected(of("user.active", channel=5)).by == "channel"


def test_a_failure_may_say_why_and_until_when_the_provider_caps() -> None:
    data = {"message_id": "m1", "reason": "x" * 200, "capped_until": "2026-03-01T10:30:00+01:30"}
    assert event(of("message.failed", **data)).data == {**data, "capped_until": AT_US}
    assert event(of("message.failed", reason=None, capped_until=None)).data == {}


@pytest.mark.parametrize(
    ("data", "detail", "by"),
    [
        (
            {"reason": "x" * 201},
            "a field has a wrong value: reason must have at most 200 characters, not 201",
            "reason",
        ),
        ({"reason": 5}, "a field has the wrong type: reason must be text, not 5", "reason"),
        (
            {"capped_until": "tomorrow"},
            ('a field has a wrong value: capped_until must be a time such as "2026-03-01T09:00:00Z", not "tomorrow"'),
            "capped_until",
        ),
        (
            {"capped_until": 5},
            ('a field has the wrong type: capped_until must be a time such as "2026-03-01T09:00:00Z", not 5'),
            "capped_until",
        ),
    ],
)
def test_a_failure_that_is_wrong_is_rejected(data: dict[str, object], detail: str, by: str) -> None:
    found = rejected(of("message.failed", **data))
    assert (found.detail, found.by) == (detail, by)


def test_only_a_failure_says_so() -> None:
    assert event(of("message.clicked", reason=5, capped_until=5)).data == {}


def test_a_deletion_needs_nothing() -> None:
    assert event(native(type="user.deleted", data={"reason": "asked"})).data == {}
