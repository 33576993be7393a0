"""The commands with which authors make and mend their files, run as they run them."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from botopt.cli import fix as fix_command
from botopt.cli import fmt as fmt_command
from botopt.cli import infer as infer_command
from botopt.cli import new as new_command
from botopt.cli.faults import exit_code_of
from botopt.verify.validate import validate
from tests.cli.running import EVENTS, RULES, workspace
from tests.cli.running import botopt as installed

runner = CliRunner()
COMMANDS = {"infer": infer_command.infer, "fmt": fmt_command.fmt, "fix": fix_command.fix}


def botopt(*args: object, stdin: str | None = None):
    """One call of a command: exit code, standard output, standard error."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    for name, command in COMMANDS.items():
        app.command(name)(command)
    app.add_typer(new_command.app, name="new")
    result = runner.invoke(app, [str(arg) for arg in args], input=stdin, env={"NO_COLOR": "1", "COLUMNS": "160"})
    fault = result.exception
    if fault is None or isinstance(fault, SystemExit):
        return result.exit_code, result.stdout, result.stderr
    return exit_code_of(fault), result.stdout, result.stderr + str(fault)


def test_infer_makes_a_workspace_from_events(tmp_path):
    (tmp_path / "events.jsonl").write_text(EVENTS)
    out = tmp_path / "rules" / "inferred.yaml"
    code, _, said = botopt("infer", tmp_path / "events.jsonl", "-w", tmp_path, "--out", out)
    assert code == 0
    assert "line 5: not valid JSON" in said
    validation = validate(tmp_path)
    assert validation.policy is not None
    assert not validation.diagnostics
    assert list(validation.policy.events["payment_failed"].fields) == ["amount", "amont"]
    before = out.read_bytes()
    assert botopt("infer", tmp_path / "events.jsonl", "--out", out)[0] == 9
    assert out.read_bytes() == before


def test_infer_prints_the_same_twice_and_knows_what_is_declared(tmp_path):
    (tmp_path / "events.jsonl").write_text(EVENTS)
    first, second = (botopt("infer", tmp_path / "events.jsonl", "-w", tmp_path)[1] for _ in range(2))
    assert first == second
    assert "payment_failed:" in first
    code, printed, said = botopt("infer", workspace(tmp_path) / "events.jsonl", "-w", tmp_path)
    assert (code, printed) == (0, "")
    assert "nothing to propose" in said


def test_infer_says_how_one_list_becomes_lines(tmp_path):
    (tmp_path / "export.json").write_text('[\n  {"id": "e1"}\n]\n')
    code, _, said = botopt("infer", tmp_path / "export.json", "-w", tmp_path)
    assert code == 9
    assert "jq -c '.[]'" in said


def test_infer_says_when_there_is_no_event(tmp_path):
    (tmp_path / "events.jsonl").write_text("a,b\n1,2\n")
    assert botopt("infer", tmp_path / "events.jsonl")[0] == 9


def test_a_replay_under_the_proposal_rejects_nothing(tmp_path):
    events = "".join(line for line in EVENTS.splitlines(keepends=True) if "message." not in line and "{" in line)
    (tmp_path / "events.jsonl").write_text(events)
    botopt("infer", tmp_path / "events.jsonl", "-w", tmp_path, "--out", tmp_path / "rules" / "inferred.yaml")
    done = installed("replay", "-w", tmp_path, tmp_path / "events.jsonl", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr


MESSY = "events:\n    paid: { }\n"
TIDY = "events:\n  paid: {}\n"


def test_fmt_check_shows_what_would_change_and_changes_nothing(tmp_path):
    path = workspace(tmp_path) / "rules" / "messy.yaml"
    path.write_text(MESSY)
    code, printed, said = botopt("fmt", "--check", "-w", tmp_path)
    assert code == 6
    assert "-    paid: { }\n+  paid: {}" in printed
    assert "3 files: 2 would change" in said
    assert path.read_text() == MESSY


def test_fmt_writes_files_that_a_check_then_likes(tmp_path):
    path = workspace(tmp_path) / "rules" / "messy.yaml"
    path.write_text(MESSY)
    path.chmod(0o640)
    assert botopt("fmt", "-w", tmp_path)[0] == 0
    assert path.read_text() == TIDY
    assert path.stat().st_mode & 0o777 == 0o640
    code, printed, said = botopt("fmt", "--check", "-w", tmp_path)
    assert (code, printed) == (0, "")
    assert "3 files: 0 would change" in said
    assert sorted(one.name for one in path.parent.iterdir()) == ["messy.yaml", "r.yaml"]


def test_fmt_leaves_a_file_with_mistakes_alone_and_tidies_the_others(tmp_path):
    (workspace(tmp_path) / "rules" / "bad.yaml").write_text("events:\n\tpaid: { }\n")
    (tmp_path / "rules" / "messy.yaml").write_text(MESSY)
    code, printed, _ = botopt("fmt", "-w", tmp_path)
    assert code == 3
    assert "rules/bad.yaml:2:1 B007" in printed
    assert (tmp_path / "rules" / "bad.yaml").read_text() == "events:\n\tpaid: { }\n"
    assert (tmp_path / "rules" / "messy.yaml").read_text() == TIDY


def test_fmt_takes_single_files_and_says_when_there_are_none(tmp_path):
    (tmp_path / "one.yaml").write_text(MESSY)
    code, printed, _ = botopt("fmt", tmp_path / "one.yaml", "--diff")
    assert code == 0
    assert "+  paid: {}" in printed
    assert (tmp_path / "one.yaml").read_text() == TIDY
    assert botopt("fmt", "-w", tmp_path)[0] == 3


MISTAKEN = RULES.replace("quiet_hours", "quiet_huors").replace("amount >= 500", "amuont >= 500")


def test_fix_only_shows_what_it_would_do_where_nobody_can_be_asked(tmp_path):
    path = workspace(tmp_path, rules=MISTAKEN) / "rules" / "r.yaml"
    code, printed, said = botopt("fix", "-w", tmp_path)
    assert code == 6
    assert "+      - {id: large, when: amount >= 500, score: +0.15}" in printed
    assert "2 to mend; nothing was written" in said
    assert path.read_text() == MISTAKEN


def test_fix_writes_with_yes_and_then_has_nothing_to_do(tmp_path):
    path = workspace(tmp_path, rules=MISTAKEN) / "rules" / "r.yaml"
    code, _, said = botopt("fix", "-w", tmp_path, "--yes")
    assert code == 0
    assert "mended 2 in 1 file\n" in said
    assert path.read_text() == RULES
    code, printed, said = botopt("fix", "-w", tmp_path)
    assert (code, printed) == (0, "")
    assert "nothing that can be mended" in said


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 6), ("\n", 6)])
def test_fix_asks_on_a_terminal(tmp_path, monkeypatch, answer, code):
    path = workspace(tmp_path, rules=MISTAKEN) / "rules" / "r.yaml"
    monkeypatch.setattr(fix_command, "_is_terminal", lambda: True)
    assert botopt("fix", "-w", tmp_path, stdin=answer)[0] == code
    assert path.read_text() == (MISTAKEN if code else RULES)


def test_fix_shows_the_errors_that_are_left(tmp_path):
    workspace(tmp_path, rules=MISTAKEN.replace("cooldown: 6h", "cooldown: soon"))
    code, printed, _ = botopt("fix", "-w", tmp_path, "--yes")
    assert code == 3
    assert "1 error" in printed


def test_new_event_from_flags_writes_what_validates(tmp_path):
    path = workspace(tmp_path) / "rules" / "r.yaml"
    flags = ("--field", "order_id:text", "--field", "minutes:integer?", "--weight", "0.8", "--message", "order_late")
    code, printed, said = botopt("new", "event", "order_late", *flags, "--file", "rules/orders.yaml", "-w", tmp_path)
    assert code == 0, said
    assert (tmp_path / "rules" / "orders.yaml").read_text() == (
        "events:\n  order_late:\n    fields:\n      order_id: {type: text}\n"
        "      minutes:  {type: integer, optional: true}\n    weight: 0.80\n    message: order_late\n"
    )
    assert (tmp_path / "templates" / "t.yaml").read_text().endswith('\n  order_late: "Order late."\n')
    assert "+  order_late:" in printed
    assert path.read_text() == RULES
    assert validate(tmp_path).policy is not None
    code, _, said = botopt("new", "event", "order_late", *flags, "-w", tmp_path)
    assert code == 2
    assert 'there is already an event type "order_late"' in said


def test_new_event_from_answers(tmp_path):
    answers = "order_late\nThe order is late\norder_id\nminutes:integer\n\norder_late\n0.9\nSorry, it is late.\n"
    code, _, said = botopt("new", "event", "-w", tmp_path, stdin=answers)
    assert code == 0, said
    policy = validate(tmp_path).policy
    assert policy is not None
    late = policy.events["order_late"]
    assert (late.description, late.weight, list(late.fields)) == ("The order is late", 0.9, ["order_id", "minutes"])


def test_new_asks_again_at_once_what_will_not_do(tmp_path):
    workspace(tmp_path)
    answers = (
        "Order late\npayment_failed\norder_late\nThe order is late\norder id:text\namount:money\norder_id:text\n\n"
        "Order!\norder_late\n7\n0,9\n0.9\nSorry.\n"
    )
    code, _, said = botopt("new", "event", "-w", tmp_path, stdin=answers)
    assert code == 0, said
    for sentence in (
        'begins with a letter: not "Order late"; type order_late',
        'there is already an event type "payment_failed"',
        'a field is written name:type, such as amount:number, not "order id:text"',
        'not "amount:money"',
        'not "Order!"; type order',
        'type a number from 0 to 1, such as 0.7, not "7"',
        'not "0,9"',
    ):
        assert sentence in " ".join(said.split()), sentence
    policy = validate(tmp_path).policy
    assert policy is not None
    assert (policy.events["order_late"].weight, list(policy.events["order_late"].fields)) == (0.9, ["order_id"])


def test_new_suppression_asks_again_too(tmp_path):
    workspace(tmp_path)
    answers = "once\nnight\nnew\nquiet hours\nquiet_hour\nquiet_hours\n22-8\nlate\n22:00-08:00\n\n"
    code, _, said = botopt("new", "suppression", "-w", tmp_path, stdin=answers)
    assert code == 0, said
    assert 'did you mean "quiet_hours"?' in said
    assert 'quiet hours are written 22:00-08:00, not "22-8"' in said
    assert 'quiet hours are written 22:00-08:00, not "late"' in said


def test_a_weight_without_a_message_is_not_dropped_silently(tmp_path):
    workspace(tmp_path)
    code, _, said = botopt("new", "event", "late", "--weight", "0.9", "--description", "d", "-w", tmp_path)
    assert code == 2
    assert "a weight and a text belong to a message" in said


def test_new_asks_in_vain_and_writes_nothing(tmp_path):
    code, _, said = botopt("new", "event", "late", "-w", tmp_path, stdin="what\n")
    assert (code, "an answer is missing, and nothing was written" in said) == (2, True)
    assert not list(tmp_path.iterdir())


def test_new_template_from_flags_and_from_answers(tmp_path):
    workspace(tmp_path)
    assert botopt("new", "template", "thanks", "--text", "Thank you: {{ user.id }}", "-w", tmp_path)[0] == 0
    assert botopt("new", "template", "-w", tmp_path, stdin="bye\nGood bye #1\nThe end\n")[0] == 0
    policy = validate(tmp_path).policy
    assert policy is not None
    assert policy.templates["thanks"].variants[0].text["en"].source == "Thank you: {{ user.id }}"
    assert policy.templates["bye"].description == "The end"
    assert botopt("new", "template", "bye", "--file", "templates/x.yaml", "-w", tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--cooldown", "6h", "--per", "amount", "--event", "payment_failed"), "cooldown: 6h, per: [user, amount]"),
        (("--limit", "3", "--within", "day"), "{id: new, limit: 3, within: day}"),
        (("--quiet-hours", "21:00-07:30"), '{id: new, quiet_hours: {from: "21:00", to: "07:30"}}'),
        (("--resolved-by", "paid", "--within", "1h"), "{id: new, resolved_by: paid, within: 1h}"),
        (("--inhibited-by", "payment_failed", "--within", "2h"), "inhibited_by: payment_failed, within: 2h"),
        (("--in-conversation", "5m", "--event", "payment_failed"), "in_conversation: 5m, events: [payment_failed]"),
        (("--mute", "7d", "--when", "engagement.ignored_in_a_row >= 5"), "    when: engagement.ignored_in_a_row >= 5"),
    ],
)
def test_new_suppression_of_every_kind_from_flags(tmp_path, flags, line):
    workspace(tmp_path)
    code, _, said = botopt("new", "suppression", "new", *flags, "-w", tmp_path)
    assert code == 0, said
    text = (tmp_path / "rules" / "r.yaml").read_text()
    assert line in text
    assert text.startswith(RULES)
    policy = validate(tmp_path).policy
    assert policy is not None
    assert "new" in {one.id for one in policy.suppressions}


@pytest.mark.parametrize(
    "answers",
    [
        "new\ncooldown\n6h\n\n",
        "new\nlimit\n3\n24h\npayment_failed\n",
        "new\nin_conversation\n5m\n\n",
        "new\nquiet_hours\n22:00-08:00\n\n",
    ],
)
def test_new_suppression_from_answers(tmp_path, answers):
    workspace(tmp_path)
    code, _, said = botopt("new", "suppression", "-w", tmp_path, stdin=answers)
    assert code == 0, said
    policy = validate(tmp_path).policy
    assert policy is not None
    assert "new" in {one.id for one in policy.suppressions}


@pytest.mark.parametrize(
    "flags",
    [
        ("--cooldown", "6h", "--limit", "3"),
        ("--within", "6h"),
        ("--quiet-hours", "22:00"),
        ("--cooldown", "soon"),
        ("--cooldown", "6h", "--event", "payment_faild"),
        ("--cooldown", "6h", "--file", "new.yaml"),
    ],
)
def test_new_suppression_that_makes_no_sense_is_refused(tmp_path, flags):
    path = workspace(tmp_path) / "rules" / "r.yaml"
    assert botopt("new", "suppression", "new", *flags, "-w", tmp_path)[0] == 2
    assert path.read_text() == RULES


def test_new_overwrites_no_file_that_the_workspace_does_not_read(tmp_path):
    workspace(tmp_path)
    (tmp_path / "rules" / "folder.yaml").mkdir()
    assert botopt("new", "event", "late", "--file", "rules/folder.yaml", "-w", tmp_path)[0] == 2
