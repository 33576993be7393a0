"""What was decided and what became of it: decision records paired with the feedback of users."""

from botopt.verify.log.model import Log, Logged, Problem
from botopt.verify.log.reading import read_log

__all__ = ["Log", "Logged", "Problem", "read_log"]
