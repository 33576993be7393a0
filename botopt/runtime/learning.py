"""What the service has learned of all users, with a way back: a group that is not committed has taught nothing."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.learning.keeping import Keeping, learner_of
from botopt.learning.learner import Image, Learned
from botopt.model.policy import Policy


class Learning:
    """The learner at the writer's desk. Where the policy does not learn, nothing happens here."""

    def __init__(self) -> None:
        self._keeping: Keeping | None = None
        self._committed: Image | None = None
        self._marked: Image | None = None

    def serve(self, policy: Policy, meta: Mapping[str, str]) -> None:
        """Learn for this policy from now on; `meta` are the values of the state, of which nothing is missing.

        Raises:
            StateCorrupt: what was learned cannot be read. Nothing has changed.
        """
        learner = learner_of(policy, meta)
        self._keeping = None if learner is None else Keeping(learner)
        self._committed = self.image()

    @property
    def learned(self) -> Learned | None:
        """What decisions read and write."""
        return None if self._keeping is None else self._keeping.learner.learned

    def ripe_us(self, user: str, time_us: int) -> int | None:
        """Until when what is held must be decided, and then `turn` be called, before an event of this time; None: the
        event begins no new period.
        """
        if self._keeping is None:
            return None
        learner = self._keeping.learner
        if learner.low_us <= time_us < learner.next_us or not learner.is_boundary(user, time_us, learner.lines):
            return None
        return learner.ripe_us(time_us)

    def turn(self, time_us: int) -> None:
        """A new period begins."""
        assert self._keeping is not None
        self._keeping.learner.turn(time_us)

    def passed(self) -> None:
        """One more event, or what is none, came by."""
        if self._keeping is not None:
            self._keeping.learner.lines += 1

    def meta(self) -> Mapping[str, str]:
        """What has to be committed."""
        return {} if self._keeping is None else self._keeping.meta()

    def committed(self) -> None:
        """What `meta` gave is in the store."""
        if self._keeping is not None:
            self._keeping.written()
            self._committed = self.image()

    def abandon(self) -> None:
        """Nothing of this group happened."""
        self.back_to(self._committed)

    def mark(self) -> None:
        """From here on, `undo` takes back."""
        self._marked = self.image()

    def undo(self) -> None:
        """As it was when it was marked."""
        self.back_to(self._marked)

    def image(self) -> Image | None:
        """Everything as it is now; None where nothing is learned."""
        return None if self._keeping is None else self._keeping.learner.image()

    def back_to(self, image: Image | None) -> None:
        """As it was then."""
        if self._keeping is not None and image is not None:
            self._keeping.learner.back_to(image)
