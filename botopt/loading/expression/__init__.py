"""Conditions: from an author's words to a typed condition, or to findings at the wrong word."""

from botopt.loading.expression.reading import asked_beside, read_condition

__all__ = ["asked_beside", "read_condition"]
