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


_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_MOST_OFFSETS = 4_096
_offsets: dict[tuple[str, int], int | None] = {}


def steady_offset_us(us: int, zone_name: str) -> int | None:
    """What the zone's clock is ahead of UTC, where it is the same all day long (in UTC); None where it is not.

    Remembered: it is asked for again and again about the same days, and `local` takes ten times as long.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    key = (zone_name, us // _DAY_US)
    found = _offsets.get(key, -1)
    if found != -1:
        return found
    begin, end = (local(key[1] * _DAY_US + part, zone_name).utcoffset() for part in (0, _DAY_US - 1))
    found = None if begin is None or begin != end else begin // timedelta(microseconds=1)
    if len(_offsets) >= _MOST_OFFSETS:
        _offsets.clear()
    _offsets[key] = found
    return found


def hour_of(us: int, zone_name: str) -> int:
    """The hour of the day, 0 to 23, on that zone's wall.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    offset_us = steady_offset_us(us, zone_name)
    if offset_us is None:
        return local(us, zone_name).hour
    return (us + offset_us) // _HOUR_US % 24


def local(us: int, zone_name: str) -> datetime:
    """An instant (microseconds since 1970 UTC) as the clock on that zone's wall shows it; aware.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
        OverflowError: the instant lies outside the years 1 to 9999.
    """
    return (_EPOCH + timedelta(microseconds=us)).astimezone(zone(zone_name))
