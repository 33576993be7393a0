"""`botopt fmt`: the spaces change, and nothing else does."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.authoring.formatting import means_the_same, tidied, tidy, workspace_files
from botopt.authoring.formatting_layout import comments
from botopt.verify.starter import minimal_files, starter_files
from tests.loading.making import GOOD_RULES, GOOD_TEMPLATES, load_files, said, write

STARTER = {name: text for name, text in starter_files().items() if name.endswith(".yaml")}

MESSY = """\



# A remark
events:
    paid:   {}
    late:        # why
        description:  "It is
          late"
        fields:
            amount:   { type : number , min: 0 }   # in euros
            currency: {type: text,one_of: [ EUR, USD ]}   # aligned
        rules:
        # about the rule
        -   {id: a,   when: amount > 1, score: +0.1}
        -   id: b
            when:
            - amount > 5
            - amount < 9
            score: -0.1
# about the next section
suppression:
- {id: once, cooldown: 6h,
   events: [late]}\x20
# the end"""
TIDY = """\
# A remark
events:
  paid:   {}
  late:        # why
    description:  "It is
      late"
    fields:
      amount:   {type: number, min: 0}       # in euros
      currency: {type: text, one_of: [EUR, USD]}    # aligned
    rules:
      # about the rule
      - {id: a,   when: amount > 1, score: +0.1}
      - id: b
        when:
          - amount > 5
          - amount < 9
        score: -0.1

# about the next section
suppression:
  - {id: once, cooldown: 6h,
     events: [late]}
# the end
"""


def test_a_messy_file_becomes_tidy():
    assert tidy(MESSY) == TIDY


@pytest.mark.parametrize("name", sorted(STARTER))
def test_the_starter_policy_stays_as_it_is(name):
    assert tidy(STARTER[name]) == STARTER[name]


@pytest.mark.parametrize("text", [*minimal_files().values(), GOOD_TEMPLATES], ids=range(4))
def test_what_botopt_writes_itself_stays_as_it_is(text):
    if not text.startswith("{"):
        assert tidy(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: {b: 1}", "a: {b: 1}\n"),
        ("a: {b: 1}\n\n\n\n", "a: {b: 1}\n"),
        ("a: {b: 1}\r\nc: {d: 2}\r\n", "a: {b: 1}\n\nc: {d: 2}\n"),
        ("\ufeffa: {b: 1}\n", "a: {b: 1}\n"),
        ("a: {b: 1}   \n", "a: {b: 1}\n"),
        ("a: [ 1,2 , 3, ]\n", "a: [1, 2, 3,]\n"),
        ("a: {}  # no\n# one\n# two\nb: {}\n", "a: {}  # no\n\n# one\n# two\nb: {}\n"),
        ("a:\n    b: |\n        x\n          y  \n\n    c: 1\n", "a:\n  b: |\n      x\n        y  \n\n  c: 1\n"),
        ("a:\n    - b\n\n\n    - c\n", "a:\n  - b\n\n  - c\n"),
        ("a:\n-\n    b: 1\n    c: 2\n", "a:\n  -\n    b: 1\n    c: 2\n"),
        ("a:\n      long\n", "a:\n  long\n"),
        ("# only a remark\n\n\n", "# only a remark\n"),
        ("", ""),
        ("\n\n", ""),
        ("a: 'x  #  y'   # z\n", "a: 'x  #  y'   # z\n"),
        ("a: {b: 1} #c\n", "a: {b: 1} #c\n"),
    ],
)
def test_each_rule_alone(before, after):
    assert tidy(before) == after
    assert tidy(after) == after


# ---------------------------------------------------------------- laws

words = st.sampled_from(
    ["a", "b", "paid", "x y", '"a: b"', "'#'", "amount >= 5", "+0.10", "007a", "true", '"ü {{ x }}"', "a#b", "22:00"]
)
keys = st.lists(
    st.sampled_from(["id", "when", "fields", "text", "en", "x1", '"q"', "z-z"]), min_size=1, max_size=3, unique=True
)
remarks = st.sampled_from(["", "", "", " # c", "   #d"])
flows = st.recursive(
    words,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).flatmap(lambda parts: spaced("[", "]", parts)),
        st.tuples(keys, st.lists(inner, min_size=3, max_size=3)).flatmap(
            lambda both: spaced("{", "}", [f"{key}: {value}" for key, value in zip(*both, strict=False)])
        ),
    ),
    max_leaves=5,
)


@st.composite
def spaced(draw, start, end, parts):
    def gap():
        return " " * draw(st.integers(0, 2))

    return start + gap() + f"{gap()},{gap()} ".join(parts) + gap() + end


@st.composite
def blocks(draw, depth=0, column=0):
    """Lines of a map or a list in any indentation, with remarks and blank lines between."""
    lines = []
    for key in draw(keys):
        lines += draw(st.sampled_from([[], [], [""], ["", "", ""], [" " * column + "# r"], ["  # odd"], ["# edge"]]))
        head = f"{' ' * column}{key}{' ' * draw(st.integers(0, 1))}:"
        kind = draw(st.sampled_from(["flow", "flow", "map", "list", "literal", "folded"] if depth < 3 else ["flow"]))
        deeper = column + draw(st.integers(1, 5))
        if kind == "flow":
            lines.append(
                f"{head} {' ' * draw(st.integers(0, 3))}{draw(flows)}{draw(remarks)}{draw(st.sampled_from(['', '  ']))}"
            )
        elif kind == "map":
            lines += [head + draw(remarks), *draw(blocks(depth + 1, deeper))]
        elif kind == "literal":
            chomp = draw(st.sampled_from(["|", "|-", "|+", ">", ">-"]))
            lines += [
                f"{head} {chomp}",
                f"{' ' * deeper}text  ",
                "",
                f"{' ' * deeper}  # no remark",
                *draw(st.sampled_from([[], ["", ""]])),
            ]
        elif kind == "folded":
            lines += [f'{head} "one', f"{' ' * deeper}  two # no remark", f'{" " * deeper}three"{draw(remarks)}']
        else:
            at = draw(st.sampled_from([column, deeper]))
            lines.append(head)
            for _ in range(draw(st.integers(1, 3))):
                inner = at + 1 + draw(st.integers(1, 3))
                item = draw(blocks(depth + 2, inner)) if draw(st.booleans()) else [" " * inner + draw(flows)]
                first = next(
                    number for number, line in enumerate(item) if line.strip() and not line.strip().startswith("#")
                )
                lines += [*item[:first], " " * at + "-" + item[first][at + 1 :], *item[first + 1 :]]
    return lines


@settings(max_examples=400, deadline=None)
@given(blocks(), st.sampled_from(["", "\n", "\n\n"]))
def test_the_tree_and_every_remark_survive_and_a_second_time_changes_nothing(lines, end):
    text = "\n".join(lines) + end
    after = tidy(text)
    assert means_the_same(text, after)
    assert re.findall(r"# ?[a-z ]*[a-z]", text) == re.findall(r"# ?[a-z ]*[a-z]", after)
    assert comments(after) == comments(text)
    assert tidy(after) == after


def scrambled(text: str, seed: int) -> str:
    """The same policy as somebody in a hurry would have typed it: twice the indentation, odd gaps and blank lines."""
    draw = random.Random(seed)
    lines = []
    for one in text.splitlines():
        indent = len(one) - len(one.lstrip(" "))
        line = " " * (indent * 2) + re.sub("^- ", "-   ", one[indent:]) if seed % 2 else one
        if draw.random() < 0.2:
            line = re.sub(r"^([^'\"#]*?)\{(?=[a-z])", r"\1{ ", line)
        if draw.random() < 0.1:
            lines.append("")
        lines.append(line + " " * draw.choice([0, 0, 2]))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_the_revision_of_a_scrambled_policy_is_the_same_before_and_after(seed):
    messy = {name: scrambled(text, seed) for name, text in STARTER.items()}
    neat = {name: tidy(text) for name, text in messy.items()}
    before, after = load_files(messy), load_files(neat)
    assert before.policy is not None, said(before)
    assert after.policy is not None, said(after)
    assert before.policy.revision == after.policy.revision
    for name, text in neat.items():
        assert tidy(text) == text, name
        if "|\n" not in text:  # spaces of a text over several lines are its own
            assert not re.search(r"[ \t]$", text, re.MULTILINE), name
        assert not re.search(r"\{ ", re.sub(r"\{\{.*?\}\}|#.*", "", text)), name
        indents = {len(line) - len(line.lstrip(" ")) for line in text.splitlines() if line.strip()}
        assert all(indent % 2 == 0 for indent in indents), name


# ---------------------------------------------------------------- files


def test_a_file_with_mistakes_is_left_alone_with_its_findings(tmp_path):
    write(tmp_path, {"rules/a.yaml": "events:\n\tpaid: {}\n"})
    result = tidied(tmp_path / "rules/a.yaml", "rules/a.yaml")
    assert not result.changed
    assert result.findings[0].code == "B007"
    assert result.findings[0].source == "\tpaid: {}"


def test_what_policies_do_not_use_is_left_alone():
    for text in ("a:   &x 1\nb: *x\n", "---\na:    {  }\n---\nb: 1\n", "? a\n:    b\n"):
        assert tidy(text) == text


def test_rule_tests_are_tidied_too(tmp_path):
    write(tmp_path, {"rules/a.yaml": "", "rules/x/b.test.yaml": "", "templates/t.yml": "", "rules/n.txt": ""})
    assert [name for _, name in workspace_files(tmp_path)] == ["rules/a.yaml", "rules/x/b.test.yaml", "templates/t.yml"]


def test_a_policy_of_all_features_keeps_its_revision():
    before, after = (
        load_files({"rules/a.yaml": change(GOOD_RULES), "templates/t.yaml": change(GOOD_TEMPLATES)})
        for change in (str, tidy)
    )
    assert before.policy is not None
    assert after.policy is not None
    assert before.policy.revision == after.policy.revision


def test_what_would_change_the_tree_or_lose_a_remark_is_not_written(monkeypatch):
    text = "a:   {b: 1}   # c\n"
    for wrong in (
        "a: {b: 2}   # c\n",
        "a: {b: 1}\n",
        'a: {b: "1"}   # c\n',
        "a: {b: 1, c: 1}   # c\n",
        "a: [b]   # c\n",
    ):
        monkeypatch.setattr("botopt.authoring.formatting.laid_out", lambda *_, wrong=wrong: wrong)
        assert tidy(text) == text
