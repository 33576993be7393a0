"""What operators type: keys, silences, the outbox, users from tables; also while a service holds the state."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from botopt.model.api_keys import matches, parse
from botopt.model.live import Changes, OutboxStatus
from botopt.state import migrations
from botopt.state.opening import open_control, open_live, open_reader
from botopt.state.sqlite import open_state
from tests.cli.running import RULES, botopt, workspace
from tests.state.helpers import decision, parcel, sending

KEY = re.compile(r"bk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}\n")


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_key_is_shown_once_listed_and_revoked(tmp_path):
    made = botopt("keys", "add", "shop", "--scope", "read", "--scope", "ingest", "--expires", "90d", cwd=tmp_path)
    assert made.returncode == 0
    assert KEY.fullmatch(made.stdout)
    id, secret = parse(made.stdout.strip())
    assert f"key {id} for shop: ingest, read; until 20" in made.stderr
    assert "state.db did not exist, and was made" in made.stderr
    assert secret not in made.stderr
    assert secret.encode() not in (tmp_path / "state.db").read_bytes()
    reader = open_reader(tmp_path / "state.db")
    assert [matches(key, secret) for key in reader.api_keys()] == [True]
    reader.close()
    as_json = botopt("keys", "add", "other", "--scope", "admin", "--format", "json", cwd=tmp_path)
    plain = json.loads(as_json.stdout)
    assert KEY.fullmatch(f"{plain['key']}\n")
    assert (plain["scopes"], plain["expires"], as_json.stderr) == (["admin"], None, "")
    assert botopt("keys", "revoke", made.stdout.strip(), cwd=tmp_path).stdout == f"key {id} for shop is revoked\n"
    assert botopt("keys", "revoke", id, cwd=tmp_path).stdout == f"key {id} for shop was revoked before\n"
    listed = botopt("keys", "list", cwd=tmp_path)
    assert "revoked" in listed.stdout
    assert "2 keys" in listed.stdout
    assert secret not in listed.stdout
    found = {
        key["name"]: key["status"] for key in records(botopt("keys", "list", "--format", "json", cwd=tmp_path).stdout)
    }
    assert found == {"shop": "revoked", "other": "valid"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("keys", "add", "shop"), 2, "--scope"),
        (("keys", "add", "shop", "--scope", "root"), 2, "root"),
        (("keys", "add", "", "--scope", "read"), 2, "a name has 1 to 100 characters"),
        (("keys", "add", "x", "--scope", "read", "--expires", "soon"), 2, '--expires: "soon" is not a time'),
        (("keys", "add", "x", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"), 2, "is over; it is 20"),
        (("keys", "list", "--state", "none.db"), 9, "there is no state file none.db"),
        (("keys", "revoke", f"bk_aaaaaaaa_{'x' * 43}"), 2, "there is no key aaaaaaaa in state.db"),
        (("keys", "revoke", f"bk_{'x' * 50}"), 2, "there is no key with this name in state.db"),
        (("silence", "add", "--for", "2h", "--why", "x"), 2, "name event types with --events, or say --all"),
        (
            ("silence", "add", "--all", "--events", "a", "--for", "2h", "--why", "x"),
            2,
            "name event types with --events",
        ),
        (("silence", "add", "--all", "--why", "x"), 2, "say how long with --for 2h"),
        (("silence", "add", "--all", "--for", "2 hours", "--why", "x"), 2, "is no duration; write 30m"),
        (("silence", "add", "--all", "--until", "2020-01-01T00:00:00Z", "--why", "x"), 2, "is over"),
        (("silence", "add", "--all", "--for", "2h"), 2, "--why"),
        (("silence", "add", "--all", "--for", "2h", "--why", " "), 2, "a reason has 1 to 500 characters"),
        (
            ("silence", "add", "--events", "Paid!", "--for", "2h", "--why", "x"),
            2,
            '"Paid!" is no name of an event type',
        ),
        (("silence", "end", "abc"), 2, 'there is no silence "abc" in state.db'),
        (("outbox", "list", "--status", "lost"), 2, "lost"),
        (("outbox", "show", "m1"), 2, 'there is no message "m1" in state.db'),
        (("outbox", "retry"), 2, "name messages by their keys, or say --all with a --status"),
        (("outbox", "drop", "m1", "--all"), 2, "name messages by their keys"),
        (("outbox", "drop", "--all"), 2, "--all: say which, such as --status dead"),
        (("outbox", "retry", "m1", "--status", "dead"), 2, "--status and --channel go with --all"),
        (("outbox", "drop", "--all", "--status", "delivered"), 2, "only dead, unsure and pending messages"),
        (("outbox", "drop", "m1"), 2, 'there is no message "m1"'),
    ],
)
def test_what_makes_no_sense_is_said(tmp_path_factory, args, code, words):
    folder = tmp_path_factory.getbasetemp() / "operators"
    folder.mkdir(exist_ok=True)
    open_control(folder / "state.db", create=True).close()
    done = botopt(*args, cwd=folder)
    assert done.returncode == code
    assert words in done.stderr
    assert "x" * 43 not in done.stderr


def test_a_silence_is_added_listed_and_ended_while_a_service_runs(tmp_path):
    folder = workspace(tmp_path)
    with open_live(folder / "state.db") as store:
        wrong = botopt(
            "silence", "add", "--events", "payment_faild", "--for", "2h", "--why", "x", "-w", ".", cwd=folder
        )
        assert wrong.returncode == 2
        assert 'there is no event type "payment_faild"; did you mean "payment_failed"?' in wrong.stderr
        version = store.control_version()
        many = ("--events", "payment_failed, paid", "--events", "paid", "--for", "2h", "--why", "bank is down")
        made = botopt("silence", "add", *many, "-w", ".", "--who", "ada", cwd=folder)
        assert made.returncode == 0, made.stderr
        assert "silenced: payment_failed, paid; ends in 2h (20" in made.stderr
        assert store.control_version() != version
        [silence] = store.silences(0)
        assert made.stdout == f"{silence.id}\n"
        assert (silence.events, silence.why, silence.who) == (("payment_failed", "paid"), "bank is down", "ada")
        assert silence.until_us - silence.created_us == 2 * 3_600_000_000
        assert (
            botopt("silence", "add", "--all", "--until", "2999-01-01T00:00:00Z", "--why", "x", cwd=folder).returncode
            == 0
        )
        listed = botopt("silence", "list", cwd=folder).stdout
        assert "in 1h59m (20" in listed
        assert "all messages" in listed
        assert "2 silences" in listed
        ended = botopt("silence", "end", silence.id, cwd=folder)
        assert ended.stdout == f"silence {silence.id} (payment_failed, paid) is over\n"
        assert "had ended before" in botopt("silence", "end", silence.id, cwd=folder).stdout
        assert "1 silence\n" in botopt("silence", "list", cwd=folder).stdout
        every = records(botopt("silence", "list", "--all", "--format", "json", cwd=folder).stdout)
        assert [one["ended"] for one in every] == [True, False]
        store.commit_changes(Changes(decisions=[decision("d1")]))


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    with open_live(tmp_path / "state.db") as store:
        store.commit_changes(
            Changes(
                outbox=[
                    sending(
                        "dead1", status=OutboxStatus.DEAD, detail="410 Gone", attempts=8, parcel=parcel("Private.")
                    ),
                    sending("dead2", "bob", status=OutboxStatus.DEAD, channel="mail"),
                    sending("unsure1", status=OutboxStatus.UNSURE, address="+49 123"),
                    sending("sent1", status=OutboxStatus.DELIVERED, provider_id="SM1"),
                    sending("wait1", next_us=2**52),
                ]
            )
        )
    return tmp_path


def statuses(folder: Path) -> dict[str, str]:
    listed = botopt("outbox", "list", "--format", "json", cwd=folder)
    return {str(one["key"]): str(one["status"]) for one in records(listed.stdout)}


def test_messages_are_listed_and_shown_without_what_they_say(sent):
    listed = botopt("outbox", "list", cwd=sent).stdout
    assert [word for word in ("dead1", "410 Gone", "pending, next in", "5 messages") if word not in listed] == []
    assert "Private." not in listed
    only = records(
        botopt(
            "outbox", "list", "--status", "dead", "--status", "unsure", "--user", "ada", "--format", "json", cwd=sent
        ).stdout
    )
    assert [one["key"] for one in only] == ["unsure1", "dead1"]
    assert "Private." not in json.dumps(only)
    assert "Private." in botopt("outbox", "list", "--status", "dead", "--texts", cwd=sent).stdout
    shown = botopt("outbox", "show", "dead1", cwd=sent).stdout
    assert "detail: 410 Gone\n" in shown
    assert "event_id: e1\n" in shown
    assert "Private." not in shown
    assert "texts: Private.\n" in botopt("outbox", "show", "dead1", "--texts", cwd=sent).stdout
    plain = json.loads(botopt("outbox", "show", "unsure1", "--format", "json", cwd=sent).stdout)
    assert (plain["address"], plain["template"], "texts" in plain) == ("+49 123", "hello", False)


def test_a_key_stands_whole_in_the_list(tmp_path):
    key = f"{'0123456789ab' * 2}:some_fallback_channel"
    with open_live(tmp_path / "state.db") as store:
        store.commit_changes(Changes(outbox=[sending(key, status=OutboxStatus.DEAD, detail="no connection " * 9)]))
    assert key in botopt("outbox", "list", cwd=tmp_path).stdout


def test_messages_are_tried_again(sent):
    assert botopt("outbox", "retry", "dead1", cwd=sent).stdout == "1 message to be tried again\n"
    assert statuses(sent)["dead1"] == "pending"
    asked = botopt("outbox", "retry", "unsure1", cwd=sent, stdin=b"n\n")
    assert asked.stdout.strip() == "0 messages changed"
    assert "1 of them may have arrived already, and would come twice." in asked.stderr
    assert statuses(sent)["unsure1"] == "unsure"
    done = botopt(
        "outbox", "retry", "--all", "--status", "unsure", "--status", "dead", "--yes", "--format", "json", cwd=sent
    )
    assert json.loads(done.stdout) == {"changed": 2}
    assert {status for key, status in statuses(sent).items() if key != "sent1"} == {"pending"}
    refused = botopt("outbox", "retry", "sent1", cwd=sent)
    assert refused.returncode == 2
    assert "sent1 is delivered: only dead, unsure and pending messages can be changed" in refused.stderr


def test_messages_are_given_up_after_a_question(sent):
    assert botopt("outbox", "drop", "dead1", "wait1", cwd=sent, stdin=b"n\n").stdout.strip() == "0 messages changed"
    assert botopt("outbox", "drop", "dead1", "wait1", cwd=sent, stdin=b"y\n").stdout.strip() == "2 messages given up"
    assert (
        botopt("outbox", "drop", "--all", "--status", "dead", "--channel", "chat", "-y", cwd=sent).stdout
        == "0 messages found\n"
    )
    assert (
        botopt("outbox", "drop", "--all", "--status", "dead", "--channel", "mail", "-y", cwd=sent).stdout
        == "1 message given up\n"
    )
    assert statuses(sent) == {
        "dead1": "dropped",
        "dead2": "dropped",
        "unsure1": "unsure",
        "sent1": "delivered",
        "wait1": "dropped",
    }
    control = open_control(sent / "state.db")
    assert [entry[2:] for entry in control.audit(9)] == [
        ("outbox drop", "dead2"),
        ("outbox drop", "wait1"),
        ("outbox drop", "dead1"),
    ]
    assert all(entry[1] for entry in control.audit(9))
    control.close()


ATTRIBUTES = "user:\n  plan: {type: text, one_of: [free, pro], optional: true}\n"


def test_users_are_taken_in_once_and_mistakes_are_told(tmp_path):
    folder = workspace(tmp_path, ATTRIBUTES + RULES)
    (folder / "users.csv").write_text("id;plan;timezone\nada;pro;Europe/Berlin\nbob;gold;\n;pro;\n", "utf-8-sig")
    tried = botopt("state", "import", "users.csv", "--dry-run", cwd=folder)
    assert tried.stdout == "3 rows: 1 would be taken in (1 new user), 2 with mistakes\n"
    assert not (folder / "state.db").exists()
    done = botopt("state", "import", "users.csv", "--strict", cwd=folder)
    assert done.returncode == 7
    assert done.stdout == "3 rows: 1 taken into state.db (1 new user), 2 with mistakes\n"
    assert done.stderr.splitlines() == [
        'users.csv:3: plan: a field has a wrong value: plan must be free or pro, not "gold"',
        "users.csv:4: id: a row needs the user's id",
    ]
    again = botopt("state", "import", "users.csv", "--format", "json", cwd=folder)
    plain = json.loads(again.stdout)
    assert (plain["taken"], plain["known"], plain["rejected"], again.stderr) == (0, 1, 2, "")
    assert [(fault["line"], fault["column"]) for fault in plain["faults"]] == [(3, "plan"), (4, "id")]
    shown = json.loads(botopt("state", "show", "ada", "--format", "json", cwd=folder).stdout)
    assert shown["attributes"] == {"plan": "pro", "timezone": "Europe/Berlin"}
    (folder / "more.jsonl").write_text('{"id": "ada", "plan": null}\n')
    assert botopt("state", "import", "more.jsonl", cwd=folder).returncode == 0
    shown = json.loads(botopt("state", "show", "ada", "--format", "json", cwd=folder).stdout)
    assert shown["attributes"] == {"timezone": "Europe/Berlin"}


def test_an_import_that_cannot_be_is_refused_in_words(tmp_path):
    folder = workspace(tmp_path, ATTRIBUTES + RULES)
    (folder / "users.csv").write_text("id,plam\nada,pro\n")
    wrong = botopt("state", "import", "users.csv", cwd=folder)
    assert (wrong.returncode, wrong.stderr) == (
        9,
        'botopt: users.csv:1: no attribute is called "plam"; did you mean "plan"?\n',
    )
    ahead = botopt("state", "import", "users.csv", "--at", "2999-01-01T00:00:00Z", cwd=folder)
    assert ahead.returncode == 2
    assert "--at: 2999-01-01T00:00:00Z is still to come" in ahead.stderr
    with open_live(folder / "other.db"):
        locked = botopt("state", "import", "users.csv", "--ignore", "plam", "--state", "other.db", cwd=folder)
    assert locked.returncode == 8
    assert "stop it for the import, or send it user.updated events (POST /v1/events)" in locked.stderr
    assert botopt("state", "import", "none.csv", cwd=folder).returncode == 9


def test_a_forgotten_user_leaves_neither_decisions_nor_messages(tmp_path):
    with open_live(tmp_path / "state.db") as store:
        found = sending("m1", parcel=parcel("Private."))
        store.commit_changes(Changes(decisions=[decision("d1")], outbox=[found]))
    assert botopt("state", "forget", "ada", "--yes", cwd=tmp_path).stdout == "forgot ada\n"
    reader = open_reader(tmp_path / "state.db")
    assert (reader.decision("d1"), reader.outbox_row("m1")) == (None, None)
    reader.close()
    assert b"Private." not in (tmp_path / "state.db").read_bytes()
    assert "MB before" in botopt("state", "compact", cwd=tmp_path).stdout
    with open_live(tmp_path / "state.db"):
        locked = botopt("state", "forget", "a b/c", "--yes", cwd=tmp_path)
    assert locked.returncode == 8
    assert "If it is the service: ask it, DELETE /v1/users/a%20b%2Fc" in locked.stderr


def test_an_older_file_says_what_to_do_and_is_upgraded(tmp_path):
    first_format(tmp_path / "state.db")
    done = botopt("state", "list", cwd=tmp_path)
    assert done.returncode == 8
    assert "older format (1;" in done.stderr
    assert "`botopt state upgrade --state state.db` brings it up to date" in done.stderr
    assert botopt("state", "upgrade", cwd=tmp_path).stdout == "state.db is up to date\n"
    assert botopt("state", "list", cwd=tmp_path).returncode == 0


def first_format(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        open_state(path, create=True, read_only=False).close()
