"""What holds for every channel type, whoever wrote it. A new type joins by being in the registry."""

from __future__ import annotations

import inspect
import logging
import time
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.model.channels import Channel, ChannelType, Honesty, OptionType
from botopt.model.delivery import Answer, Delivered, Failed, Inbound, NeedsTransport, Outgoing, Receipt, Refused
from botopt.model.options import OF_EVERY_CHANNEL, converted, fault, filled, texts_in
from botopt.model.policy import Value
from tests.delivery.factories import factories
from tests.delivery.messages import HOSTILE, NOW_US, outgoing, surroundings, with_buttons
from tests.delivery.peers import WAYS, dead, peer

ROOT = Path(__file__).resolve().parent.parent.parent
FACTORIES = factories()
NAMES = sorted(BUILT_IN)
REMOTE = [name for name in NAMES if name in FACTORIES and not FACTORIES[name].local]
HTTP = [name for name in REMOTE if FACTORIES[name].http]
SECOND_US = 1_000_000


def given(name: str, url: str, folder: Path) -> dict[str, Value]:
    return dict(FACTORIES[name].options(url, folder))


def make(name: str, options: Mapping[str, Value], **changes: object) -> Channel:
    type_ = CHANNEL_TYPES[name]
    return type_.make(filled(type_, options, {}), surroundings(**changes))


@contextmanager
def channel(name: str, url: str, folder: Path, **changes: object) -> Iterator[Channel]:
    made = make(name, given(name, url, folder), **changes)
    try:
        yield made
    finally:
        made.close()


def message(name: str, **changes: object) -> Outgoing:
    return outgoing(address=FACTORIES[name].address, last_active_us=NOW_US, **changes)


def secrets(name: str, options: Mapping[str, Value]) -> list[str]:
    """Every secret of these options, and the parts of secret addresses that nobody must see."""
    type_ = CHANNEL_TYPES[name]
    found = [text for option in type_.options if option.secret for text in texts_in(options.get(option.name))]
    return found + [part for text in found if "://" in text for part in text.split("/")[3:] if len(part) >= 8]


def refuse_secrets(name: str, options: Mapping[str, Value], *places: object) -> None:
    for secret in secrets(name, options):
        for place in places:
            assert secret not in (place if isinstance(place, str) else repr(place))


def is_sentence(text: str) -> bool:
    return bool(text) and text[0] == text[0].upper() and text.endswith(".") and "\n" not in text and "  " not in text


def test_every_type_has_a_factory_and_every_factory_a_type():
    assert set(FACTORIES) == set(BUILT_IN)


@pytest.mark.parametrize("name", NAMES)
def test_a_type_says_what_it_is(name: str):
    type_ = CHANNEL_TYPES[name]
    assert isinstance(type_, ChannelType)
    assert type_.name == name
    assert is_sentence(type_.summary)
    assert (type_.honesty is Honesty.LOCAL) == FACTORIES[name].local
    assert type_.max_length is None or type_.max_length > 0
    assert type_.addressed == type_.addressed.strip(" .")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert type_.extra == "" or type_.extra in extras


@pytest.mark.parametrize("name", NAMES)
def test_options_are_documented_and_their_defaults_obey_them(name: str):
    type_ = CHANNEL_TYPES[name]
    names = [option.name for option in type_.options]
    assert len(set(names)) == len(names)
    assert not set(names) & set(OF_EVERY_CHANNEL)
    for option in type_.options:
        assert option.name.isidentifier(), option.name
        assert option.name == option.name.lower()
        assert is_sentence(option.help), option
        assert not option.required or option.default is None, option
        assert not option.one_of or option.type is OptionType.TEXT, option
        assert (option.minimum is None and option.maximum is None) or option.type in {
            OptionType.INTEGER,
            OptionType.NUMBER,
        }, option
        if option.secret:
            assert option.default is None, option
            assert option.type in {OptionType.TEXT, OptionType.TEXTS, OptionType.NAME_MAP, OptionType.URL}, option
        if option.default is not None:
            assert fault(option, option.default) == "", option
            assert converted(option, option.default) == option.default, option


@pytest.mark.parametrize("name", NAMES)
def test_a_page_describes_the_type(name: str):
    page = (ROOT / "docs" / "channels" / f"{name}.md").read_text("utf-8")
    assert page.startswith(f"# {name}")
    assert f"<!-- generated: channel-{name.replace('_', '-')} -->" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_type_takes_callbacks_if_it_says_so(name: str, tmp_path: Path):
    with channel(name, "http://127.0.0.1:9", tmp_path) as made:
        assert (type(made).receive is not Channel.receive) == CHANNEL_TYPES[name].callbacks


@pytest.mark.parametrize("name", NAMES)
def test_options_that_are_missing_or_wrong_are_refused_in_a_sentence(name: str, tmp_path: Path):
    type_, options = CHANNEL_TYPES[name], given(name, "http://127.0.0.1:9", tmp_path)
    spoiled = [(o.name, {k: v for k, v in options.items() if k != o.name}) for o in type_.options if o.required]
    spoiled += [("", {**options, **changes}) for changes in FACTORIES[name].spoils]
    for option, wrong in spoiled:
        with pytest.raises(ValueError, match=option or ".") as raised:
            make(name, wrong)
        sentence = str(raised.value)
        assert 10 < len(sentence) < 300
        assert "\n" not in sentence
        refuse_secrets(name, wrong, sentence)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_secret_shows_in_a_channel(name: str, tmp_path: Path):
    options = given(name, "http://127.0.0.1:9", tmp_path)
    assert all(o.name in options for o in CHANNEL_TYPES[name].options if o.secret and o.required)
    with channel(name, "http://127.0.0.1:9", tmp_path) as made:
        refuse_secrets(name, options, repr(made), str(made))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make_message", [outgoing, with_buttons])
def test_a_message_is_taken(name: str, make_message: object, tmp_path: Path):
    factory = FACTORIES[name]
    with peer(factory.well) as there, channel(name, there.url, tmp_path) as made:
        sent = make_message(address=factory.address, last_active_us=NOW_US)  # type: ignore[operator]
        receipt = made.send(sent)
        wanted = Delivered | NeedsTransport if CHANNEL_TYPES[name].needs_transport else Delivered
        assert isinstance(receipt, wanted), receipt
        assert factory.local or there.requests or not factory.http


@pytest.mark.parametrize("name", REMOTE)
def test_where_nobody_listens_nothing_was_sent(name: str, tmp_path: Path):
    with dead() as url, channel(name, url, tmp_path) as made:
        receipt = made.send(message(name))
    assert isinstance(receipt, Failed)
    assert receipt.retryable
    assert not receipt.unsure or not FACTORIES[name].knows


@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("way", WAYS)
def test_whatever_the_other_side_does_send_ends_in_time_with_a_receipt(
    name: str, way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    with peer(WAYS[way]) as there, channel(name, there.url, tmp_path) as made:
        options = given(name, there.url, tmp_path)
        began = time.monotonic()
        receipt = made.send(with_buttons(address=FACTORIES[name].address, last_active_us=NOW_US))
        took = time.monotonic() - began
    assert isinstance(receipt, Receipt)
    assert took < surroundings().timeout_s + 2
    written = capsys.readouterr()
    refuse_secrets(name, options, receipt, caplog.text, written.out, written.err)
    if isinstance(receipt, Failed):
        assert 5 < len(receipt.detail) < 1_000
        assert "\n" not in receipt.detail
        assert receipt.retryable or not receipt.unsure
    if way in {"hangs", "resets", "drips", "garbage", "redirects", "echoes"} or way.isdigit():
        assert isinstance(receipt, Failed), receipt
    if name in HTTP and way in {"hangs", "drips", "resets after the request", "closes after the request", "500", "503"}:
        assert isinstance(receipt, Failed)
        assert receipt.retryable
    if name in HTTP and way == "401":  # the message is not at fault, and must not die of a revoked token
        assert isinstance(receipt, Failed)
        assert receipt.retryable
        assert "look at" in receipt.detail
    if name in HTTP and way == "429":
        assert isinstance(receipt, Failed)
        assert (receipt.retryable, receipt.retry_after_us) == (True, 7 * SECOND_US)


@pytest.mark.parametrize("name", [name for name in HTTP if CHANNEL_TYPES[name].repeatable])
def test_every_attempt_carries_the_same_key(name: str, tmp_path: Path):
    factory = FACTORIES[name]
    assert factory.key_of is not None, f"{name} is repeatable: where does a request hold the key?"
    with peer(factory.well) as there, channel(name, there.url, tmp_path) as made:
        for attempt in (1, 2, 3):
            made.send(message(name, attempt=attempt, key="abcdef0123456789abcdef01:chat"))
        keys = [key for request in there.requests if (key := factory.key_of(request)) is not None]
    assert len(keys) == 3
    assert len(set(map(repr, keys))) == 1
    with peer(factory.well) as there, channel(name, there.url, tmp_path) as made:
        made.send(message(name, key="ffffffffffffffffffffffff"))
        others = [key for request in there.requests if (key := factory.key_of(request)) is not None]
    assert others
    assert others != keys[:1]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_is_only_text(name: str, tmp_path: Path):
    factory = FACTORIES[name]
    sent = with_buttons(address=factory.address, last_active_us=NOW_US, text=HOSTILE, data={"note": HOSTILE})
    with peer(factory.well) as there, channel(name, there.url, tmp_path) as made:
        receipt = made.send(sent)
        requests = list(there.requests)
    assert not isinstance(receipt, Failed), receipt
    for request in requests:
        assert not request.doubled
        assert not {"bcc", "x-evil"} & set(request.headers)
        assert "\r\n" not in request.target
    if factory.text_of is not None:
        assert any(HOSTILE in str(factory.text_of(request)) for request in requests)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_would_make_headers_or_paths_do_not(name: str, tmp_path: Path):
    evil = "u1\r\nx-evil: 1\r\n\r\nGET /admin HTTP/1.1\r\n/../../admin?x=1#"
    factory = FACTORIES[name]
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-evil: 1"}
    with peer(factory.well) as there, channel(name, there.url, tmp_path) as made:
        for changes in ({"address": evil, "user": evil}, {"trace": trace}, {"event_type": evil, "event_id": evil}):
            receipt = made.send(outgoing(**{"address": factory.address, "last_active_us": NOW_US, **changes}))
            assert isinstance(receipt, Receipt)
        for request in there.requests:
            assert not {"bcc", "x-evil"} & set(request.headers)
            assert request.path != "/admin"
            assert "/../" not in request.target


@pytest.mark.parametrize("name", NAMES)
def test_ten_threads_send_at_once(name: str, tmp_path: Path):
    factory = FACTORIES[name]
    sent = [message(name, id=f"{n:024x}", key=f"{n:024x}", text=f"Message {n}.") for n in range(10)]
    with peer(factory.well) as there, channel(name, there.url, tmp_path, timeout_s=10.0) as made:
        with ThreadPoolExecutor(10) as pool:
            receipts = list(pool.map(made.send, sent))
        assert not [receipt for receipt in receipts if isinstance(receipt, Failed)]
        if factory.text_of is not None:
            texts = sorted(str(text) for request in there.requests if (text := factory.text_of(request)) is not None)
            assert texts == sorted(one.text for one in sent)


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_can_be_closed_twice(name: str, tmp_path: Path):
    with dead() as url:
        made = make(name, given(name, url, tmp_path))
        made.send(message(name))
        made.close()
        made.close()
        assert isinstance(made.send(message(name)), Receipt)
        made.close()


def inbounds() -> Iterator[Inbound]:
    url = "https://botopt.example/v1/channels/chat/callback"
    bodies = (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"payload=%7B%22",
        b"payload=%ff&a=b&a=c",
        b'{"type": 5, "data": [], "from": "x", "message": null, "events": {"a": []}, "data": 7}',
        b"MessageSid=&MessageStatus=failed&ErrorCode=x",
    )
    headers: tuple[Mapping[str, str], ...] = (
        {},
        {"content-type": "application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {
            "content-type": "application/json",
            "authorization": "Bearer a.b.c",
            "webhook-id": "\xff",
            "webhook-timestamp": "x",
            "webhook-signature": "v1,",
            "x-slack-request-timestamp": "1e9",
            "x-slack-signature": "v0=zz",
            "x-twilio-signature": "=",
        },
        {
            "authorization": "bearer",
            "webhook-id": "a",
            "webhook-timestamp": "1" * 400,
            "webhook-signature": "v1,\xff v1a,\xff v1," + "A" * 5_000,
            "x-slack-request-timestamp": "9" * 400,
            "x-slack-signature": "v0=\xff",
            "x-twilio-signature": "\xff",
        },
    )
    for method in ("POST", "GET"):
        for body in bodies:
            for header in headers:
                yield Inbound(method=method, url=url, headers=header, body=body, received_us=NOW_US)


def told(made: Channel, inbound: Inbound) -> Answer | Refused:
    try:
        return made.receive(inbound)
    except Refused as refused:
        return refused


@pytest.mark.parametrize("name", NAMES)
def test_nobody_gets_feedback_in_without_proof(name: str, tmp_path: Path):
    options = given(name, "http://127.0.0.1:9", tmp_path)
    with channel(name, "http://127.0.0.1:9", tmp_path) as made:
        for inbound in inbounds():
            answer = told(made, inbound)
            if isinstance(answer, Refused):
                assert 400 <= answer.status < 500, inbound
                refuse_secrets(name, options, answer.detail)
            else:
                assert answer.feedback == (), inbound
                assert answer.status < 500


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_is_one_file_that_ends_with_its_type(name: str):
    path = ROOT / "botopt" / "delivery" / f"{name}.py"
    text = path.read_text("utf-8")
    assert text.startswith(f'"""`{name}`: ')
    assert "\nTYPE = ChannelType(\n" in text
    assert len(text.splitlines()) <= 400
    made = CHANNEL_TYPES[name].make
    assert inspect.getmodule(made).__name__ == f"botopt.delivery.{name}"  # type: ignore[union-attr]
