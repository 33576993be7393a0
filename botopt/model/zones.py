"""Time zones, always from the PyPI package `tzdata`: the same answer on every machine.

The system's own database is never read, so a decision does not depend on what a server has installed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACEHOLDERS = frozenset({"Factory", "localtime", "posixrules"})


@cache
def zone_names() -> frozenset[str]:
    """Every IANA time zone, old names such as `Asia/Calcutta` included."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - _PLACEHOLDERS


def is_zone(name: str) -> bool:
    """Whether this is an IANA name as it is written there: `Europe/Berlin`, `UTC`, but not `europe/berlin`."""
    return name in zone_names()


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is none (a `KeyError`).
    """
    if not is_zone(name):  # before any file is touched: a name is data of a user's event
        raise ZoneInfoNotFoundError(f"no time zone is called {name!r}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def local(us: int, zone_name: str) -> datetime:
    """An instant (microseconds since 1970 UTC) as the clock on that zone's wall shows it; aware.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
        OverflowError: the instant lies outside the years 1 to 9999.
    """
    return (_EPOCH + timedelta(microseconds=us)).astimezone(zone(zone_name))
