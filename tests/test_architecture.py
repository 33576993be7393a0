"""What docs/architecture.md promises and import-linter cannot say. The layers themselves stand in pyproject.toml."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "botopt"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 400

CLOCKS = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.time",
    "time.time_ns",
}
# Modules that reach a clock, a disk, a socket or chance; the engine gets what they give as arguments.
EFFECTS = {
    "asyncio",
    "glob",
    "http",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "time",
    "urllib",
}
EFFECT_CALLS = CLOCKS | {"input", "open", "print", "uuid.uuid1", "uuid.uuid4"}


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Every import as line, full dotted name, and the name that it binds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield node.lineno, alias.name, alias.asname
                else:
                    root = alias.name.partition(".")[0]
                    yield node.lineno, root, root
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}", alias.asname or alias.name


def dotted(node: ast.expr, bound: dict[str, str]) -> str:
    """The full name that an expression like `dt.datetime.now` stands for, or nothing if it is no plain name."""
    if isinstance(node, ast.Name):
        return bound.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value, bound)):
        return f"{owner}.{node.attr}"
    return ""


def uses(source: str, names: set[str]) -> list[tuple[int, str]]:
    """Where a source uses one of these full names: called, or handed on as a function."""
    tree = ast.parse(source)
    bound = {name: full for _, full, name in imports(tree)}
    found = {
        (node.lineno, full)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and (full := dotted(node, bound)) in names
    }
    return sorted(found)


def imported_roots(source: str) -> list[tuple[int, str]]:
    """Line and top-level name of every import."""
    return sorted((line, full.partition(".")[0]) for line, full, _ in imports(ast.parse(source)))


def place(path: Path, line: int) -> str:
    """`botopt/engine/pipeline.py:12`, as editors open it."""
    return f"{path.relative_to(PACKAGE.parent).as_posix()}:{line}"


def fail_with(findings: list[str], rule: str) -> None:
    """Fail with the rule first and every place that breaks it."""
    if findings:
        pytest.fail("\n".join([rule, *(f"  {finding}" for finding in findings)]), pytrace=False)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nat = datetime.now()",
        "import datetime\nat = datetime.datetime.now(datetime.UTC)",
        "import datetime as dt\nat = dt.date.today()",
        "import time\nat = time.time_ns()",
        "from time import time as clock\nat = clock()",
        "import time\nread_clock = time.time",
    ],
)
def test_a_clock_is_seen_whatever_it_is_called(source: str) -> None:
    assert [line for line, _ in uses(source, CLOCKS)] == [2]


def test_a_field_called_time_is_no_clock() -> None:
    assert uses("def hour(event):\n    return event.time.time(), event.now()", CLOCKS) == []


def test_the_clock_is_read_in_one_file_only() -> None:
    found = {path: uses(path.read_text(encoding="utf-8"), CLOCKS) for path in MODULES}
    clocks = {path: lines for path, lines in found.items() if lines}
    if len(clocks) > 1:
        fail_with(
            [f"{place(path, line)} {name}" for path, lines in clocks.items() for line, name in lines],
            "Times come in as arguments; one file reads the clock. These do:",
        )


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    fail_with(
        [f"{place(path, 1)} has {length} lines" for path, length in lengths.items() if length > LONGEST_FILE],
        f"A file of botopt has at most {LONGEST_FILE} lines; split these by what they are about:",
    )


def test_the_model_needs_nothing_but_the_standard_library_and_msgspec() -> None:
    allowed = sys.stdlib_module_names | {"msgspec", "botopt"}
    fail_with(
        [
            f"{place(path, line)} imports {root}"
            for path in MODULES
            if path.is_relative_to(PACKAGE / "model")
            for line, root in imported_roots(path.read_text(encoding="utf-8"))
            if root not in allowed
        ],
        "botopt.model imports only the standard library and msgspec:",
    )


def test_the_engine_touches_no_clock_disk_socket_or_chance() -> None:
    findings = []
    for path in MODULES:
        if not path.is_relative_to(PACKAGE / "engine"):
            continue
        source = path.read_text(encoding="utf-8")
        findings += [f"{place(path, line)} imports {root}" for line, root in imported_roots(source) if root in EFFECTS]
        findings += [f"{place(path, line)} uses {name}" for line, name in uses(source, EFFECT_CALLS)]
    fail_with(findings, "botopt.engine is pure: what it needs comes in as an argument:")
