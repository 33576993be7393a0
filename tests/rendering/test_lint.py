"""Findings about names, types, filters and presence, each at its word and with what to type instead."""

from __future__ import annotations

import msgspec
import pytest

from botopt.model.condition import All, Comparison, Constant, IsDefined, Literal, Not, Ref, Scope, ValueType
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Choose, FieldSpec, Rule, Text, Variant, When
from botopt.model.position import Position
from botopt.rendering.lint import check_template
from tests.rendering.making import FIELDS, SAMPLE, button, event, findings, policy, template, variant

# (source, code, word, part of the message, part of the hint)
CASES = [
    # B302: what templates do not have
    ("{% include 'a' %}", "B302", "include", 'the tag "include" is not allowed', "write the text out"),
    ("{% macro m() %}{% endmacro %}", "B302", "macro", 'the tag "macro" is not allowed', ""),
    ("{{ 2 ** 3 }}", "B302", "2 ** 3", '"**"', "multiply instead"),
    ("{{ '%s' % order_id }}", "B302", "'%s' % order_id", '"%" is not allowed', ""),
    ("{{ order_id[:3] }}", "B302", ":3", "cannot be cut out", "truncate(20)"),
    ("{{ order_id.upper() }}", "B302", "order_id.upper()", "cannot be asked to do something", "filters do such things"),
    ("{{ order_id.title() }}", "B302", "order_id.title()", "cannot be asked", "use a filter: {{ name | title }}"),
    ("{{ range(3) }}", "B302", "range", 'unknown function "range"', "the functions are count, seen and sent"),
    ("{{ coutn('late', '1h') }}", "B302", "coutn", 'unknown function "coutn"', 'did you mean "count"?'),
    ("{{ money(amount) }}", "B302", "money", 'unknown function "money"', '"money" is a filter'),
    ("{% if reason is none %}a{% endif %}", "B302", "reason is none", '"is none"', '"is not defined"'),
    ("{% if number is not even %}a{% endif %}", "B302", "number is not even", '"is even"', ""),
    ("{% if order_id == none %}a{% endif %}", "B302", "none", "no value here", "is defined"),
    ("{{ user }}", "B302", "user", '"user" is no value by itself', "user.name"),
    ("{{ user['plan'] }}", "B302", "user['plan']", "with a dot", "type: user.plan"),
    ("{{ (amount, number) }}", "B302", "amount, number", "must be a list", "square brackets"),
    ("{% for i in items %}{{ loop.cycle }}{% endfor %}", "B302", "loop.cycle", 'no "cycle"', "loop.index"),
    # B303: unknown names
    ("{{ amuont }}", "B303", "amuont", 'unknown name "amuont"', 'did you mean "amount"?'),
    ("{{ xyz }}", "B303", "xyz", 'unknown name "xyz"', "the fields are address, amount"),
    ("{{ plan }}", "B303", "plan", 'unknown name "plan"', 'did you mean "user.plan"?'),
    ("{{ timezone }}", "B303", "timezone", "unknown name", 'did you mean "user.timezone"?'),
    ("{{ weekday }}", "B303", "weekday", "unknown name", 'did you mean "time.weekday"?'),
    ("{{ clicks }}", "B303", "clicks", "unknown name", 'did you mean "engagement.clicks"?'),
    ("{{ user.plna }}", "B303", "user.plna", 'no attribute "plna"', 'did you mean "user.plan"?'),
    ("{{ user.amount }}", "B303", "user.amount", "no attribute", 'it is a field of the event: type "amount"'),
    ("{{ time.hours }}", "B303", "time.hours", '"time" has no "hours"', 'did you mean "time.hour"?'),
    ("{{ engagement.views }}", "B303", "engagement.views", '"engagement" has no "views"', "engagement.clicks"),
    ("{{ count('lat', '1d') }}", "B303", "'lat'", 'unknown event type "lat"', 'did you mean "late"?'),
    ("{{ money }}", "B303", "money", "unknown name", '"money" is a filter'),
    ("{{ loop.index }}", "B303", "loop.index", "known only inside {% for %}", ""),
    ("{{ x }}{% set x = 1 %}", "B303", "x", "used before it is set", ""),
    ("{% for i in items %}a{% endfor %}{{ i }}", "B303", "i", "used before it is set", ""),
    # B305: types
    ("{{ order_id | money('EUR') }}", "B305", "order_id", 'the filter "money" wants a number', ""),
    ("{{ amount | date }}", "B305", "amount", 'the filter "date" wants a time, and "amount" is a number', ""),
    ("{{ order_id | date }}", "B305", "order_id", "wants a time", "declare the field with type: time"),
    ("{{ amount + order_id }}", "B305", "order_id", '"+" wants a number', "to join texts type ~"),
    ("{{ 'a' * 1000000 }}", "B305", "'a'", '"*" wants a number', ""),
    ("{{ -order_id }}", "B305", "order_id", '"-" wants a number', ""),
    ("{{ 'x' if amount == 'a' }}", "B305", "'a'", "they are never equal", ""),
    ("{{ 'x' if amount > '5' }}", "B305", "'5'", "nor one before the other", ""),
    ("{{ 'x' if order_id > 'a' }}", "B305", "'a'", '">" compares numbers and times only', '"=="'),
    ("{{ 'x' if currency == 'EURO' }}", "B305", "'EURO'", '"currency" is never "EURO"', 'did you mean "EUR"?'),
    ("{{ 'x' if currency in ['EUR', 'GBP'] }}", "B305", "'GBP'", "is never", "it is one of USD, EUR, INR"),
    ("{{ 'x' if 'sunday' == time.weekday }}", "B305", "'sunday'", "is never", 'did you mean "sun"?'),
    ("{{ 'x' if amount in order_id }}", "B305", "amount", 'only text can be "in" a text', ""),
    ("{{ 'x' if amount in number }}", "B305", "number", '"in" wants a list or a text', ""),
    ("{{ 'x' if items == items }}", "B305", "items", "cannot be compared", ""),
    ("{% for i in order_id %}{{ i }}{% endfor %}", "B305", "order_id", '"for" goes through a list', ""),
    ("{{ express }}", "B305", "express", "cannot be printed", "{{ 'yes' if express else 'no' }}"),
    ("{{ items }}", "B305", "items", "a list, which cannot be printed", "{% for item in items %}"),
    ("{{ address }}", "B305", "address", "an object, which cannot be printed", "{{ address.part }}"),
    ("{{ 'a' ~ express }}", "B305", "express", "cannot be printed", ""),
    ("{% if amount %}a{% endif %}", "B305", "amount", "a number, not true or false", "amount > 0"),
    ("{{ 'a' if not eta }}", "B305", "eta", "a time, not true or false", "eta is defined"),
    ("{{ order_id.length }}", "B305", "order_id.length", "text, which has no named parts", ""),
    ("{{ amount[0] }}", "B305", "amount[0]", "no numbered items", ""),
    # B306: presence
    ("{{ reason }}", "B306", "reason", '"reason" can be absent', "{% if reason is defined %}"),
    ("{{ user.name }}", "B306", "user.name", '"user.name" can be absent', "default('…')"),
    ("{{ reason | title | default('x') }}", "B306", "reason", "can be absent", ""),
    ("{{ 'x' if reason == 'a' }}", "B306", "reason", "can be absent", ""),
    ("{% if express %}{% set x = 1 %}{% endif %}{{ x }}", "B306", "x", "is not always set", "in every branch"),
    # B307, B308: filters
    ("{{ amount | mony }}", "B307", "mony", 'unknown filter "mony"', 'did you mean "money"?'),
    ("{{ order_id | upper }}", "B307", "upper", 'unknown filter "upper"', "the filters are ago, date, default"),
    ("{{ amount | money }}", "B308", "money", "lacks its currency", "money('EUR')"),
    ("{{ amount | money('EUR', 2) }}", "B308", "2", "at most 1 value", ""),
    ("{{ amount | money(code='EUR') }}", "B308", "'EUR'", 'knows no "code="', ""),
    ("{{ amount | money('EUROS') }}", "B308", "'EUROS'", '"EUROS" is no currency', "EUR or USD"),
    ("{{ amount | money(number) }}", "B308", "number", '"currency" of the filter "money" is text', ""),
    ("{{ eta | date('short') }}", "B308", "'short'", "takes no values", ""),
    ("{{ number | plural('one') }}", "B308", "plural", 'lacks the form "other"', "'# items'"),
    ("{{ number | plural('a', 'b', othr='c') }}", "B308", "'c'", 'knows no "othr="', 'did you mean "other"?'),
    ("{{ number | plural('a', 'b', other='c') }}", "B308", "'c'", "given twice", ""),
    ("{{ order_id | truncate(number) }}", "B308", "number", "a whole number from 1 on", ""),
    ("{{ order_id | default }}", "B308", "default", "lacks the value to print instead", ""),
    ("{{ count('late') }}", "B308", "count('late')", "wants an event type and how far back", ""),
    ("{{ seen('late', 'an hour') }}", "B308", "'an hour'", '"an hour" is no duration', "'24h'"),
    ("{{ count(order_id, '1h') }}", "B308", "order_id", "wants quoted texts", ""),
    # B315, B316, B318
    ("Pay {amount} now", "B315", "{amount}", "is sent as it stands", "{{ amount }}"),
    ("Hi ${user.name}", "B315", "${user.name}", "is sent as it stands", "{{ user.name }}"),
    ("{% set amount = 1 %}a", "B316", "amount", "a field of the event, which cannot be set", ""),
    ("{% set user = 1 %}a", "B316", "user", "a meaning of its own", ""),
    ("{% for amount in items %}a{% endfor %}", "B316", "amount", "cannot be set", ""),
    ("{% set n = 0 %}{% for i in items %}{% set n = n + 1 %}{% endfor %}{{ n }}", "B316", "n", "forgotten", "length"),
]  # fmt: skip


def _said(source: str, found: Diagnostic) -> str:
    return source[found.position.column - 1 : found.position.end_column - 1]


@pytest.mark.parametrize(("source", "code", "word", "message", "hint"), CASES, ids=[case[0] for case in CASES])
def test_one_cause_one_finding(source: str, code: str, word: str, message: str, hint: str) -> None:
    (found,) = findings(source)
    assert (found.code, _said(source, found)) == (code, word)
    assert message in found.message
    assert hint in found.hint


FINE = [
    "Hi",
    "{{ amount }} {{ eta }} {{ order_id }}",
    "{{ reason | default('x') | title }}",
    "{% if reason is defined %}{{ reason }}{% else %}no reason{% endif %}",
    "{% if reason is not defined %}a{% else %}{{ reason }}{% endif %}",
    "{% if reason is not defined or reason == 'x' %}a{% endif %}",
    "{% if reason is defined and reason != 'x' and express %}{{ reason }}{% endif %}",
    "{% if reason is not defined %}a{% elif express %}{{ reason }}{% else %}{{ reason }}{% endif %}",
    "{{ reason if reason is defined else 'x' }}",
    "{{ 'again' if attempts > 1 }}",
    "{% set who = user.name if user.name is defined else 'there' %}{{ who }}",
    "{% if express %}{% set x = 'a' %}{% else %}{% set x = 'b' %}{% endif %}{{ x | title }}",
    "{% for i in items %}{{ loop.index }} {{ i }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}",
    "{% for i in items if i != 'x' %}{{ i.name | title }}{% endfor %}",
    "{% for i in [1, 2] %}{{ i }}{% endfor %}",
    "{% if items %}{{ items | length | plural('one', '# items') }}{% endif %}{{ 'x' if order_id }}",
    "{{ note.text if note.text is defined }}",
    "{{ note.text | default('x') | truncate(5) }}",
    "{{ 'x' if 1 < attempts <= 3 and currency in ['USD', 'EUR'] and 'a' not in order_id and eta > eta }}",
    "{{ (amount * attempts + 1) / 2 | default(0) }}",
    "{{ count('late', '1d') }} {{ sent('24h') }} {{ 'a' if seen('late', '1h30m') }} {{ count('user.updated', '7d') }}",
    "{{ user.id }} {{ user.plan }} {{ user.timezone }} {{ time.weekday }} {{ 'x' if time.weekend }}",
    "{{ engagement.rate | percent }} {{ engagement.clicks }} {{ engagement.ignored_in_a_row }} {{ time.hour }}",
    "{{ 'a' ~ amount ~ eta }} {# a note #} {% raw %}{{ x }}{% endraw %}",
    "{nothing} {a: b} {{ amount }}}",
    "{{ amount | money(currency=currency) }} {{ order_id | truncate(length=3) }}",
]  # fmt: skip


@pytest.mark.parametrize("source", FINE)
def test_a_good_text_has_no_finding(source: str) -> None:
    assert findings(source) == []


def test_all_findings_come_in_one_run_and_in_order() -> None:
    codes = [
        (found.code, found.position.column)
        for found in findings("{{ amuont }} {{ 2 ** 2 }} {{ amount | mony }} {amount}")
    ]
    assert codes == [("B303", 4), ("B302", 17), ("B307", 39), ("B315", 47)]


class Placed(msgspec.Struct, frozen=True):
    """Where the loader says that a text stands."""

    line: int

    def span(self, start: int, end: int) -> Position:
        return Position("templates/x.yaml", self.line, 10 + start, self.line, 10 + end)


def test_a_finding_stands_where_the_loader_says() -> None:
    made = template(Variant("plain", {"en": Text("Hi {{ naem }}", Placed(7))}))
    (found,) = check_template(policy(made), made)
    assert found.position == Position("templates/x.yaml", 7, 16, 7, 20)


# ---------------------------------------------------------------- several event types


def test_a_field_that_one_event_type_lacks() -> None:
    made = template(variant(en="{{ order_id }}"))
    (found,) = check_template(policy(made, events=(event("late", *FIELDS), event("lost", FIELDS[0]))), made)
    assert (found.code, found.message) == (
        "B304",
        'the event type "lost" can send this message, and has no field "order_id"',
    )


def test_a_field_that_one_event_type_lacks_may_be_asked_for() -> None:
    made = template(variant(en="{% if order_id is defined %}{{ order_id }}{% endif %}{{ eta | default('soon') }}"))
    assert check_template(policy(made, events=(event("late", *FIELDS), event("lost", FIELDS[0]))), made) == ()


def test_a_finding_of_one_event_type_alone_names_it() -> None:
    made = template(variant(en="{{ amount | money('EUR') }}"))
    other = event("lost", FieldSpec("amount", ValueType.TEXT))
    (found,) = check_template(policy(made, events=(event("late", *FIELDS), other)), made)
    assert found.message == 'for "lost": the filter "money" wants a number, and "amount" is text'


def test_a_field_of_an_event_type_that_cannot_send_this() -> None:
    made = template(variant(en="{{ tracking }}"))
    other = event("lost", FieldSpec("tracking", ValueType.TEXT), message=None)
    (found,) = check_template(policy(made, events=(event("late", *FIELDS), other)), made)
    assert found.hint == "it is a field of lost, which cannot send this template"


def test_a_template_that_nothing_sends_gets_its_names_from_its_samples() -> None:
    its_events = (event("late", *FIELDS, message="other"),)
    samples = ({"tracking": "A", "size": 3, "at": "2026-03-01T09:00:00Z"}, {"tracking": "B", "size": 2.5, "gift": True})
    good = template(
        variant(en="{{ tracking | title }} {{ size | number }} {{ at | default('soon') }}"), samples=samples
    )
    bad = template(variant(en="{{ trackign }} {{ at | date }} {{ tracking | number }}"), samples=samples)
    open_ = template(variant(en="{{ whatever | date }} {{ whatever }} {{ user.nmae }}"), samples=())
    assert check_template(policy(good, events=its_events), good) == ()
    assert [d.code for d in check_template(policy(bad, events=its_events), bad)] == ["B303", "B306", "B305"]
    assert [d.message for d in check_template(policy(open_, events=its_events), open_)] == [
        'the user has no attribute "nmae"'
    ]


# ---------------------------------------------------------------- what conditions prove

REASON = Ref(Scope.EVENT, "reason", ValueType.TEXT, optional=True)
IS_REASON = Comparison("==", REASON, Literal("x"))
HAS_REASON = IsDefined(REASON)


@pytest.mark.parametrize("when", [HAS_REASON, IS_REASON, Not(Not(HAS_REASON)), All((Constant(True), IS_REASON))])
def test_a_variant_s_condition_is_a_guard(when: Comparison) -> None:
    made = template(variant("why", when, en="{{ reason }}"), variant(en="a"))
    assert check_template(policy(made), made) == ()


def test_what_earlier_variants_did_not_take_is_a_guard_with_first_only() -> None:
    made = template(variant("none", Not(HAS_REASON), en="a"), variant(en="{{ reason }}"))
    weighted = msgspec.structs.replace(made, choose=Choose.WEIGHTED)
    assert check_template(policy(made), made) == ()
    assert [found.code for found in check_template(policy(weighted), weighted)] == ["B306"]


def test_the_only_rule_that_leads_to_a_template_is_a_guard() -> None:
    made = template(variant(en="{{ reason }}"))
    rule = Rule("why", When(HAS_REASON), message="hello")
    assert check_template(policy(made, events=(event("late", *FIELDS, message="other", rules=(rule,)),)), made) == ()
    both = (rule, Rule("any", When(Constant(True)), message="hello"))
    found = check_template(policy(made, events=(event("late", *FIELDS, message="other", rules=both),)), made)
    assert [diagnostic.code for diagnostic in found] == ["B306"]


# ---------------------------------------------------------------- locales, links


def _of(*variants: Variant) -> list[tuple[str, str]]:
    made = template(*variants, samples=(SAMPLE,))
    return [(found.code, found.message) for found in check_template(policy(made), made)]


def test_locales_that_use_different_values() -> None:
    assert _of(variant(en="{{ amount }} {{ eta }}", de="{{ amount }}", hi="{{ eta }} {{ amount }}")) == [
        ("B309", '"de" does not use "eta", which "en" and "hi" use')
    ]


def test_one_value_may_be_written_in_two_ways() -> None:
    assert _of(variant(en="{{ sent('1d') }}", de='{{ sent( "24h" ) }}')) == []


def test_a_value_may_move_from_the_text_to_a_button() -> None:
    buttons = (button("{{ order_id }}"), button("Go"))
    moved = msgspec.structs.replace(buttons[0], label={"en": Text("{{ order_id }}"), "de": Text("Los")})
    second = msgspec.structs.replace(buttons[1], label={"en": Text("Go"), "de": Text("{{ order_id }}")})
    assert _of(msgspec.structs.replace(variant(en="a", de="b"), buttons=(moved, second))) == []


def test_titles_and_buttons_have_the_locales_of_the_text() -> None:
    made = msgspec.structs.replace(
        variant(en="a", de="b"), title={"en": Text("c")}, buttons=(button("Go", locale="fr"),)
    )
    assert set(_of(made)) == {
        ("B310", 'the label of button 1 has "fr", and the text does not'),
        ("B310", 'the label of button 1 has no "en" and "de", which the text has'),
        ("B310", 'the title has no "de", which the text has'),
    }


def test_every_variant_has_the_workspace_s_locale() -> None:
    assert _of(variant(de="a")) == [("B311", 'the variant "plain" of "hello" has no text in "en"')]


@pytest.mark.parametrize(
    ("tag", "message", "hint"),
    [
        ("xx", 'unknown locale "xx"', "such as de-AT"),
        ("german", 'unknown locale "german"', ""),
        ("de_AT", 'the locale "de_AT" is written "de-AT"', 'type "de-AT"'),
        ("DE", 'the locale "DE" is written "de"', 'type "de"'),
        ("zh-hant-tw", 'the locale "zh-hant-tw" is written "zh-Hant-TW"', ""),
    ],
)
def test_locale_tags_are_real_and_written_one_way(tag: str, message: str, hint: str) -> None:
    made = template(Variant("plain", {"en": Text("a"), tag: Text("b")}))
    (found,) = check_template(policy(made), made)
    assert (found.code, found.message) == ("B312", message)
    assert hint in found.hint


def test_a_link_encodes_what_it_holds() -> None:
    made = msgspec.structs.replace(
        variant(en="a"),
        buttons=(
            button("Go", "https://x.example/{{ order_id }}"),
            button("Go", "https://x.example/{{ order_id | urlencode }}?c={{ currency }}&n={{ number }}"),
            button("Go", "{{ order_id }}"),
        ),
    )
    assert _of(made) == [("B317", '"order_id" is not encoded, so a space or "&" in it breaks the link')]


def test_every_plural_form_that_a_language_counts_with() -> None:
    two_forms = "{{ number | plural('# a', '# b') }}"
    assert _of(variant(en=two_forms, de=two_forms, fr=two_forms, ja=two_forms, pl=two_forms, ar=two_forms)) == [
        ("B318", '"ar" counts with zero and two and few and many, too'),
        ("B318", '"pl" counts with few and many, too'),
    ]
