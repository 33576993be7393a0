"""What authors say about learning: what it means, and how mistakes are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from botopt.learning.learner import remembered
from botopt.loading.models import encode
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.condition import Comparison, Literal, Ref, Scope, ValueType
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import Pacing, Recency, ScorerUse, SendTime
from botopt.model.policy import MOST_PERIODS
from botopt.model.trained_model import Gate, Training
from botopt.verify.validate import validate
from tests.loading.making import check_marked, load, load_files, said, write

CHANNELS = "channels: {chat: {type: console}}\n"
EVENT = "  late: {weight: 0.5, message: hi}\n"
EVENTS = f"events:\n{EVENT}"
HI = "templates: {hi: Hello}\n"
TWO = "templates: {hi: {choose: learn, variants: {a: {text: Hello}, b: {text: Hi}}}}\n"
EXPERIMENT = "experiment: {bar: {arms: {as-now: 50%, early: 50%}}}\n"


def asking(when: str) -> str:
    return f'events:\n  late: {{weight: 0.5, message: hi, rules: [{{id: r, when: "{when}", score: 0.1}}]}}\n'


def policy(rules: str, templates: str = HI):
    loaded = load(CHANNELS + rules, templates)
    assert loaded.policy is not None, said(loaded)
    return loaded.policy


def test_everything_is_off_where_nothing_is_said():
    found = policy(EVENTS)
    assert not found.learns
    assert found.settings.engagement.explore == found.settings.control == 0.0
    assert found.settings.pacing is None
    assert found.events["late"].send_time is None


def test_settings_are_read():
    words = "{engagement: {learn: true, explore: 2.5%}, pacing: {messages: 1.5}, control: 5%, refresh: 30m, "
    found = policy(f"settings: {words}tuned_until: 2026-03-01T00:00:00Z}}\n{EVENTS}").settings
    assert (found.engagement.learn, found.engagement.explore, found.control) == (True, 0.025, 0.05)
    assert found.pacing == Pacing(1.5, DAY_US)
    assert found.refresh_us == HOUR_US // 2
    assert found.tuned_until_us == 1_772_323_200_000_000


@pytest.mark.parametrize(
    ("per", "us"),
    [("hour", HOUR_US), ("day", DAY_US), ("week", 7 * DAY_US), ("36h", 36 * HOUR_US), ("2w", 14 * DAY_US)],
)
def test_a_budget_is_per_a_unit_or_a_duration(per: str, us: int):
    assert policy(f"settings: {{pacing: {{messages: 2, per: {per}}}}}\n{EVENTS}").settings.pacing == Pacing(2.0, us)


def test_an_event_type_takes_the_send_time_of_its_category_unless_it_says_otherwise():
    found = policy(
        "categories: {news: {send_time: {within: 12h}, pacing: {messages: 3, per: week}}}\nevents:\n"
        "  a: {weight: 0.5, message: hi, category: news}\n"
        "  b: {weight: 0.5, message: hi, category: news, send_time: off}\n"
        "  c: {weight: 0.5, message: hi, category: news, send_time: {within: 3h, explore: 0%}}\n"
        "  d: {weight: 0.5, message: hi, category: news, always: true}\n"
        "  e: {weight: 0.5, message: hi, category: news, expires_after: 30m}\n"
        "  f: {weight: 0.5, message: hi}\n"
    )
    times = {name: event.send_time for name, event in found.events.items()}
    assert times == {
        "a": SendTime(12 * HOUR_US),
        "b": None,
        "c": SendTime(3 * HOUR_US, 0.0),
        "d": None,
        "e": None,
        "f": None,
    }
    assert found.categories["news"].pacing == Pacing(3.0, 7 * DAY_US)


def test_recency_has_defaults():
    (template,) = policy(EVENTS, TWO.replace("learn,", "learn, recency: {penalty: 0.3},")).templates.values()
    assert template.recency == Recency(0.3, 3 * DAY_US)


def test_an_experiment_is_a_text_with_known_values():
    found = policy(EXPERIMENT + asking("experiment('bar') == 'early'"))
    assert found.experiments["bar"].arms == (("as-now", 0.5), ("early", 0.5))
    (rule,) = found.events["late"].rules
    ref = Ref(Scope.EXPERIMENT, "bar", ValueType.TEXT, one_of=("as-now", "early"))
    assert rule.when.condition == Comparison("==", ref, Literal("early"))


def test_thirds_are_the_whole():
    arms = "{a: 33.333333333333%, b: 33.333333333333%, c: 33.333333333334%}"
    found = policy(f"experiment: {{x: {{arms: {arms}}}}}\n" + asking("experiment('x') == 'c'"))
    assert len(found.experiments["x"].arms) == 3


def test_suppressions_and_variants_may_ask_for_an_arm():
    found = load(
        CHANNELS + EXPERIMENT + EVENTS + "suppression: [{id: s, mute: always, when: experiment('bar') == 'early'}]\n",
        "templates: {hi: {variants: {a: {when: experiment('bar') != 'early', text: A}, b: {text: B}}}}\n",
    )
    assert found.policy is not None, said(found)


def test_what_learning_says_is_part_of_the_revision_and_when_it_was_tuned_is_not():
    def revision(settings: str, experiment: str = EXPERIMENT) -> str:
        return policy(f"settings: {settings}\n{experiment}" + asking("experiment('bar') == 'early'")).revision

    plain = revision("{seed: 0}")
    assert revision("{tuned_until: 2026-03-01T00:00:00Z}") == plain
    others = ["{control: 5%}", "{refresh: 2h}", "{pacing: {messages: 2}}", "{engagement: {learn: true}}"]
    shares = EXPERIMENT.replace("as-now: 50%, early: 50%", "as-now: 40%, early: 60%")
    order = EXPERIMENT.replace("as-now: 50%, early: 50%", "early: 50%, as-now: 50%")
    found = [plain, *map(revision, others), revision("{seed: 0}", shares), revision("{seed: 0}", order)]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("settings", "code", "message", "hint"),
    [
        ("engagement: {explore: ⟦50⟧}", "B109", "explore must be a percentage", "type explore: 50%"),
        ("engagement: {explore: ⟦0.03⟧}", "B109", "explore must be a percentage", "type explore: 3%"),
        ("engagement: {learn: ⟦yes⟧}", "B104", "learn must be true or false", "type learn: true"),
        ("engagement: {effect: 0, ⟦learn⟧: true}", "B132", "learn does nothing here", "delete effect: 0"),
        ("engagement: {effect: 0, ⟦explore⟧: 3%}", "B132", "explore does nothing here", "delete effect: 0"),
        ("pacing: ⟦2⟧", "B104", "pacing must be a map", "type pacing: {messages: 2, per: day}"),
        ("⟦pacing⟧: {per: day}", "B103", "pacing has no messages", "add messages: 1.5"),
        ("pacing: {messages: ⟦0⟧}", "B106", "messages must be a number above 0", "enabled: false"),
        ("pacing: {messages: ⟦-1⟧}", "B106", "messages must be a number above 0", ""),
        (
            "pacing: {messages: 2, per: ⟦fortnight⟧}",
            "B105",
            "per must be hour, day, week or a duration",
            "type per: 2w",
        ),
        ("pacing: {messages: 2, per: ⟦daily⟧}", "B105", "per must be", "type per: day"),
        ("pacing: {messages: 2, per: ⟦weeks⟧}", "B105", "per must be", "type per: week"),
        ("pacing: {messages: 2, per: ⟦5m⟧}", "B106", "per must be at least 1h, not 5m", "cannot be held"),
        ("pacing: {messages: 2, ⟦within⟧: 1d}", "B101", 'unknown key "within" in pacing', "messages and per"),
        ("⟦fatigue⟧: {limit: 0.1}\n  pacing: {messages: 2}", "B133", "pacing moves the threshold", "delete fatigue"),
        ("holdout: 60%\n  control: ⟦50%⟧", "B131", "1.1 of all users", "5% of each"),
        ("control: 50%\n  holdout: ⟦60%⟧", "B131", "1.1 of all users", "5% of each"),
        ("refresh: ⟦5s⟧", "B106", "refresh must be at least 1m, not 5s", "1h is usual"),
        ("refresh: ⟦30d⟧", "B106", "refresh must be at most 7d, not 30d", "1h is usual"),
        (
            "engagement: {learn: true}\n  ignored_after: 7d\n  refresh: ⟦1m⟧",
            "B113",
            "remembered 10080 times, and 1500 is the most",
            "type refresh: 7m or more",
        ),
        (
            "engagement: {learn: true}\n  ignored_after: ⟦90d⟧",
            "B113",
            "refresh: 1h is too often",
            "type refresh: 2h or more",
        ),
        ("tuned_until: ⟦2026-03-01⟧", "B109", "must be an instant", "type tuned_until: 2026-03-01T00:00:00Z"),
        ("tuned_until: ⟦2026-02-30T00:00:00Z⟧", "B109", "must be an instant", ""),
        ("tuned_until: ⟦12⟧", "B104", "must be an instant", ""),
        ("scorer: ⟦models/clicks.json⟧", "B104", "scorer must be a map", "type scorer: {model: models/clicks.json}"),
        ("⟦scorer⟧: {use: multiply}", "B103", "scorer has no model", "botopt train writes it"),
        ("scorer: {model: ⟦models/clicks.json⟧}", "B130", "there is no model file", "botopt train writes one"),
        ("scorer: {model: ⟦/srv/clicks.json⟧}", "B130", "in models/", "type model: models/clicks.json"),
        ("scorer: {model: ⟦models/../clicks.json⟧}", "B130", "in models/", "type model: models/clicks.json"),
        ("scorer: {model: ⟦clicks⟧}", "B130", "in models/", "type model: models/clicks.json"),
    ],
)
def test_a_mistake_in_the_settings_is_answered_at_its_word(settings: str, code: str, message: str, hint: str):
    check_marked(f"{CHANNELS}settings:\n  {settings}\n{EVENTS}", code, message, hint, HI)


@pytest.mark.parametrize(
    "settings",
    [
        "ignored_after: 90d",  # nothing is learned of all users
        "ignored_after: 7d\n  refresh: 1m",
        "engagement: {learn: true}\n  refresh: 1m\n  ignored_after: 1500m",
        "engagement: {learn: true}\n  refresh: 7m\n  ignored_after: 7d",
        "engagement: {learn: true}\n  refresh: 2h\n  ignored_after: 90d",
    ],
)
def test_what_is_remembered_is_bounded_where_something_is_learned(settings: str):
    loaded = load_files({"rules/a.yaml": f"{CHANNELS}settings:\n  {settings}\n{EVENTS}", "templates/t.yaml": HI})
    assert loaded.policy is not None, loaded.diagnostics
    assert remembered(loaded.policy.settings) <= MOST_PERIODS + 4 or not loaded.policy.learns


@pytest.mark.parametrize(
    ("event", "code", "message", "hint"),
    [
        ("⟦send_time⟧: {explore: 5%}", "B103", "send_time has no within", "add within: 12h"),
        ("send_time: ⟦12h⟧", "B104", "send_time must be a map", "type send_time: {within: 12h}"),
        ("send_time: ⟦on⟧", "B104", "send_time must say how long", "type send_time: {within: 12h}"),
        ("send_time: {within: ⟦10m⟧}", "B106", "within must be at least 1h, not 10m", "cannot wait an hour"),
        ("send_time: {within: ⟦3d⟧}", "B106", "within must be at most 1d, not 3d", "within: 24h"),
        ("send_time: {within: 3h, explore: ⟦0.05⟧}", "B109", "explore must be a percentage", "type explore: 5%"),
        ("always: true, ⟦send_time⟧: {within: 3h}", "B113", "go at once", "delete one of the two"),
        ("expires_after: 20m, ⟦send_time⟧: {within: 3h}", "B113", "expire before an hour", "expires_after: 12h"),
    ],
)
def test_a_mistake_in_send_time_is_answered_at_its_word(event: str, code: str, message: str, hint: str):
    check_marked(f"{CHANNELS}events:\n  late: {{weight: 0.5, message: hi, {event}}}\n", code, message, hint, HI)


def test_nothing_waits_that_has_no_message():
    rules = f"{CHANNELS}{EVENTS}  seen: {{⟦send_time⟧: {{within: 3h}}}}\n"
    check_marked(rules, "B113", "send_time needs a message", "add message:", HI)


@pytest.mark.parametrize(
    ("arms", "code", "message", "hint"),
    [
        ("{a: 50%, b: ⟦40%⟧}", "B131", "90% together, and must be 100%", "type b: 50%, say"),
        ("{a: 90%, b: ⟦40%⟧}", "B131", "130% together, and must be 100%", "type b: 10%, say"),
        ("{a: 100%, b: ⟦0%⟧}", "B131", "nobody is in the arm", "delete it"),
        ("{a: 60%, b: ⟦0.4⟧}", "B109", "b must be a percentage", "type b: 40%"),
        ("⟦[a, b]⟧", "B104", "arms must be a map", "type arms: {a: 50%, b: 50%}"),
        ("{a: 50%, ⟦B b⟧: 50%}", "B107", "the name of an arm", "type b_b"),
    ],
)
def test_a_mistake_in_arms_is_answered_at_its_word(arms: str, code: str, message: str, hint: str):
    check_marked(f"{CHANNELS}{EVENTS}experiment: {{x: {{arms: {arms}}}}}\n", code, message, hint, HI)


def test_one_arm_is_no_comparison():
    check_marked(f"{CHANNELS}{EVENTS}experiment: {{x: {{⟦arms⟧: {{a: 100%}}}}}}\n", "B131", "has one arm", "", HI)


def test_experiments_stand_in_a_section_of_that_name():
    rules = f"{CHANNELS}{EVENTS}⟦experiments⟧: {{x: {{arms: {{a: 50%, b: 50%}}}}}}\n"
    check_marked(rules, "B101", 'unknown section "experiments"', 'did you mean "experiment"?', HI)


@pytest.mark.parametrize(
    ("when", "code", "message", "hint"),
    [
        ("experiment(⟦'baar'⟧) == 'early'", "B203", 'there is no experiment "baar"', 'did you mean "bar"?'),
        ("experiment('bar') == ⟦'earlly'⟧", "B205", "is never 'earlly'", 'did you mean "early"?'),
        ("⟦experiment()⟧ == 'early'", "B207", "the name of an experiment", "experiment('bar') == 'arm'"),
        ("⟦experiment⟧ == 'early'", "B207", "needs brackets", ""),
        ("experiment('bar') == ⟦5⟧", "B204", "is a text", "put it in quotes"),
        ("⟦experiment('bar')⟧", "B206", "neither true nor false", "compare it"),
    ],
)
def test_a_mistake_about_an_experiment_is_answered_at_its_word(when: str, code: str, message: str, hint: str):
    check_marked(CHANNELS + EXPERIMENT + asking(when), code, message, hint, HI)


def test_where_there_is_no_experiment_the_section_is_named():
    rules = CHANNELS + asking("experiment(⟦'x'⟧) == 'a'")
    check_marked(rules, "B203", 'there is no experiment "x"', "declare it in the section experiment", HI)


def test_no_field_is_called_experiment():
    rules = f"{CHANNELS}{EVENTS}  e: {{fields: {{⟦experiment⟧: {{type: text}}}}}}\n"
    check_marked(rules, "B107", "that is a word of conditions", "", HI)


def test_recency_is_for_variants_that_learn():
    templates = (
        "templates: {hi: {⟦recency⟧: {penalty: 0.1}, choose: weighted, variants: {a: {text: A}, b: {text: B}}}}\n"
    )
    check_marked(CHANNELS + EVENTS, "B113", "recency goes with choose: learn only", "type choose: learn", templates)


def test_weights_do_not_go_with_learning():
    templates = "templates: {hi: {choose: learn, variants: {a: {⟦weight⟧: 2, text: A}, b: {text: B}}}}\n"
    check_marked(CHANNELS + EVENTS, "B113", "weight does not go with choose: learn", "", templates)


def with_model(folder: Path, data: bytes):
    rules = f"{CHANNELS}settings: {{scorer: {{model: models/clicks.json, use: multiply}}}}\n{EVENTS}"
    write(folder, {"rules/a.yaml": rules, "templates/t.yaml": HI})
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "clicks.json").write_bytes(data)
    return validate(folder)


def encoded(*, passed: bool, intercept: float = -2.0) -> bytes:
    model = ClickModel("clicks", ModelKind.LOGISTIC, ("sent_24h",), intercept=intercept, weights=(-0.1,))
    training = Training((), "2026-01-01", "2026-02-28", "2026-02-15", 900, 90, 400, 40)
    return encode(model, training, Gate(passed, "static", 0.3, 0.32, 0.02, 0.005, 1.0))


def test_a_model_that_passed_is_part_of_the_policy_and_of_what_is_remembered(tmp_path: Path):
    first = with_model(tmp_path, encoded(passed=True))
    assert first.policy is not None, first.diagnostics
    assert first.policy.scorer is not None
    assert first.policy.scorer.use is ScorerUse.MULTIPLY
    assert first.policy.learns
    other = with_model(tmp_path, encoded(passed=True, intercept=-1.0))
    assert other.policy is not None
    assert other.policy.revision != first.policy.revision


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "this is no JSON"),
        (b"[]", "this is no model file"),
        (b'{"format": 99, "model": {}}', "format 99"),
    ],
)
def test_a_damaged_model_is_an_error_at_its_name(tmp_path: Path, data: bytes, message: str):
    found = with_model(tmp_path, data)
    assert found.policy is None
    (one,) = found.diagnostics
    assert (one.code, one.position.line) == ("B130", 2)
    assert message in one.message


def test_a_model_that_did_not_pass_its_gate_is_refused(tmp_path: Path):
    (one,) = with_model(tmp_path, encoded(passed=False)).diagnostics
    assert one.code == "B130"
    assert "did not pass its gate" in one.message
