"""What holds for the bot platforms together: nothing heavy is imported before it is needed, and nobody's answer breaks us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.loading.policy import load_policy
from botopt.model.delivery import Answer, Receipt, Refused
from botopt.model.errors import UsageError
from tests.delivery.fakes.platform import Asked, Platform, Told
from tests.delivery.google_judges import key_file, key_pair
from tests.delivery.platforms import TOKEN, callback, channel, close_channels, message, new_channel

__all__ = ["close_channels", "key_pair"]

SECRET = "a secret that is long enough to sign with"
KORE = {"bot": "st-1", "client_id": "cs-1", "client_secret": SECRET, "poll_every": 1_000}
GOOGLE = {"project": "p", "access_token": "t"}
FORMS = {
    "koreai": ("koreai", "host", KORE | {"utterance": "hi", "callback_token": TOKEN, "counted_tasks": ["x", "text"]}),
    "koreai-1": ("koreai", "host", KORE | {"api": "notify_v1", "notify_channel": "slack"}),
    "koreai-2": ("koreai", "host", KORE | {"api": "notify_v2", "notify_channel": "ivr"}),
    "dialogflow_cx": ("dialogflow_cx", "host", GOOGLE | {"agent": "a"}),
    "dialogflow_es": ("dialogflow_es", "host", GOOGLE),
    "rasa": ("rasa", "url", {"callback_token": TOKEN}),
}


def test_nothing_heavy_is_imported_for_a_look_at_the_types():
    heavy = ["jwt", "cryptography", "httpx", "httpcore", "google.auth"]
    names = sorted({name for name, _, _ in FORMS.values()})
    code = f"""
import sys
from botopt.delivery.registry import CHANNEL_TYPES
for name in {names}:
    CHANNEL_TYPES[name]
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("form", ["koreai", "rasa", "dialogflow_cx"])
def test_without_the_package_for_tokens_the_error_names_the_extra(
    form: str, key_pair: tuple, monkeypatch: pytest.MonkeyPatch
):
    name, where, options = FORMS[form]
    signing = {
        "koreai": {},
        "rasa": {"jwt_secret": SECRET},
        "dialogflow_cx": {"access_token": None, "credentials": json.dumps(key_file(key_pair[0], "http://127.0.0.1:9"))},
    }[form]
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(UsageError, match=r'the channel "bot" needs more packages: pip install \'botopt\[server\]\''):
        channel(CHANNEL_TYPES[name], **{where: "http://127.0.0.1:9"}, **(options | signing))


# ---------------------------------------------------------------- answers of every shape

KEYS = """_id _v code comments currentPage custom data endOfTask endReason error error_description errors event from fulfillmentMessages
fulfillmentText id intent isFallback latest_input_channel match matchType message messageId messages msg name originalId payload
platform pollId queryResult reason recipient_id responseId responseMessages status statusLogs text title to traceId tracker
triggerEvent type val completedTaskName botopt botopt_id customData metaTags messageLevelTags value""".split()
WORDS = """EVENT ok Inprogress SUCCESS FAILURE PARTIAL_SUCCESS IN_PROGRESS 429 401 payment_failed callback Fulfilled Canceled x
message.converted user.active botopt_id {"a":1} {"payload":{"text":"y"}} { user-42""".split()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 409, 429, 500, 504])


class Anything(Platform):
    """Answers with whatever it is told to, and then with silence's next best: nothing under way any more."""

    def __init__(self) -> None:
        super().__init__()
        self.next: Told = Told({})

    def answer(self, asked: Asked) -> Told:
        told, self.next = self.next, Told({"status": "FAILURE", "errors": []})
        return told


@pytest.fixture(scope="module")
def anything():
    with Anything() as platform:
        yield platform


@pytest.fixture(scope="module")
def channels(anything: Anything):
    """A channel of every form, which talks to the one that says anything."""
    made = {
        form: new_channel(CHANNEL_TYPES[name], timeout_s=2, **{where: anything.url}, **options)
        for form, (name, where, options) in FORMS.items()
    }
    yield made
    for one in made.values():
        one.close()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON, status=STATUSES)
def test_any_answer_ends_in_a_receipt(form: str, anything: Anything, channels: dict, body: object, status: int):
    anything.next = Told("" if status == 204 else body, status)
    assert isinstance(channels[form].send(message()), Receipt)


@pytest.mark.parametrize("form", ["koreai", "rasa"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8))
def test_any_callback_is_understood_or_refused(form: str, channels: dict, body: dict):
    answer, status = Answer(), 400
    try:
        answer = channels[form].receive(callback(body))
    except Refused as refused:
        status = refused.status
    assert status == 400
    assert all(told.message_id or told.address for told in answer.feedback)


def test_without_cryptography_the_error_names_the_extra(key_pair: tuple, monkeypatch: pytest.MonkeyPatch):
    import jwt

    def lacking(*_: object, **__: object) -> str:
        raise NotImplementedError("Algorithm 'RS256' could not be found. Do you have cryptography installed?")

    monkeypatch.setattr(jwt, "encode", lacking)
    with pytest.raises(UsageError, match=r"pip install 'botopt\[server\]'"):
        channel(
            CHANNEL_TYPES["koreai"], **KORE | {"utterance": "hi", "algorithm": "RS256", "client_secret": key_pair[0]}
        )


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("form", FORMS)
def test_the_trace_goes_through(form: str, anything: Anything):
    name, where, options = FORMS[form]
    anything.asked.clear()
    made = channel(CHANNEL_TYPES[name], **{where: anything.url}, **options)
    made.send(message(trace={"traceparent": TRACE, "tracestate": "a=b"}))
    assert (anything.asked[0].headers["traceparent"], anything.asked[0].headers["tracestate"]) == (TRACE, "a=b")


@pytest.mark.parametrize(
    ("api", "codes"), [("notify_v1, notify_channel: slack", []), ("webhook, utterance: hi, reply: chat", ["B113"])]
)
def test_a_channel_that_pushes_may_carry_what_an_agent_says(api: str, codes: list[str], tmp_path: Path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(
        "channels:\n  chat: {type: console}\n"
        "  agent: {type: dialogflow_es, project: p, access_token: '${T}', reply: bot}\n"
        f"  bot: {{type: koreai, bot: st-1, client_id: cs-1, client_secret: '${{S}}', api: {api}}}\n",
        "utf-8",
    )
    found = load_policy(tmp_path, channel_types=CHANNEL_TYPES).diagnostics
    assert [one.code.id if hasattr(one.code, "id") else str(one.code) for one in found] == codes
