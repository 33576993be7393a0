"""Templates: every mistake is answered at its own word."""

from __future__ import annotations

import pytest

from botopt.model.policy import Choose
from tests.loading.making import check_marked, load, said

RULES = """\
channels: {chat: {type: console}}
settings: {locale: de}
events:
  a:
    fields:
      n: {type: integer, min: 1}
      x: {type: text, optional: true}
      at: {type: time, optional: true}
      only_a: {type: integer, default: 1}
    weight: 1
    message: m
    rules: [{id: r, when: n > 5, message: m2}]
  b: {weight: 1, message: m2, fields: {n: {type: integer, max: 9}}}
"""

# (the template m, code, part of the message, part of the hint)
CASES = [
    ("⟦5⟧", "B104", 'the template "m" must be a text, not 5', '"5"'),
    ('⟦""⟧', "B111", "is empty", "type the words"),
    ("⟦[a]⟧", "B104", "not a list", ""),
    ("{⟦text⟧: hello}", "B101", "", "text stands below a variant"),
    ("{⟦de⟧: hallo}", "B101", "", "text: {en: …, de: …}"),
    ("{⟦varients⟧: {a: {text: x}}}", "B101", "", '"variants"'),
    ("{variants: {a: {text: x}}, choose: ⟦weigthed⟧}", "B105", "first, weighted or learn", '"weighted"'),
    ("{variants: ⟦[x]⟧}", "B104", "a map of names and variants, not a list", "{short: {text: …}"),
    ("{variants: ⟦{}⟧}", "B111", "variants is empty", ""),
    ("{variants: {a: ⟦hello⟧}}", "B104", "a must be a map", "a: {text: …}"),
    ("{variants: {⟦A⟧: {text: x}}}", "B107", "the name of a variant", "type a"),
    ("{variants: {⟦a⟧: {title: x}}}", "B103", 'the variant "a" has no text', ""),
    ("{variants: {a: {⟦txt⟧: x}}}", "B101", "", '"text"'),
    ("{variants: {a: {text: ⟦5⟧}}}", "B104", "a text, not 5", '"5"'),
    ("{variants: {a: {text: ⟦{}⟧}}}", "B111", "text is empty", ""),
    ("{variants: {a: {text: {de: ⟦[x]⟧}}}}", "B104", "text in de must be a text, not a list", ""),
    ('{variants: {a: {text: {de: x, en: ⟦" "⟧}}}}', "B111", "text in en is empty", ""),
    ("{variants: {a: {text: x, title: ⟦true⟧}}}", "B104", "title must be a text, not true", '"true"'),
    ("{variants: {a: {text: x, buttons: ⟦OK⟧}}}", "B104", "buttons must be a list", ""),
    ("{variants: {a: {text: x, buttons: [⟦OK⟧]}}}", "B104", "each entry of buttons must be a map", "label"),
    ("{variants: {a: {text: x, buttons: [{⟦link⟧: y}]}}}", "B103", "button 1 has no label", ""),
    ("{variants: {a: {text: x, buttons: [{label: y, ⟦url⟧: z}]}}}", "B101", "", "type link:"),
    ("{variants: {a: {text: x, ⟦weight⟧: 2}}}", "B113", "does not go with choose: first", "choose: weighted"),
    ("{variants: {a: {text: x, weight: ⟦0⟧}}, choose: weighted}", "B106", "above 0", ""),
    ("{variants: {⟦a⟧: {text: x, when: n > 1}}}", "B119", "every variant", "take the when away"),
    ("{variants: {⟦a⟧: {text: x}, b: {text: y}}}", "B119", '"b" is never chosen: "a" stands before', "weighted"),
    (
        "{variants: {a: {text: x, when: n > 1}, ⟦b⟧: {text: y}, c: {text: z, when: n > 2}, d: {text: z}}}",
        "B119",
        '"c" and "d" are never chosen',
        "",
    ),
    ("{variants: {⟦a⟧: {text: x, when: n > 1}}, choose: weighted}", "B119", "every variant", ""),
    ("{variants: {a: {text: x, when: ⟦m⟧ > 1}, b: {text: y}}}", "B203", '"m"', ""),
    ("{variants: {a: {text: x, when: n > 1, ⟦unless⟧: n > 2}, b: {text: y}}}", "B101", "", "when: not"),
    ("{variants: {a: {text: x}}, samples: ⟦{n: 1}⟧}", "B104", "samples must be a list", ""),
    ("{variants: {a: {text: x}}, samples: [⟦5⟧]}", "B104", "each entry of samples must be a map", ""),
    ("{variants: {a: {text: x}}, samples: [{⟦nn⟧: 1}]}", "B102", '"a" has no field "nn"', '"n"'),
    ("{variants: {a: {text: x}}, samples: [{n: ⟦0⟧}]}", "B112", "n must be at least 1, not 0", ""),
    ('{variants: {a: {text: x}}, samples: [{n: ⟦"1"⟧}]}', "B112", 'n must be a whole number, not "1"', ""),
    ("{variants: {a: {text: x}}, samples: [{n: 1, x: ⟦5⟧}]}", "B112", "x must be text, not 5", 'x: "5"'),
    ("{variants: {a: {text: x}}, samples: [{n: 1, at: ⟦2026-01-01⟧}]}", "B112", "at must be a time", ""),
    ("{variants: {a: {text: x}}, description: ⟦[]⟧}", "B104", "description must be a text", ""),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), CASES)
def test_a_mistake_in_a_template(text: str, code: str, message: str, hint: str):
    check_marked(RULES, code, message, hint, f"templates:\n  m2: Hello\n  m: {text}\n")


SHARED = [
    ("when: ⟦only_a⟧ > 1", "B304", '"b" can send this template, too, and has no field only_a', "only_a is defined and"),
    ("when: [n > 1, {any: [⟦only_a⟧ > 1]}]", "B304", "no field only_a", ""),
    ("when: \"'only_a' == x or n > 1 and ⟦only_a⟧ > 1\"", "B304", "no field only_a", ""),
]


@pytest.mark.parametrize(("when", "code", "message", "hint"), SHARED)
def test_a_condition_asks_only_what_every_event_type_of_the_template_has(when: str, code: str, message: str, hint: str):
    rules = RULES.replace("fields: {n", "fields: {x: {type: text}, n")
    variants = f"      v:\n        {when}\n        text: x\n      w: {{text: y}}\n"
    templates = f"templates:\n  m: Hello\n  m2:\n    variants:\n{variants}"
    check_marked(rules, code, message, hint, templates)


def test_a_condition_may_ask_whether_the_event_type_has_the_field():
    variants = "{v: {when: only_a is defined and only_a > 1, text: x}, w: {text: y}}"
    loaded = load(RULES, f"templates: {{m: Hello, m2: {{variants: {variants}}}}}\n")
    assert loaded.diagnostics == (), said(loaded)


def test_a_sample_must_obey_every_event_type_that_has_its_field():
    check_marked(
        RULES,
        "B112",
        'n in "b" must be at most 9, not 10',
        templates="templates: {m: Hello, m2: {variants: {v: {text: x}}, samples: [{n: ⟦10⟧}]}}\n",
    )


def test_a_field_of_two_types_cannot_be_asked():
    rules = RULES.replace("n: {type: integer, max: 9}", "n: {type: text}")
    loaded = load(rules, "templates: {m: Hello, m2: {variants: {v: {when: n > 1, text: x}, w: {text: y}}}}\n")
    assert [found.code for found in loaded.diagnostics] == ["B203"], said(loaded)
    assert 'n is integer in "a" and text in "b"' in loaded.diagnostics[0].message


def test_a_template_that_nothing_sends_is_a_warning_and_its_conditions_are_let_be():
    loaded = load(
        RULES,
        "templates:\n  m: Hello\n  m2: Hello\n"
        "  m3: {variants: {v: {when: who_knows > 1 and n == 'x', text: x}, w: {text: y}}, samples: [{q: 1}]}\n",
    )
    assert [(found.code, found.position.line) for found in loaded.diagnostics] == [("B123", 4)], said(loaded)
    assert loaded.policy is not None
    assert loaded.policy.templates["m3"].samples == ({"q": 1},)


def test_what_cannot_be_read_in_a_template_that_nothing_sends_is_still_an_error():
    loaded = load(RULES, "templates: {m: Hi, m2: Hi, m3: {variants: {v: {when: n >, text: x}, w: {text: y}}}}\n")
    assert {found.code for found in loaded.diagnostics} == {"B123", "B201"}, said(loaded)


def test_the_short_form_is_one_text_in_the_locale_of_the_workspace():
    loaded = load(RULES, 'templates:\n  m2: Hello\n  m: "Hallo {{ n }}"\n')
    assert loaded.policy is not None, said(loaded)
    template = loaded.policy.templates["m"]
    (variant,) = template.variants
    assert {tag: text.source for tag, text in variant.text.items()} == {"de": "Hallo {{ n }}"}
    place = variant.text["de"].where.span(9, 10)
    assert (place.file, place.line, place.column) == ("templates/t.yaml", 3, 16)


def test_the_long_form_is_read_with_everything_it_says():
    loaded = load(
        RULES,
        """\
templates:
  m2: Hello
  m:
    description: d
    choose: weighted
    variants:
      one:
        when: n > 1
        weight: 2
        title: T
        text: {de: D, en: E}
        buttons:
          - label: L
            link: https://x.example/
          - {label: {de: L1, en: L2}, link: {de: a, en: b}}
      two: {text: Hallo}
    samples: [{n: 3.0, at: "1970-01-01T00:00:01Z", x: null}]
""",
    )
    assert loaded.policy is not None, said(loaded)
    template = loaded.policy.templates["m"]
    assert (template.description, template.choose) == ("d", Choose.WEIGHTED)
    assert template.samples == ({"n": 3, "at": 1_000_000},)
    one, two = template.variants
    assert (one.name, one.weight, two.name, two.weight) == ("one", 2.0, "two", 1.0)
    assert one.when is not None
    assert two.when is None
    assert {tag: text.source for tag, text in one.text.items()} == {"de": "D", "en": "E"}
    assert {tag: text.source for tag, text in one.title.items()} == {"de": "T", "en": "T"}
    assert {tag: text.source for tag, text in two.text.items()} == {"de": "Hallo"}
    assert [
        ({t: text.source for t, text in button.label.items()}, {t: text.source for t, text in button.link.items()})
        for button in one.buttons
    ] == [
        ({"de": "L", "en": "L"}, {"de": "https://x.example/", "en": "https://x.example/"}),
        ({"de": "L1", "en": "L2"}, {"de": "a", "en": "b"}),
    ]
