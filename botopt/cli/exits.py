"""Exit codes: one table, shown in `botopt --help` and in the reference."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    POLICY = 3
    TESTS = 4
    COVERAGE = 5
    CHANGED = 6
    REJECTED = 7
    STATE = 8
    FILES = 9
    REFUSED = 10
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "all went well",
    Exit.INTERNAL: "a fault in botopt itself; please report it",
    Exit.USAGE: "the command was called in a way that makes no sense",
    Exit.POLICY: "the policy has errors",
    Exit.TESTS: "a rule test failed",
    Exit.COVERAGE: "the rule tests reach less than --min asks for",
    Exit.CHANGED: "something changed, or would change, beyond what was allowed",
    Exit.REJECTED: "some input was rejected, and --strict was given",
    Exit.STATE: "the state was refused: in use, written by a newer botopt, or damaged",
    Exit.FILES: "a file could not be read or written",
    Exit.REFUSED: "the data bear no answer, or no proposal; it says why",
    Exit.INTERRUPTED: "interrupted with Ctrl-C; what was decided until then is kept",
}
