"""Conditions: from an author's words to a typed condition, or to findings at the wrong word."""

from botopt.loading.expression.reading import read_condition

__all__ = ["read_condition"]
