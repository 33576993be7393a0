"""What an editor is told about a workspace: what may be typed, what something means, where it is declared."""

from __future__ import annotations

import contextlib
import random
import shutil

import pytest

from botopt.authoring.editing.completing import complete
from botopt.authoring.editing.hovering import explain, hover
from botopt.authoring.editing.mending import mendings
from botopt.authoring.editing.occurrences import Kind, occurrences
from botopt.authoring.editing.outline import outline
from botopt.authoring.editing.renaming import applied, rename
from botopt.authoring.editing.spots import spot
from botopt.model.data_files import data_dir
from botopt.model.errors import UsageError
from tests.authoring.editing import Desk, marked

PAYMENTS = "rules/payments.yaml"
TEXTS = "templates/payments.yaml"
TESTS = "rules/payments.test.yaml"
SUPPRESSION = "rules/suppression.yaml"


@pytest.fixture(scope="module")
def open_desk(tmp_path_factory) -> Desk:
    folder = tmp_path_factory.mktemp("starter")
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), folder / kind)
    return Desk(folder)


@pytest.fixture
def desk(open_desk: Desk) -> Desk:
    open_desk.tidy()
    return open_desk


RULE = "events:\n  mine:\n    fields: {size: {type: integer}, kind: {type: text, one_of: [big, small]}}\n    rules:\n"


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("¦", (), "", None),
        ("ev¦", (), "ev", None),
        ("events:\n  a:\n    ¦", ("events", "a"), "", None),
        ("events:\n  a:\n    fields: {b: {type: text}}\n    we¦", ("events", "a"), "we", None),
        ("events:\n  a:\n    message: pay¦", ("events", "a", "message"), None, "pay"),
        ("events:\n  a: {message: pay¦", ("events", "a", "message"), None, "pay"),
        ("events:\n  a: {fields: {x: {type: ¦}}}", ("events", "a", "fields", "x", "type"), None, ""),
        ("suppression:\n  - ¦", ("suppression", "-"), "", ""),
        ("suppression:\n- id: x\n  ¦", ("suppression", "-"), "", None),
        ("suppression:\n- id: x\n  events:\n  - a\n  - b¦", ("suppression", "-", "events", "-"), "b", "b"),
        ("suppression:\n  - {id: x,\n     events: [a, b¦", ("suppression", "-", "events", "-"), None, "b"),
        ("suppression:\n  - {id: x, events: [a]}\n  - {¦", ("suppression", "-"), "", None),
        ("templates:\n  a: 'x: {y ¦", ("templates", "a"), None, "'x: {y "),
        ("templates:\n  a:\n    text: |\n      one: {\n      two ¦", ("templates", "a", "text"), None, "two "),
        ("events:\n  # a: {\n  b:\n    ¦", ("events", "b"), "", None),
        ("a: {b: 'it''s, c: ¦", ("a", "b"), None, "'it''s, c: "),
    ],
)
def test_the_lines_alone_tell_where_the_cursor_is(text: str, path: tuple[str, ...], key: str | None, value: str | None):
    found = spot(*marked(text))
    assert (found.path, found.key, found.value) == (path, key, value)


@pytest.mark.parametrize(
    ("name", "text", "expected", "absent"),
    [
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: ¦", "size kind user. engagement. time. count seen sent not", "=="),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: size ¦", "== != < <= > >= and or", "size"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: kind ¦", "== != and", "<"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: kind == ¦", "'big' 'small' size", "=="),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: \"kind == '¦", "big small", "size"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: \"kind in ['big', '¦", "big small", "size"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: \"user.plan == '¦", "free pro vip", "big"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: user.¦", "plan name id timezone", "rate"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: engagement.¦", "rate clicks ignored_in_a_row", "plan"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: time.weekday == ¦", "'mon' 'sun'", "'big'"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: \"count('¦", "payment_failed user.updated mine", "size"),
        ("rules/x.yaml", f"{RULE}      - {{id: x, when: \"count('mine', '¦", "1h 7d", "mine"),
        ("rules/x.yaml", f"{RULE}      - id: x\n        when:\n          - size > 1\n          - ki¦", "kind size", "message"),
        ("rules/x.yaml", "suppression:\n  - {id: x, mute: 1d, events: [service_outage], when: ¦", "area", "amount"),
        ("rules/x.yaml", "suppression:\n  - id: x\n    mute: 1d\n    events:\n      - service_outage\n    when: ¦", "area", "amount"),
        ("rules/x.yaml", "suppression:\n  - id: x\n    unless: ¦", "area amount", "service_outage"),
        ("rules/x.yaml", "events:\n  x:\n    message: ¦", "payment_failed invoice_due", "chat"),
        ("rules/x.yaml", "events:\n  x:\n    channel: ¦", "chat sms", "payment_failed"),
        ("rules/x.yaml", "events:\n  x:\n    category: ¦", "marketing security", "chat"),
        ("rules/x.yaml", "events:\n  x:\n    en¦", "enabled engagement rules", "cooldown"),
        ("rules/x.yaml", "events:\n  x:\n    enabled: ¦", "true false", "on"),
        ("rules/x.yaml", "suppression:\n  - ¦", "id cooldown limit quiet_hours", "weight"),
        ("rules/x.yaml", "suppression:\n  - {id: x, cooldown: 1h, per: [¦", "user event order_id", "payment_failed"),
        ("rules/x.yaml", "suppression:\n  - {id: x, cooldown: 1h, events: [service_outage], per: [¦", "user event area", "order_id"),
        ("rules/x.yaml", "suppression:\n  - {id: x, events: [service_outage], same: [¦", "area", "order_id"),
        ("rules/x.yaml", "suppression:\n  - {id: x, resolved_by: ¦", "payment_succeeded user.updated user.active", "chat"),
        ("rules/x.yaml", "suppression:\n  - {id: x, quiet_hours: {days: [¦", "mon sun", "chat"),
        ("rules/x.yaml", "channels:\n  hook: {type: ¦", "console webhook file email apprise", "url"),
        ("rules/x.yaml", "channels:\n  hook: {type: webhook, ¦", "url secret headers to fallback rate", "reply"),
        ("rules/x.yaml", "channels:\n  hook:\n    ¦\n    type: email\n", "host port from to when_unsure", "url"),
        ("rules/x.yaml", "channels:\n  hook:\n    type: email\n    security: ¦", "starttls tls none", "retry"),
        ("rules/x.yaml", "channels:\n  hook:\n    type: email\n    html: ¦", "true false", "tls"),
        ("rules/x.yaml", "channels:\n  hook:\n    type: file\n    when_unsure: ¦", "retry stop", "tls"),
        ("rules/x.yaml", "channels:\n  hook: {type: file, fallback: ¦", "chat", "plan"),
        ("rules/x.yaml", "channels:\n  hook: {type: file, to: ¦", "user.name user.plan", "chat"),
        ("rules/x.yaml", "channels:\n  hook: {type: file, rate: {¦", "messages per", "path"),
        ("rules/x.yaml", "channels:\n  a: {type: email}\n  hook: {¦", "type fallback", "host"),
        ("rules/x.yaml", "settings:\n  ¦", "timezone locale holdout", "events"),
        ("rules/x.yaml", "¦", "settings events suppression", "templates"),
        ("templates/x.yaml", "templates:\n  payment_failed:\n    variants:\n      a:\n        text: \"Hi {{ ¦", "amount order_id user.", "area"),
        ("templates/x.yaml", "templates:\n  payment_failed:\n    variants:\n      a:\n        text:\n          en: \"{{ amount | ¦", "money number", "date"),
        ("templates/x.yaml", "templates:\n  payment_failed:\n    variants:\n      a:\n        text: \"{% ¦", "if endif for", "amount"),
        ("templates/x.yaml", "templates:\n  payment_failed:\n    variants:\n      a:\n        text: \"{% if ¦", "amount not", "if"),
        ("templates/x.yaml", "templates:\n  payment_failed:\n    variants:\n      a:\n        when: ¦", "amount", "area"),
        ("templates/x.yaml", "templates:\n  payment_failed: \"{{ amount ¦", "|", "amount"),
        ("templates/x.yaml", "templates:\n  x:\n    choose: ¦", "first weighted", "amount"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - send: ¦", "payment_failed", "chat"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - send: payment_failed\n        with: {¦", "amount order_id", "area"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - send: payment_failed\n        expect: {reason: ¦", "cooldown capped", "sent"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - send: payment_failed\n        expect: {by: ¦", "same-order large-amount", "sent"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    user: {¦", "id plan", "amount"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - ¦", "send active fail delete", "amount"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - active: ¦", "true chat sms", "amount"),
        ("rules/x.test.yaml", "tests:\n  - name: x\n    steps:\n      - fail: last\n        with: {¦", "reason capped_until channel handed_over", "amount"),
        ("rules/x.yaml", "suppression:\n  - {id: x, in¦", "in_conversation inhibited_by", "weight"),
    ],
)  # fmt: skip
def test_what_may_be_typed(desk: Desk, name: str, text: str, expected: str, absent: str):
    labels = [one.label for one in desk.complete(name, text)]
    assert set(expected.split()) <= set(labels)
    assert absent not in labels


@pytest.mark.parametrize(
    "text", ['templates:\n  payment_failed: "Hello ¦', 'templates:\n  payment_failed: "{{ amount }} ¦', "x: ¦", "[¦"]
)
def test_where_nothing_is_known_nothing_is_suggested(desk: Desk, text: str):
    assert desk.complete("templates/x.yaml", text) == []


def test_a_suggestion_replaces_what_is_typed_of_it(desk: Desk):
    (one,) = [
        one
        for one in desk.complete("rules/x.yaml", "events:\n  x:\n    message: invoice_d¦")
        if one.label == "invoice_due"
    ]
    assert (one.replaces, one.text) == (len("invoice_d"), "invoice_due")


def test_an_event_type_whose_file_is_broken_now_still_has_its_fields(desk: Desk):
    text = desk.text(PAYMENTS).replace("when: amount >= 500", 'when: "am¦', 1)
    assert "amount" in [one.label for one in desk.complete(PAYMENTS, text)]


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        (PAYMENTS, "amo¦unt >= 500", "number, at least 0"),
        (PAYMENTS, "- {id: large-am¦ount", "Score +0.15 when `amount >= 500`."),
        (PAYMENTS, "  payment_fail¦ed:", "weight 0.7, with its rules up to 0.95; needs more than 0.6"),
        (PAYMENTS, "  payment_fail¦ed:", "`same-order`: cooldown of 6h"),
        (PAYMENTS, "message: payment_f¦ailed", "Nudge after a declined card"),
        (PAYMENTS, "mess¦age: payment_failed", "The template of its message."),
        (PAYMENTS, "user.pl¦an in", "one of `free`, `pro`, `vip`"),
        (PAYMENTS, "category: transac¦tional", "sent until the user says stop"),
        (PAYMENTS, "channel: ch¦at", "a channel of type console"),
        (SUPPRESSION, "id: nigh¦t", "Quiet hours 22:00 to 08:00: held until they end."),
        (SUPPRESSION, "id: same-ord¦er", "Cooldown of 6h for the same `user` and `order_id`."),
        (SUPPRESSION, "when: engagement.ignored_in¦_a_row", "ignored since the last click"),
        (TEXTS, "of {{ amount | mon¦ey", "An amount with its currency."),
        (TEXTS, "of {{ am¦ount | money", "number, at least 0"),
        (TEXTS, "      vi¦p:", "When `user.plan == 'vip' and user.name is defined`."),
        (TESTS, "by: same-or¦der", "Cooldown of 6h"),
        (TESTS, "with: {amo¦unt", "number, at least 0"),
    ],
)  # fmt: skip
def test_what_something_means(desk: Desk, name: str, words: str, expected: str):
    assert expected in desk.hover(name, words)


CHANNELS = """\
channels:
  hook:
    type: webhook
    url: https://example.com/hook
    secret: ${HOOK_SECRET}
    to: user.name
    fallback: chat
    rate: {messages: 10}
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("type: web¦hook", "Posts messages to an address of yours, signed by Standard Webhooks 1.0.0."),
        ("type: web¦hook", "Needs `url`, `secret`."),
        ("type: web¦hook", "Nothing here was run against a live platform."),
        ("sec¦ret: ", "What signs them"),
        ("fall¦back: chat", "takes over what this one cannot deliver"),
        ("ra¦te: {", "How many messages go out in what time"),
        ("fallback: ch¦at", "a channel of type console"),
        ("to: user.na¦me", "attribute **name**"),
        ("ho¦ok:", "to `user.name`, at most 10 messages in 1s, what it cannot deliver goes to `chat`"),
    ],
)
def test_what_something_about_a_channel_means(desk: Desk, words: str, expected: str):
    desk.write("rules/x.yaml", CHANNELS)
    assert expected in desk.hover("rules/x.yaml", words)


def test_what_a_channel_names_leads_to_its_declaration(desk: Desk):
    desk.write("rules/x.yaml", CHANNELS)
    for words in ("fallback: ch¦at", "to: user.na¦me"):
        [place] = desk.definition("rules/x.yaml", words)
        assert place.startswith("rules/settings.yaml")


@pytest.mark.parametrize(
    ("name", "words", "file"),
    [
        (PAYMENTS, "message: payment_fa¦iled", TEXTS),
        (PAYMENTS, "count('payment_fai¦led'", PAYMENTS),
        (PAYMENTS, "user.pl¦an in", "rules/settings.yaml"),
        (PAYMENTS, "channel: ch¦at", "rules/settings.yaml"),
        (SUPPRESSION, "resolved_by: payment_suc¦ceeded", PAYMENTS),
        (SUPPRESSION, "inhibited_by: service_out¦age", "rules/outages.yaml"),
        (SUPPRESSION, "per: [user, order_¦id]", PAYMENTS),
        (SUPPRESSION, "reserved: {transac¦tional", "rules/settings.yaml"),
        (TEXTS, "{{ order_¦id }}", PAYMENTS),
        (TEXTS, "{{ user.na¦me }}", "rules/settings.yaml"),
        (TESTS, "send: payment_fai¦led", PAYMENTS),
        (TESTS, "with: {amo¦unt", PAYMENTS),
        (TESTS, "by: same-or¦der", SUPPRESSION),
        (TESTS, "variant: pla¦in", TEXTS),
        (TESTS, "user: {pl¦an", "rules/settings.yaml"),
        ("rules/suppression.test.yaml", "active: ch¦at", "rules/settings.yaml"),
    ],
)
def test_where_something_is_declared(desk: Desk, name: str, words: str, file: str):
    found = desk.definition(name, words)
    assert found
    assert {place.split(":")[0] for place in found} == {file}


def test_a_field_that_event_types_share_is_declared_in_each(desk: Desk):
    assert len(desk.definition(SUPPRESSION, "unless: am¦ount")) == 2


def test_every_name_can_be_another_and_back_and_nothing_else_changes(desk: Desk):
    """Each declared thing of the starter policy is renamed everywhere, and the workspace stays without findings."""
    declared = [
        one
        for file in desk.bench.view.documents
        for one in occurrences(desk.bench.view, desk.bench.declared, file)
        if one.declares
    ]
    assert {one.kind for one in declared} >= set(Kind) - {Kind.FILTER, Kind.BUILT_IN, Kind.EXPERIMENT}
    for one in random.Random(1).sample(declared, 25):
        before = {file: desk.text(file) for file in desk.bench.view.documents}
        place = one.position
        new = f"{one.name}_x"
        done = rename(desk.live, desk.bench, place.file, place.line, place.column, new)
        assert done.changes, one
        for file in {change.position.file for change in done.changes}:
            desk.write(file, applied(before[file], [one for one in done.changes if one.position.file == file]))
        assert desk.bench.view.diagnostics == (), one
        back = rename(desk.live, desk.bench, place.file, place.line, place.column, one.name)
        for file in {change.position.file for change in back.changes}:
            desk.write(file, applied(desk.text(file), [one for one in back.changes if one.position.file == file]))
        assert {file: desk.text(file) for file in before} == before, one


@pytest.mark.parametrize(
    ("name", "words", "new", "sentence"),
    [
        (PAYMENTS, "am¦ount >= 500", "currency", 'payment_failed, invoice_due has a field "currency" already'),
        (PAYMENTS, "am¦ount >= 500", "not", '"not" is a word of conditions, and cannot be a field'),
        (PAYMENTS, "am¦ount >= 500", "two words", '"two words" cannot be a field'),
        (PAYMENTS, "message: payment_f¦ailed", "invoice_due", 'there is a template "invoice_due" already'),
        (PAYMENTS, "message: payment_f¦ailed", "Big", '"Big" cannot be the name of a template'),
        (PAYMENTS, "{id: large-am¦ount", "repeated", 'another rule or suppression is called "repeated"'),
        (SUPPRESSION, "id: same-or¦der", "provider", "decisions name provider where"),
        (TEXTS, "of {{ amount | mon¦ey(", "cash", "is a word of botopt's own"),
        (PAYMENTS, "description: A card pay¦ment", "x", "there is no name here that could be changed"),
    ],
)
def test_what_cannot_be_renamed_is_said_in_a_sentence(desk: Desk, name: str, words: str, new: str, sentence: str):
    with pytest.raises(UsageError) as refused:
        rename(desk.live, desk.bench, name, *desk.place(name, words), new)
    assert sentence in str(refused.value)


def test_a_rename_that_would_break_something_is_refused(desk: Desk):
    """Another event type may arrive under the very name."""
    desk.write("rules/x.yaml", "events:\n  other: {accepts: [taken]}\n")
    with pytest.raises(UsageError) as refused:
        rename(desk.live, desk.bench, PAYMENTS, *desk.place(PAYMENTS, "  payment_f¦ailed:"), "taken")
    assert str(refused.value).startswith("nothing was renamed, because it would break rules/x.yaml:2:21: ")
    assert desk.live.look().diagnostics == ()


def test_a_field_gets_no_name_that_a_text_gives_to_a_value_of_its_own(desk: Desk):
    text = desk.text(TEXTS).replace(
        "for order {{ order_id }}", "{% set sum = 1 %}{{ sum }} {{ order_id }} {{ amount }}", 1
    )
    desk.write(TEXTS, text)
    with pytest.raises(UsageError, match='makes a value called "sum" itself'):
        rename(desk.live, desk.bench, PAYMENTS, *desk.place(PAYMENTS, "am¦ount >= 500"), "sum")


def test_quick_fixes_are_those_that_leave_no_new_mistake(desk: Desk):
    text = desk.text(PAYMENTS).replace("message: payment_failed", "message: payment_faild", 1)
    desk.write(PAYMENTS, text)
    finding = next(one for one in desk.bench.view.diagnostics if one.code == "B102")
    (mending,) = mendings(desk.live, desk.bench.view, finding)
    assert mending.title == "B102: type payment_failed"
    lines = text.split("\n")
    lines[mending.first : mending.last] = mending.lines
    desk.write(PAYMENTS, "\n".join(lines))
    assert desk.bench.view.diagnostics == ()


def test_tabs_are_mended_in_the_whole_file(desk: Desk):
    desk.write("rules/x.yaml", "events:\n\tmine:\n\t\tfields: {}\n\tother: {}\n")
    finding = next(one for one in desk.bench.view.diagnostics if one.code == "B007")
    found = mendings(desk.live, desk.bench.view, finding)
    assert "B007: indent with spaces" in [one.title for one in found]


def test_a_finding_is_explained_by_the_page_of_its_code(desk: Desk):
    desk.write("rules/x.yaml", "evnts: {}\n")
    assert explain(desk.bench.view.diagnostics).startswith("### B101: ")


def test_an_outline_names_what_a_file_declares(desk: Desk):
    (section,) = outline(desk.bench.view, PAYMENTS)
    failed = next(one for one in section.inner if one.name == "payment_failed")
    assert {"amount", "large-amount"} <= {one.name for one in failed.inner}
    (tests,) = outline(desk.bench.view, TESTS)
    assert "an order that fails twice is mentioned once" in [one.name for one in tests.inner]


@pytest.mark.parametrize("seed", range(4))
def test_no_text_and_no_place_is_too_strange(desk: Desk, seed: int):
    """Files cut, doubled and mixed anyhow; the cursor anywhere."""
    random_ = random.Random(seed)
    for _ in range(6):
        name = random_.choice([PAYMENTS, TEXTS, TESTS, SUPPRESSION])
        text = desk.text(name)
        for _ in range(random_.randrange(4)):
            at = random_.randrange(len(text) or 1)
            junk = random_.choice(["{", "[", '"', "'", "\n", "\t", ":", "- ", "{{ ", "{% ", "| ", "}", "]", "é😀", "#"])
            text = text[:at] + junk + text[at + random_.randrange(3) :]
        desk.write(name, text)
        lines = desk.text(name).split("\n")
        for _ in range(6):
            line = random_.randrange(len(lines))
            column = random_.randrange(len(lines[line]) + 1)
            complete(desk.bench, name, lines, line, column)
            hover(desk.bench, name, line + 1, column + 1)
            with contextlib.suppress(UsageError):
                rename(desk.live, desk.bench, name, line + 1, column + 1, "another")
        outline(desk.bench.view, name)
        for found in desk.bench.view.diagnostics[:3]:
            mendings(desk.live, desk.bench.view, found)


def test_nothing_is_renamed_while_a_file_cannot_be_read(desk: Desk):
    desk.write("rules/x.yaml", "events:\n  other: {fields: [\n")
    with pytest.raises(UsageError, match=r"rules/x\.yaml cannot be read as a whole"):
        rename(desk.live, desk.bench, PAYMENTS, *desk.place(PAYMENTS, "am¦ount >= 500"), "total")


def test_windows_line_ends_are_no_part_of_a_fix(desk: Desk):
    text = desk.text(PAYMENTS).replace("message: payment_failed", "message: payment_faild", 1).replace("\n", "\r\n")
    desk.write(PAYMENTS, text)
    finding = next(one for one in desk.bench.view.diagnostics if one.code == "B102")
    (mending,) = mendings(desk.live, desk.bench.view, finding)
    assert [line for line in mending.lines if "\r" in line] == []
    assert rename(desk.live, desk.bench, PAYMENTS, *desk.place(PAYMENTS, "am¦ount >= 500"), "total").changes
