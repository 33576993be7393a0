"""Every diagnostic code has a bad and a good workspace and a page that explains it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from botopt.model.codes import CODES
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.verify.validate import validate
from tests.loading.making import split, write

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "codes"
PAGES = ROOT / "docs" / "codes"
OURS = frozenset({"B501"})
"""Faults of botopt itself, which no workspace can bring about."""


def findings(code: str, kind: str, folder: Path) -> tuple[Diagnostic, ...]:
    """All findings about a fixture. One about YAML itself stays one file, byte for byte."""
    fixture = FIXTURES / f"{code}.{kind}.yaml"
    (folder / "rules").mkdir()
    if code.startswith("B0"):
        is_template = fixture.exists() and fixture.read_bytes().startswith(b"templates:")
        place = folder / ("templates" if is_template else "rules") / "x.yaml"
        place.parent.mkdir(exist_ok=True)
        shutil.copy(fixture, place, follow_symlinks=False)
    else:
        write(folder, split(fixture.read_text("utf-8")))
    return validate(folder).diagnostics


def errors(found: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{one.position} {one.code} {one.message}" for one in found if one.severity is Severity.ERROR]


def test_codes_are_sorted_and_each_stands_once():
    assert list(CODES) == sorted(CODES)


@pytest.mark.parametrize("code", sorted(set(CODES) - OURS))
def test_the_bad_fixture_has_its_mistake_and_no_other(code: str, tmp_path: Path):
    found = findings(code, "bad", tmp_path)
    assert code in {one.code for one in found}
    assert {one.code for one in found if one.severity is Severity.ERROR} <= {code}, errors(found)


@pytest.mark.parametrize("code", sorted(set(CODES) - OURS))
def test_the_good_fixture_has_no_error(code: str, tmp_path: Path):
    found = findings(code, "good", tmp_path)
    assert errors(found) == []
    assert code not in {one.code for one in found}


@pytest.mark.parametrize("code", CODES)
def test_a_page_explains_the_code_under_its_title(code: str):
    page = (PAGES / f"{code}.md").read_text("utf-8")
    assert page.startswith(f"# {code}: {CODES[code].title}\n")
    assert page.count("\n") <= 40


def test_no_page_or_fixture_is_left_over():
    named = {path.name.split(".")[0] for folder in (FIXTURES, PAGES) for path in folder.iterdir()}
    assert named - {"index"} <= set(CODES)
