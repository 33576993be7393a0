"""Charts. What is told apart is told apart by place, shape and words; colour comes on top, and is never alone.

The two colours are the blue and the vermilion of Okabe and Ito (2008), which people see apart whatever their eyes;
each has a contrast of at least 3 to both backgrounds.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

Drawn = Any  # altair's own types change with every call
BLUE, VERMILION, GREY = "#2a7fb8", "#d55e00", "#808495"
_PERCENT = ".0%"
_ROW = 26
_HOURS = [f"{hour:02}" for hour in range(24)]
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def bars(rows: pd.DataFrame, value: str, label: str, title: str, *, sort: list[str] | None = None) -> Drawn:
    """One bar for each label, lying, with its number at its end."""
    most = max(1.0, float(rows[value].max()) * 1.25) if len(rows) else 1.0  # room for the number
    base = alt.Chart(rows).encode(
        y=alt.Y(f"{label}:N", sort=sort, title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X(f"{value}:Q", title=title, scale=alt.Scale(domain=[0, most], nice=False)),
    )
    text = base.mark_text(align="left", dx=4, color=GREY).encode(text=alt.Text(f"{value}:Q", format=","))
    return (base.mark_bar(color=BLUE) + text).properties(height=alt.Step(_ROW))


def columns(rows: pd.DataFrame, value: str, label: str, title: str, label_title: str) -> Drawn:
    """One column for each label, in their order."""
    return (
        alt.Chart(rows)
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(f"{label}:N", sort=None, title=label_title, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(f"{value}:Q", title=title),
            tooltip=[f"{label}:N", f"{value}:Q"],
        )
        .properties(height=240)
    )


def rates(rows: pd.DataFrame, label: str, sort: list[str] | None = None) -> Drawn:
    """The click rate of each label as a point, with the interval in which it lies."""
    known = rows[rows["rate"].notna()]
    base = alt.Chart(known).encode(
        y=alt.Y(f"{label}:N", sort=sort or list(known[label]), title=None, axis=alt.Axis(labelLimit=260))
    )
    scale = alt.X("low:Q", title="Click rate, with its 95 % interval", axis=alt.Axis(format=_PERCENT))
    tips = [f"{label}:N", alt.Tooltip("rate:Q", format=".1%"), "clicks:Q", "answered:Q"]
    line = base.mark_rule(strokeWidth=2, color=BLUE).encode(x=scale, x2="high:Q", tooltip=tips)
    point = base.mark_point(filled=True, size=70, shape="diamond", color=VERMILION).encode(x="rate:Q", tooltip=tips)
    return (line + point).properties(height=alt.Step(_ROW))


def over_days(rows: pd.DataFrame, value: str, title: str, marks: pd.DataFrame, *, share: bool = False) -> Drawn:
    """A line over days, with a dashed line and a number where a revision of the policy began."""
    axis = alt.Axis(format=_PERCENT) if share else alt.Axis()
    base = alt.Chart(rows).encode(x=_days())
    layers: list[alt.Chart] = []
    if share and "low" in rows:
        layers.append(base.mark_area(opacity=0.25, color=BLUE).encode(y=alt.Y("low:Q", title=title), y2="high:Q"))
    tips = ["day:T", alt.Tooltip(f"{value}:Q", format=".1%" if share else ",")]
    layers.append(
        base.mark_line(point=alt.OverlayMarkDef(size=30, color=BLUE), color=BLUE).encode(
            y=alt.Y(f"{value}:Q", title=title, axis=axis), tooltip=tips
        )
    )
    return alt.layer(*layers, *markers(marks)).properties(height=240)


def markers(marks: pd.DataFrame) -> list[alt.Chart]:
    """Where revisions began: a dashed line with the revision's number above it."""
    if marks.empty:
        return []
    base = alt.Chart(marks).encode(x=alt.X("first_day:T", title=None))
    rule = base.mark_rule(strokeDash=[5, 4], color=VERMILION, strokeWidth=1.5).encode(
        tooltip=["revision:N", "first_day:T"]
    )
    text = base.mark_text(align="left", dx=4, baseline="top", color=VERMILION, fontWeight="bold").encode(
        y=alt.value(0), text="number:N"
    )
    return [rule, text]


def strip(rows: pd.DataFrame, value: str, among: pd.DataFrame, marks: pd.DataFrame) -> Drawn:
    """Low columns over days, on the scales of all the rows `among` which these are."""
    days, most = (among["day"].min(), among["day"].max()), float(among[value].max())
    columns = (
        alt.Chart(rows)
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X("day:T", title=None, axis=_axis(), scale=alt.Scale(domain=[str(day) for day in days])),
            y=alt.Y(f"{value}:Q", title=None, axis=alt.Axis(tickCount=3), scale=alt.Scale(domain=[0, most])),
            tooltip=["day:T", f"{value}:Q"],
        )
    )
    return alt.layer(columns, *markers(marks)).properties(height=90)


def heat(rows: pd.DataFrame, value: str, title: str, *, share: bool) -> Drawn:
    """Weekday by hour: darker is more, and the number stands in each field."""
    rows = rows.assign(
        day_name=[_WEEKDAYS[int(day) - 1] for day in rows["weekday"]],
        hour_name=[_HOURS[int(hour)] for hour in rows["hour"]],
    )
    base = alt.Chart(rows).encode(
        x=alt.X("hour_name:O", sort=_HOURS, title="Hour of the user's own clock", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("day_name:O", sort=_WEEKDAYS, title=None),
    )
    field = base.mark_rect().encode(
        color=alt.Color(f"{value}:Q", title=title, scale=alt.Scale(range=["#eef4fb", "#5fa8dc"])),
        tooltip=["day_name:N", "hour_name:N", alt.Tooltip(f"{value}:Q", format=".1%" if share else ","), "sent:Q"],
    )
    text = base.mark_text(fontSize=10, color="#10182b", opacity=alt.expr("width < 480 ? 0 : 1")).encode(
        text=alt.Text(f"{value}:Q", format=".0%" if share else ".2~s")
    )
    return (field + text).properties(height=alt.Step(_ROW))


def _days() -> alt.X:
    return alt.X("day:T", title=None, axis=_axis())


def _axis() -> alt.Axis:
    return alt.Axis(format="%d %b", labelOverlap=True)
