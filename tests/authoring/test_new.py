"""`botopt new`: an entry at the end of its section, nothing else moved, and the result validates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.authoring.asking import look, planned
from botopt.authoring.asking_entries import Entry, NewField, condition, event_entry, field_of, template_entry
from botopt.authoring.asking_places import added
from botopt.authoring.asking_plans import plan_event, plan_suppression, plan_template
from botopt.authoring.formatting import tidy
from botopt.authoring.formatting_layout import comments
from botopt.model.condition import ValueType
from botopt.model.errors import UsageError
from botopt.verify.starter import starter_files
from tests.loading.making import load, load_files, said, write

ENTRY = Entry("events", ("new:", "  fields: {a: {type: text}}"))
ONCE = Entry("suppression", ("- {id: new, cooldown: 6h}",), apart=False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "events:\n  new:\n    fields: {a: {type: text}}\n"),
        ("# mine\n", "# mine\n\nevents:\n  new:\n    fields: {a: {type: text}}\n"),
        ("user: {}\n\n\n", "user: {}\n\nevents:\n  new:\n    fields: {a: {type: text}}\n"),
        (
            "events: {}  # none yet\nuser: {}\n",
            "events:  # none yet\n  new:\n    fields: {a: {type: text}}\nuser: {}\n",
        ),
        (
            "events:\n    old: {}   # c\n    # end\n\n# about user\nuser: {}\n",
            "events:\n    old: {}   # c\n    # end\n\n    new:\n      fields: {a: {type: text}}\n\n# about user\nuser: {}\n",
        ),
    ],
)
def test_an_event_type_goes_to_the_end_of_its_section(before, after):
    assert added("rules/a.yaml", before, ENTRY) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "suppression:\n- {id: a, cooldown: 1h}\n",
            "suppression:\n- {id: a, cooldown: 1h}\n- {id: new, cooldown: 6h}\n",
        ),
        ("suppression: []\n", "suppression:\n  - {id: new, cooldown: 6h}\n"),
    ],
)
def test_a_suppression_lines_up_with_the_others(before, after):
    assert added("rules/a.yaml", before, ONCE) == after


@pytest.mark.parametrize("text", ["events: {old: {}}\n", "events:\n  {old: {}}\n"])
def test_a_section_in_braces_is_refused(text):
    with pytest.raises(UsageError, match="write it in lines first"):
        added("rules/a.yaml", text, ENTRY)


def test_a_file_with_mistakes_is_refused():
    with pytest.raises(UsageError, match="mend them first"):
        added("rules/a.yaml", "events:\n\told: {}\n", ENTRY)


def test_every_starter_file_takes_an_entry_and_keeps_every_line():
    for name, text in starter_files().items():
        for section in ("events", "suppression", "channels", "templates"):
            if name.endswith(".yaml") and f"\n{section}:" in text:
                entry = Entry(
                    section, ("- {id: new, mute: always}",) if section == "suppression" else ("new: {}",), apart=False
                )
                after = added(name, text, entry)
                assert len(after.splitlines()) == len(text.splitlines()) + 1
                assert comments(after) == comments(text)
                assert [line for line in after.splitlines() if line != "  " + entry.lines[0]] == text.splitlines()
                assert tidy(after) == after


odd = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # what nobody can see is refused where it is read
texts = st.text(st.characters(exclude_categories=odd), min_size=1, max_size=40).filter(
    lambda text: text.strip() and "{" not in text
)


@settings(max_examples=200, deadline=None)
@given(texts, texts, st.lists(st.sampled_from(list(ValueType)), max_size=3))
def test_whatever_is_answered_the_files_read_back_as_typed(description, words, types):
    fields = [NewField(f"f{number}", type_, optional=number == 1) for number, type_ in enumerate(types)]
    entry = event_entry("late", fields, description=description, message="late", weight=0.7)
    rules = added("rules/a.yaml", "channels:\n  chat: {type: console}\n", entry)
    templates = added("templates/t.yaml", "", template_entry("late", words, description))
    assert tidy(rules) == rules
    assert tidy(templates) == templates
    loaded = load(rules, templates)
    assert loaded.policy is not None, said(loaded)
    late = loaded.policy.events["late"]
    assert late.description == description
    assert [(field.name, field.type, field.optional) for field in late.fields.values()] == [
        (field.name, field.type, field.optional) for field in fields
    ]
    (variant,) = loaded.policy.templates["late"].variants
    assert variant.text["en"].source == words


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("order_id", NewField("order_id")),
        ("amount:number", NewField("amount", ValueType.NUMBER)),
        (" why : text ?", NewField("why", optional=True)),
        ("why?", NewField("why", optional=True)),
    ],
)
def test_fields_are_read_as_people_type_them(text, field):
    assert field_of(text) == field


@pytest.mark.parametrize("text", ["", "a:money", "a b", ":text"])
def test_a_field_that_cannot_be_read_is_refused(text):
    with pytest.raises(UsageError, match="name:type"):
        field_of(text)


@pytest.mark.parametrize(("weight", "text"), [(0.7, "0.70"), (1.0, "1.00"), (0.125, "0.125"), (0.000001, "0.000001")])
def test_a_weight_is_written_as_it_was_typed(weight, text):
    assert f"  weight: {text}" in event_entry("late", [], message="late", weight=weight).lines


def test_conditions_get_quotes_where_they_need_them():
    assert condition("amount >= 5") == "amount >= 5"
    assert condition("'refund' in reason") == "\"'refund' in reason\""
    assert condition("plan == 'a: b'") == "\"plan == 'a: b'\""


RULES = "channels:\n  chat: {type: console}\nevents:\n  late:\n    accepts: [Late]\n    weight: 0.7\n    message: late\n    rules:\n      - {id: r, when: user.id == 'x', score: 0.1}\n"
FILES = {"rules/a.yaml": RULES, "templates/t.yaml": "templates:\n  late: Late\n"}


def seen(folder, files=FILES):
    write(folder, files)
    return look(folder)


def test_an_event_with_a_message_brings_its_template_and_channel(tmp_path):
    workspace = look(tmp_path)
    changes = planned(workspace, plan_event(workspace, "late", [NewField("a")], message="hello"))
    files = {name: after for name, (_, after) in changes.items()}
    assert sorted(files) == ["rules/late.yaml", "templates/late.yaml"]
    assert load_files(files).policy is not None
    assert not list(tmp_path.iterdir()), "nothing is written here"


def test_what_is_there_already_is_used(tmp_path):
    workspace = seen(tmp_path)
    changes = planned(workspace, plan_event(workspace, "later", [], message="late"))
    assert sorted(changes) == ["rules/a.yaml"]
    assert changes["rules/a.yaml"][1] == RULES + "\n  later:\n    weight: 0.70\n    message: late\n"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (lambda w: plan_event(w, "late", []), 'there is already an event type "late" .rules/a.yaml:4:3'),
        (lambda w: plan_event(w, "Late", []), "there is already an event type"),
        (lambda w: plan_template(w, "late", "x"), "there is already a template"),
        (lambda w: plan_suppression(w, "r", {"cooldown": "1h"}), "there is already a suppression or rule"),
        (lambda w: plan_suppression(w, "s", {"cooldown": "1h", "events": ["lat"]}), 'did you mean "late"'),
        (lambda w: plan_event(w, "x", [], message="late", channel="cat"), "there is no channel"),
        (lambda w: plan_event(w, "X", []), "nothing was written.*B107"),
        (lambda w: plan_suppression(w, "s", {"cooldown": "soon"}), "nothing was written.*B109"),
        (lambda w: plan_template(w, "t", "x", file="rules/t.yaml"), "below templates/"),
        (lambda w: plan_event(w, "x", [], file="rules/../x.yaml"), "below rules/"),
    ],
)
def test_what_would_be_wrong_is_refused(tmp_path, plan, words):
    workspace = seen(tmp_path)
    with pytest.raises(UsageError, match=words):
        planned(workspace, plan(workspace))


def test_with_several_channels_one_must_be_named(tmp_path):
    workspace = seen(tmp_path, {"rules/a.yaml": "channels:\n  a: {type: console}\n  b: {type: console}\n"})
    with pytest.raises(UsageError, match="--channel: a, b"):
        plan_event(workspace, "x", [], message="m")
    assert planned(workspace, plan_event(workspace, "x", [], message="m", channel="b"))


def test_errors_that_were_there_before_do_not_stand_in_the_way(tmp_path):
    workspace = seen(tmp_path, {**FILES, "rules/b.yaml": "settings:\n  treshold: 1\n"})
    assert planned(workspace, plan_suppression(workspace, "s", {"cooldown": "1h"}))
