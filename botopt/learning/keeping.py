"""What was learned of all users, among the values that a state has about itself.

`learned` is what was known at the last boundary, and is written only when there was one since; `lessons`, what came
after it, is small and is written with every commit. No user's id is in either.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.learning.learner import Kept, Learner, Since
from botopt.learning.settling import Settler
from botopt.model.errors import StateCorrupt
from botopt.model.policy import Policy

LEARNED_KEY = "learned"
LESSONS_KEY = "lessons"


def learner_of(policy: Policy, meta: Mapping[str, str]) -> Learner | None:
    """A learner that goes on where the state is; for a policy that does not learn, one that settles what others sent.

    Returns:
        None where the policy does not learn, and nothing was learned or can be read, which is left as it is.

    Raises:
        StateCorrupt: it cannot be read, and the policy learns.
    """
    if not policy.learns:
        try:
            found = read(meta)
        except StateCorrupt:
            return None
        return None if found is None else Settler(policy, *found)
    learner = Learner(policy)
    found = read(meta)
    if found is not None:
        learner.restore(*found)
    return learner


def read(meta: Mapping[str, str]) -> tuple[Kept, Since] | None:
    """What was learned; None where nothing was: neither value is there.

    Raises:
        StateCorrupt: it cannot be read, or one of the two values is missing.
    """
    kept, since = meta.get(LEARNED_KEY), meta.get(LESSONS_KEY)
    if kept is None and since is None:
        return None
    if not kept or not since:
        there, missing = (LESSONS_KEY, LEARNED_KEY) if not kept else (LEARNED_KEY, LESSONS_KEY)
        raise StateCorrupt(
            f"what was learned of all users is not complete in the state: the row {missing} of its table meta is "
            f"missing or empty. Restore a backup, or begin to learn anew by removing the row {there}, too"
        )
    try:
        return msgspec.json.decode(kept, type=Kept), msgspec.json.decode(since, type=Since)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise StateCorrupt(
            f"what was learned of all users cannot be read from the state ({fault}): restore a backup, or begin to "
            f"learn anew by removing the rows {LEARNED_KEY} and {LESSONS_KEY} of its table meta"
        ) from fault


class Keeping:
    """The values to commit, so that the state says what the learner knows."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self._known: dict[str, str] = {}  # what is in the state, as far as it was written from here
        self._given: dict[str, str] = {}
        self._turns = -1
        self._turns_given = -1

    def meta(self, since: Since | None = None) -> dict[str, str]:
        """What has changed since `written` was called.

        `since`: another place than the learner's own, which has read ahead; the lessons are the learner's all the same.
        """
        learner = self.learner
        now = learner.since()
        if since is not None:
            now = msgspec.structs.replace(since, lessons=now.lessons)
        found = {LESSONS_KEY: _text(now)}
        if learner.turns != self._turns:
            found[LEARNED_KEY] = _text(learner.keep())
        self._turns_given = learner.turns
        self._given = {key: text for key, text in found.items() if self._known.get(key) != text}
        return self._given

    def written(self) -> None:
        """What `meta` gave last is in the state, or nobody will ask any more."""
        self._turns = self._turns_given
        self._known.update(self._given)


def _text(value: Kept | Since) -> str:
    return msgspec.json.encode(value).decode()
