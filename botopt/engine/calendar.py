"""Days, weeks and quiet hours on the user's wall clock, daylight saving included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from botopt.model.policy import Calendar, QuietHours
from botopt.model.zones import local, zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _instant(day: date, minute: int, tz: ZoneInfo, fold: int = 0) -> int:
    """The instant at which the wall shows this minute (24:00 is the next day's 00:00).

    A time that a gap skips is the instant at which the gap ends; of a time that comes twice, `fold` says which.
    """
    if minute >= 1440:
        day, minute = day + timedelta(days=1), minute - 1440
    wall = datetime.combine(day, time(minute // 60, minute % 60, fold=fold), tz)
    there = wall.astimezone(UTC)
    if there.astimezone(tz).replace(tzinfo=None, fold=0) != wall.replace(tzinfo=None, fold=0):  # in a gap
        return _transition(_micros(there) - 86_400_000_000, _micros(there) + 86_400_000_000, tz)
    return _micros(there)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _offset(us: int, tz: ZoneInfo) -> timedelta:
    offset = (_EPOCH + timedelta(microseconds=us)).astimezone(tz).utcoffset()
    assert offset is not None
    return offset


def _transition(low_us: int, high_us: int, tz: ZoneInfo) -> int:
    """The first instant after `low_us` at which the zone's offset is that of `high_us`."""
    target = _offset(high_us, tz)
    while high_us - low_us > 1:
        middle = (low_us + high_us) // 2
        if _offset(middle, tz) == target:
            high_us = middle
        else:
            low_us = middle
    return high_us


def window_of(calendar: Calendar, now_us: int, zone_name: str) -> tuple[int, int]:
    """The present day or week in the user's calendar: its first instant, and that of the next one."""
    today = local(now_us, zone_name).date()
    days = 1
    if calendar is Calendar.WEEK:
        today -= timedelta(days=today.weekday())
        days = 7
    tz = zone(zone_name)
    return _instant(today, 0, tz), _instant(today + timedelta(days=days), 0, tz)


def is_quiet(hours: QuietHours, wall: datetime) -> bool:
    """Whether the wall clock shows a quiet time."""
    return is_quiet_at(hours, (wall.weekday() * 24 + wall.hour) * 60 + wall.minute)


def is_quiet_at(hours: QuietHours, minute_of_week: int) -> bool:
    """Whether this minute since Monday 00:00 is in `[start, end)`; `days` name the day on which the hours begin."""
    weekday, minute = divmod(minute_of_week, 1440)
    if hours.start < hours.end:
        return hours.start <= minute < hours.end and (not hours.days or weekday in hours.days)
    if minute >= hours.start:
        return not hours.days or weekday in hours.days
    return minute < hours.end and (not hours.days or (weekday - 1) % 7 in hours.days)


def quiet_until(hours: QuietHours, now_us: int, zone_name: str) -> int | None:
    """The first later instant that is not quiet; None when it is not quiet now, or always."""
    wall = local(now_us, zone_name)
    if not is_quiet(hours, wall):
        return None
    tz = zone(zone_name)
    at_us = now_us
    for _ in range(9):  # hours of two days may touch each other; after a week they repeat
        at_us = _next_change(hours, at_us, tz)
        if not is_quiet(hours, local(at_us, zone_name)):
            return at_us
    return None


def _next_change(hours: QuietHours, at_us: int, tz: ZoneInfo) -> int:
    """The next instant at which quiet may end: the wall shows `end`, or the clock is changed."""
    today = (_EPOCH + timedelta(microseconds=at_us)).astimezone(tz).date()
    ends = (_instant(today + timedelta(days=days), hours.end, tz, fold) for days in (-1, 0, 1, 2) for fold in (0, 1))
    end_us = min(end for end in ends if end > at_us)
    if _offset(at_us, tz) == _offset(end_us, tz):
        return end_us
    return min(end_us, _transition(at_us, end_us, tz))
