"""Which tests are run."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from botopt.model.errors import UsageError
from botopt.model.names import did_you_mean
from botopt.verify.ruletest.model import RuleTest


def named_like(tests: Sequence[RuleTest], wanted: str | None) -> Sequence[RuleTest]:
    """Those whose name holds these words; where they have a `*` or a `?`, whose whole name fits. Case is ignored.

    Raises:
        UsageError: there is none.
    """
    if wanted is None:
        return tests
    words = wanted.casefold()
    pattern = words if {"*", "?"} & set(words) else f"*{words.replace('[', '[[]')}*"
    found = [test for test in tests if fnmatchcase(test.name.casefold(), pattern)]
    if not found:
        hint = did_you_mean(wanted, [test.name for test in tests])
        raise UsageError(f'no test is called like "{wanted}"{"; " if hint else ""}{hint}')
    return found
