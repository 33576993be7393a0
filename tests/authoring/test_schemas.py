"""Schemas of one workspace: what is right validates, a name that does not exist does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from botopt.authoring.modelines import path_to, with_modelines
from botopt.authoring.schemas import NAMES, workspace_schemas
from botopt.loading.reader import read_text
from botopt.model.data_files import data_dir
from botopt.verify.live import Live
from tests.loading.making import plain


@pytest.fixture(scope="module")
def starter(tmp_path_factory) -> Live:
    folder = tmp_path_factory.mktemp("starter")
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), folder / kind)
    return Live(folder)


@pytest.fixture(scope="module")
def schemas(starter: Live):
    return workspace_schemas(starter.look())


def faults(schema, text: str) -> list[str]:
    document, _ = read_text("x.yaml", text.encode())
    assert document.root is not None
    return [error.message for error in Draft202012Validator(schema).iter_errors(plain(document.root))]


@pytest.mark.parametrize("name", NAMES)
def test_schemas_of_a_workspace_are_schemas_and_stand_alone(schemas, name: str):
    Draft202012Validator.check_schema(schemas[name])
    assert schemas[name]["$id"] == f"urn:botopt:schema:workspace:{name}"


def test_every_file_of_the_starter_workspace_is_valid(starter: Live, schemas):
    view = starter.look()
    assert {view.kinds[name] for name in view.documents} == set(NAMES)
    for name, document in view.documents.items():
        validator = Draft202012Validator(schemas[view.kinds[name]])
        assert [error.message for error in validator.iter_errors(plain(document.root))] == [], name


GOOD = {
    "rules": [
        "suppression: [{id: x, cooldown: 6h, events: [payment_failed]}]",
        "suppression: [{id: x, cooldown: 6h, per: [user, event, order_id], categories: [marketing], channels: [chat]}]",
        "suppression: [{id: x, resolved_by: user.updated, within: 1h, same: [order_id]}]",
        "suppression: [{id: x, limit: 3, within: 1d, reserved: {transactional: 1}}]",
        "events: {brand_new: {message: payment_failed, weight: 0.5, channel: chat, category: service}}",
        "channels: {new_one: {type: console}}",
        "channels: {new_one: {type: file, path: x, to: user.name, fallback: chat}}",
        "channels: {new_one: {type: webhook, url: 'https://x.y', secret: ['${A}', '${B}'], rate: {messages: 5}}}",
    ],
    "templates": [
        "templates: {brand_new: Hello}",
        "templates: {payment_failed: {variants: {a: {text: {en: Hi, pt-BR: Oi}}}, samples: [{amount: 5, reason: null}]}}",
    ],
    "tests": [
        "tests: [{name: x, user: {id: u, plan: pro}, steps: [{send: payment_failed, with: {amount: minus}}]}]",
        "tests: [{name: x, steps: [{click: last}, {click: step-1}, {subscribe: {category: marketing}}]}]",
        "tests: [{name: x, steps: [{active: chat}, {active: true}, {fail: last, with: {reason: full}}]}]",
        "tests: [{name: x, steps: [{advance: 1d, expect: {by: same-order, template: payment_failed}}]}]",
    ],
}
WRONG = {
    "rules": [
        "suppression: [{id: x, cooldown: 6h, events: [payment_faild]}]",
        "suppression: [{id: x, in_conversation: 5m, channels: [chatt]}]",
        "suppression: [{id: x, in_conversation: 5m, mute: always}]",
        "suppression: [{id: provider, cooldown: 6h}]",
        "suppression: [{id: x, cooldown: 6h, per: [user, ordr_id]}]",
        "suppression: [{id: x, cooldown: 6h, categories: [market]}]",
        "suppression: [{id: x, inhibited_by: [no_such], within: 1h}]",
        "suppression: [{id: x, limit: 3, within: 1d, reserved: {transaction: 1}}]",
        "events: {payment_failed: {message: payment_faild, weight: 0.5}}",
        "events: {payment_failed: {message: payment_failed, weight: 0.5, channel: chatt}}",
        "events: {e: {message: payment_failed, weight: 0.5, rules: [{id: x, when: 'true', message: nothing}]}}",
        "channels: {new_one: {type: consol}}",
        "channels: {new_one: {type: file}}",
        "channels: {new_one: {type: file, path: x, fallback: chatt}}",
        "channels: {new_one: {type: file, path: x, to: user.nam}}",
        "channels: {new_one: {type: file, path: x, reply: chat}}",
        "channels: {new_one: {type: file, path: x, paht: y}}",
        "channels: {new_one: {type: webhook, url: 'https://x.y', secret: hush}}",
    ],
    "templates": [
        "templates: {payment_failed: {variants: {a: {text: Hi}}, samples: [{amout: 5}]}}",
        "templates: {payment_failed: {variants: {a: {text: Hi}}, samples: [{amount: five}]}}",
        "templates: {payment_failed: {variants: {a: {txt: Hi}}}}",
    ],
    "tests": [
        "tests: [{name: x, user: {plann: pro}, steps: [{click: last}]}]",
        "tests: [{name: x, steps: [{send: payment_faild}]}]",
        "tests: [{name: x, steps: [{send: payment_failed, with: {amout: 5}}]}]",
        "tests: [{name: x, steps: [{advance: 1d, expect: {outcome: posted}}]}]",
        "tests: [{name: x, steps: [{send: payment_failed, advance: 1d}]}]",
        "tests: [{name: x, steps: [{subscribe: {category: nope}}]}]",
        "tests: [{name: x, steps: [{active: nowhere}]}]",
        "tests: [{name: x, steps: [{active: false}]}]",
        "tests: [{name: x, steps: [{fail: last, with: {amount: 5}}]}]",
    ],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in NAMES for text in GOOD[name]])
def test_known_names_and_new_declarations_are_valid(schemas, name: str, text: str):
    assert faults(schemas[name], text) == []


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in NAMES for text in WRONG[name]])
def test_a_name_that_does_not_exist_is_not_valid(schemas, name: str, text: str):
    assert faults(schemas[name], text) != []


def test_names_come_with_what_they_mean(schemas):
    event = schemas["rules"]["$defs"]["event"]["properties"]
    found = {one["const"]: one["description"] for one in event["category"]["anyOf"]}
    assert found["marketing"].startswith("sent only once the user says yes")
    sample = schemas["templates"]["properties"]["templates"]["properties"]["payment_failed"]
    fields = sample["anyOf"][1]["allOf"][1]["properties"]["samples"]["items"]["properties"]
    assert fields["amount"]["description"] == "number, at least 0"
    assert "decline" in schemas["rules"]["properties"]["events"]["properties"]["payment_failed"]["description"]


def test_a_workspace_with_a_broken_part_keeps_its_names(starter: Live):
    live = Live(starter.folder)
    text = (live.folder / "rules/payments.yaml").read_text("utf-8").replace("weight: 0.70", "weight: much", 1)
    live.write("rules/payments.yaml", text.encode())
    rules = workspace_schemas(live.look())["rules"]
    assert faults(rules, GOOD["rules"][0]) == []


HEAD = "# yaml-language-server: $schema=../s.json\n# $schema: ../s.json\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("events: {}\n", f"{HEAD}events: {{}}\n"),
        ("", HEAD),
        ("# About.\n\nevents: {}\n", f"{HEAD}# About.\n\nevents: {{}}\n"),
        ("# $schema: old.json\n# About.\nevents: {}\n", f"{HEAD}# About.\nevents: {{}}\n"),
        ("# About.\n#yaml-language-server: $schema=old\nevents: {}", f"{HEAD}# About.\nevents: {{}}"),
        ("events: {}\n# $schema: of something else\n", f"{HEAD}events: {{}}\n# $schema: of something else\n"),
        ("\ufeffevents: {}\n", f"\ufeff{HEAD}events: {{}}\n"),
        ("# a\r\nevents: {}\r\n", HEAD.replace("\n", "\r\n") + "# a\r\nevents: {}\r\n"),
    ],
)
def test_modelines_stand_at_the_head_once_and_other_comments_stay(text: str, expected: str):
    assert with_modelines(text, "../s.json") == expected
    assert with_modelines(expected, "../s.json") == expected


def test_the_path_in_a_modeline_is_relative_to_the_file():
    schema = Path("/shop/.botopt/schemas/rules.schema.json")
    assert path_to(schema, Path("/shop/rules/deep/a.yaml")) == "../../.botopt/schemas/rules.schema.json"
