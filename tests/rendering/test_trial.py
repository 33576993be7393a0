"""Trial rendering: what only shows with values."""

from __future__ import annotations

import re

import msgspec
import pytest

from botopt.model.condition import Comparison, IsDefined, Literal, Ref, Scope, ValueType
from botopt.model.policy import ButtonText, FieldSpec, Pattern, Policy, Template, Text, Variant
from botopt.rendering.lint import check_template, trial_render
from tests.rendering.making import FIELDS, SAMPLE, event, policy, template, trials, variant

CASES = [
    (
        "{{ amount / number }}",
        "B313",
        "amount / number",
        "the text (en) cannot be rendered with number being 0: it divides by zero",
        "{% if number != 0 %}",
    ),
    (
        "{{ items[0] }}",
        "B313",
        "items[0]",
        "with items being an empty list: the list has no item [0]",
        "{% if items[0] is defined %}",
    ),
    ("{{ items[2] }}", "B313", "items[2]", "with sample 1: the list has no item [2]", ""),
    ("{{ address.city }}", "B313", "address.city", 'with address being an empty object: "city" is absent', ""),
    ("{{ address.zip }}", "B313", "address.zip", 'with sample 1: "zip" is absent', "{% if address.zip is defined %}"),
    ("x{% for i in items %}{{ i.name }}{% endfor %}", "B313", "i.name", 'text has no part "name"', ""),
    ("x{% for i in items %}{{ i + 1 }}{% endfor %}", "B313", "i + 1", "only numbers can be added", ""),
    (
        "{% if number > 5 %}x{% endif %}",
        "B313",
        "{% if number > 5 %}x{% endif %}",
        "with sample 1: it is empty",
        "{% else %}",
    ),
    (
        f"{{{{ {' ~ '.join(['order_id'] * 11)} }}}}",
        "B313",
        " ~ ".join(["order_id"] * 11),
        "with order_id being a text of 1,000 characters: a text joined with ~ is longer than 10,000 characters",
        "truncate(200)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code", "word", "message", "hint"), CASES, ids=[case[0][:40] for case in CASES])
def test_what_fails_is_found_once_with_the_values_that_did_it(
    source: str, code: str, word: str, message: str, hint: str
) -> None:
    (found,) = trials(source)
    said = source[found.position.column - 1 : found.position.end_column - 1]
    assert (found.code, said) == (code, word)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    "source",
    [
        "{{ amount | money(currency) }} {{ eta | ago }} {{ eta }} {{ number | plural('a', '# b') }} {{ user.plan }}",
        "{{ amount | money(order_id) }}",  # taken for a currency, so it is tried with some
        "{{ order_id }}",  # an event with an empty text has no message; that is not the author's fault
        "{{ reason | default('x') }} {{ address.city | default('x') }} {{ note.text if note.text is defined }}",
        "{% if number != 0 %}{{ amount / number }}{% else %}-{% endif %}",
        "{{ amount / attempts }}",  # its min is 1
        "{% for i in items %}{{ i }}{% else %}nothing{% endfor %}",
        "{{ count('late', '1h') }} {{ sent('1d') }} {{ time.weekday }} {{ engagement.rate }} {{ user.timezone }}",
    ],
)
def test_what_holds_on_every_edge_has_no_finding(source: str) -> None:
    assert trials(source) == []


NUMBER = Ref(Scope.EVENT, "number", ValueType.INTEGER)
REASON = Ref(Scope.EVENT, "reason", ValueType.TEXT, optional=True)


def _messages(made: Template, **settings: object) -> list[str]:
    return [found.message for found in trial_render(policy(made, **settings), made)]


def test_only_events_for_which_the_variant_is_chosen_count() -> None:
    dividing = variant("some", Comparison("!=", NUMBER, Literal(0)), en="{{ amount / number }}")
    made = template(dividing, variant(en="none"))
    assert _messages(made) == []
    rest = template(
        variant("none", Comparison("==", NUMBER, Literal(0)), en="none"), variant(en="{{ amount / number }}")
    )
    assert _messages(rest) == []


def test_values_near_a_condition_s_constants_are_tried() -> None:
    exact = variant("some", Comparison("==", NUMBER, Literal(4711)), en="{{ amount / (number - 4711) }}")
    (message,) = _messages(template(exact, variant(en="none")))
    assert message.endswith("it divides by zero")


def test_a_variant_that_no_invented_event_fits_is_tried_on_its_samples_only() -> None:
    never = Comparison("==", Ref(Scope.EVENT, "order_id", ValueType.TEXT), Ref(Scope.USER, "id", ValueType.TEXT))
    made = template(variant("odd", IsDefined(REASON), en="{{ items[5] }}"), variant(en="a"))
    assert len(_messages(made)) == 1
    assert len(_messages(template(variant("odd", never, en="{{ items[5] }}"), variant(en="a")))) in {0, 1}


def test_titles_labels_and_links_are_tried_in_every_locale() -> None:
    made = msgspec.structs.replace(
        variant(en="a", de="b"),
        title={"en": Text("{{ 1 / number }}"), "de": Text("c")},
        buttons=(
            ButtonText(
                {"en": Text("Go"), "de": Text("x{{ 2 / number }}")},
                {"en": Text("xx{{ 3 / number }}"), "de": Text("https://x.example")},
            ),
        ),
    )
    starts = [message.partition(" cannot")[0] for message in _messages(template(made))]
    assert sorted(starts) == ["the label of button 1 (de)", "the link of button 1 (en)", "the title (en)"]


def test_a_list_that_no_sample_shows_is_said_once_and_not_tried() -> None:
    made = template(variant(en="{% for i in items %}{{ i.name }}{% endfor %}{{ items | length }}"), samples=())
    (found,) = trial_render(policy(made), made)
    assert (found.code, found.hint) == ("B314", "add a sample: samples: [{items: …}]")


def test_an_empty_sample_finds_what_ordinary_values_do_not() -> None:
    made = template(variant(en="a{{ amount / number }}"), samples=({"number": 0, **SAMPLE},))
    assert _messages(made) == ["the text (en) cannot be rendered with sample 1: it divides by zero"]


def test_a_template_that_nothing_sends_is_tried_on_its_samples() -> None:
    samples = ({"when": "2026-03-01T09:00:00Z", "n": 0}, {"when": "2026-03-02T09:00:00Z", "n": 2})
    made = template(variant(en="{{ when | date }} {{ 1 / n }}"), samples=samples)
    found = _messages(made, events=(event("late", *FIELDS, message="other"),))
    assert found == ["the text (en) cannot be rendered with sample 1: it divides by zero"]
    nothing = template(variant(en="{{ 1 / n }}"), samples=())
    assert _messages(nothing, events=(event("late", *FIELDS, message="other"),)) == []


def test_values_obey_their_fields() -> None:
    fields = (
        FieldSpec("code", ValueType.TEXT, pattern=Pattern("[0-9]{4}", re.compile("[0-9]{4}").fullmatch)),
        FieldSpec("short", ValueType.TEXT, max_length=3),
        FieldSpec("share", ValueType.NUMBER, minimum=0.1, maximum=0.2),
        FieldSpec("body", ValueType.TEXT, max_length=12_000),
    )
    source = "{{ code }} {{ 'x' ~ short | truncate(3) }} {{ 1 / share }} {{ 1 / (0.5 - share) }}"
    made = template(variant(en=source), samples=())
    assert _messages(made, events=(event("late", *fields),)) == []
    long = template(variant(en="{{ body }}"), samples=())
    (message,) = _messages(long, events=(event("late", *fields),))
    assert message.endswith("with body being a text of 12,000 characters: it is longer than 10,000 characters")


def test_a_policy_with_an_odd_time_zone_or_text_does_not_stop_the_trial() -> None:
    made = template(variant(en="{{ eta }}"), Variant("odd", {"en": Text("{% include 'x' %}")}))
    assert trial_render(Policy(templates={"hello": made}), made) == ()


def test_what_the_loader_could_not_read_in_full_is_passed_over() -> None:
    made = template(Variant("plain", {}), variant("big", Comparison(">", NUMBER, Literal(5)), en="{{ number }}"))
    odd = msgspec.structs.replace(made, samples=({"number": "many", "eta": "soon", "items": None},))
    for events in ((), (event("late", *FIELDS, message="other"),)):
        assert [found.code for found in check_template(policy(odd, events=events), odd)] == ["B311"]
        assert trial_render(policy(odd, events=events), odd) == ()
