"""What a change of the policy would have done: two complete replays side by side."""

from botopt.verify.diff.comparing import Task, compare
from botopt.verify.diff.edits import Edit, edits
from botopt.verify.diff.kinds import SEEN, Kind
from botopt.verify.diff.report import Change, Consequence, Difference, Link, Load

__all__ = ["SEEN", "Change", "Consequence", "Difference", "Edit", "Kind", "Link", "Load", "Task", "compare", "edits"]
