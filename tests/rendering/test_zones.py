"""Time zones come from the tzdata package and nowhere else."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.model.instants import instant_us
from botopt.model.zones import is_zone, local, zone, zone_names


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "Etc/GMT-14"]
)
def test_iana_names(name: str) -> None:
    assert is_zone(name)
    assert zone(name).key == name


@pytest.mark.parametrize(
    "name",
    ["", "Factory", "localtime", "posixrules", "europe/berlin", "Europe", "Europe/", "/etc/localtime", "../zones",
     "Europe/../UTC", "Europe/Berlin\0", "EST5EDT4", "zone.tab", "tzdata.zi", "__init__.py", " UTC", "+02:00"],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert not is_zone(name)
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        zone(name)


def test_every_listed_zone_can_be_read() -> None:
    assert len(zone_names()) > 590
    for name in zone_names():
        assert zone(name).utcoffset(datetime(2026, 1, 1)) is not None  # noqa: DTZ001 - a wall clock


def test_the_system_s_database_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the system")

    zone.cache_clear()
    monkeypatch.setattr(zoneinfo, "TZPATH", ("/nonexistent",))
    monkeypatch.setattr("zoneinfo._common.load_tzdata", refuse)
    assert local(0, "Asia/Kolkata").isoformat() == "1970-01-01T05:30:00+05:30"


@pytest.mark.parametrize(
    ("instant", "zone_name", "expected"),
    [
        ("2026-03-29T00:59:59Z", "Europe/Berlin", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T00:59:59Z", "Europe/Berlin", "2026-10-25T02:59:59+02:00"),
        ("2026-10-25T01:00:00Z", "Europe/Berlin", "2026-10-25T02:00:00+01:00"),
        ("2026-01-01T00:00:00Z", "Pacific/Apia", "2026-01-01T13:00:00+13:00"),
        ("2100-07-01T12:00:00Z", "America/New_York", "2100-07-01T08:00:00-04:00"),
    ],
)
def test_the_clock_on_the_wall(instant: str, zone_name: str, expected: str) -> None:
    assert local(instant_us(instant), zone_name).isoformat() == expected


@given(
    st.integers(-62_135_000_000_000_000, 253_402_000_000_000_000),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/Lima"]),
)
def test_an_instant_survives(us: int, zone_name: str) -> None:
    moment = local(us, zone_name)
    assert (moment - local(0, "UTC")) // timedelta(microseconds=1) == us


def test_an_instant_outside_the_calendar() -> None:
    with pytest.raises(OverflowError):
        local(10**18, "UTC")
