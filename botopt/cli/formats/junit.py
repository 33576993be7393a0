"""JUnit XML: what CI servers show as a list of tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

import msgspec

from botopt.cli.console import visible

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Fault(msgspec.Struct, frozen=True):
    """Why a case failed; `is_error`: it could not even be looked at. `text` is the long form of `message`."""

    message: str
    type: str
    text: str
    is_error: bool = False


class Case(msgspec.Struct, frozen=True):
    """One test case; it passed where it has no faults. `said` is what else is worth reading. Line 0: none."""

    name: str
    file: str
    line: int = 0
    faults: tuple[Fault, ...] = ()
    said: str = ""


class Suite(msgspec.Struct, frozen=True):
    """Some cases that belong together."""

    name: str
    cases: tuple[Case, ...]


def junit(suites: Sequence[Suite]) -> str:
    """An XML document. No times: the same results are the same bytes."""
    root = ET.Element("testsuites", {"name": "botopt"} | _counts(case for suite in suites for case in suite.cases))
    for suite in suites:
        about = {"name": _xml(suite.name)} | _counts(suite.cases) | {"skipped": "0"}
        _suite(ET.SubElement(root, "testsuite", about), suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _suite(element: ET.Element, suite: Suite) -> None:
    for case in suite.cases:
        file = _xml(case.file)
        line = {"line": str(case.line)} if case.line > 0 else {}
        one = ET.SubElement(element, "testcase", {"name": _xml(case.name), "classname": file, "file": file} | line)
        for fault in case.faults:
            word = "error" if fault.is_error else "failure"
            ET.SubElement(one, word, {"message": _xml(fault.message), "type": fault.type}).text = _xml(fault.text)
        if case.said:
            ET.SubElement(one, "system-out").text = _xml(case.said)


def _counts(cases: Iterable[Case]) -> dict[str, str]:
    known = tuple(cases)
    errors = sum(any(fault.is_error for fault in case.faults) for case in known)
    failures = sum(bool(case.faults) for case in known) - errors
    return {"tests": str(len(known)), "failures": str(failures), "errors": str(errors)}


def _xml(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(text))
