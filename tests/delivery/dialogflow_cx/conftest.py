"""Channels that a test makes are closed after it."""

from tests.delivery.platforms import close_channels

__all__ = ["close_channels"]
