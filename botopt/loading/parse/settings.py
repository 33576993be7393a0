"""The section `settings`."""

from __future__ import annotations

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.learning import (
    note_idle_engagement,
    note_much_exploring,
    note_replaced_fatigue,
    read_pacing,
    read_refresh,
    read_tuned_until,
    refuse_crowded_groups,
)
from botopt.loading.parse.locales import written
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Scalar
from botopt.model.learning_policy import EngagementSettings
from botopt.model.names import did_you_mean
from botopt.model.policy import FatigueSettings, Settings
from botopt.model.position import Position
from botopt.model.values import LARGEST
from botopt.model.zones import is_zone, zone_names

SETTINGS_KEYS = (
    "timezone locale threshold ignored_after dedupe_window engagement fatigue pacing holdout control seed refresh"
    " scorer tuned_until"
).split()
_ENGAGEMENT = "prior strength half_life effect limits learn explore".split()
_FATIGUE = "per_message within limit".split()


def read_settings(findings: Findings, node: Map, place: Position) -> Settings:
    """The settings; the default stands for what is absent or has a finding."""
    block = Block(findings, node, SETTINGS_KEYS, "settings", place)
    usual = Settings()
    engagement = _engagement(block)
    refuse_crowded_groups(block)
    note_idle_engagement(block, engagement)
    note_replaced_fatigue(block)
    return Settings(
        timezone=_timezone(block) or usual.timezone,
        locale=_locale(block) or usual.locale,
        threshold=_or(block.number("threshold", 0, 1), usual.threshold),
        ignored_after_us=block.duration("ignored_after") or usual.ignored_after_us,
        dedupe_window_us=block.duration("dedupe_window") or usual.dedupe_window_us,
        engagement=engagement,
        fatigue=_fatigue(block),
        holdout=_or(block.share("holdout"), usual.holdout),
        seed=block.integer("seed") or 0,
        control=_or(block.share("control"), usual.control),
        refresh_us=read_refresh(block) or usual.refresh_us,
        tuned_until_us=read_tuned_until(block),
        pacing=read_pacing(block),
    )


def _or(found: float | None, usual: float) -> float:
    return usual if found is None else found


def _timezone(block: Block) -> str | None:
    name = block.text("timezone")
    if name is None or is_zone(name):
        return name
    hint = did_you_mean(name.replace(" ", "_"), zone_names())
    if not hint:
        near = next((zone for zone in sorted(zone_names()) if zone.rpartition("/")[2].lower() == name.lower()), "")
        hint = f'did you mean "{near}"?' if near else "use an IANA name such as Europe/Berlin or Asia/Kolkata"
    block.findings.report("B110", block.place_of("timezone"), f'unknown time zone "{name}"', hint)
    return None


def _locale(block: Block) -> str | None:
    name, node = block.text("locale"), block.get("locale")
    if name is None or not isinstance(node, Scalar):
        return None
    right = written(name)
    if right == name:
        return name
    if right is None:
        hint = "use a language such as de, or a language and a country such as de-AT"
        block.findings.report("B312", node.position, f"unknown locale {shown(node)}", hint)
    else:
        block.findings.report("B312", node.position, f'the locale {shown(node)} is written "{right}"', f"type {right}")
    return None


def _engagement(settings: Block) -> EngagementSettings:
    usual = EngagementSettings()
    block = settings.block("engagement", _ENGAGEMENT, "to switch it off, write engagement: {effect: 0}")
    if block is None:
        return usual
    note_much_exploring(block, "messages that only the user's own history keeps back go out all the same", "3%")
    low, high = _limits(block) or (usual.low, usual.high)
    return EngagementSettings(
        prior=_or(block.number("prior", 0, 1, above=True, below=True), usual.prior),
        strength=_or(block.number("strength", 0, LARGEST, above=True), usual.strength),
        half_life_us=block.duration("half_life") or usual.half_life_us,
        effect=_or(block.number("effect", 0, LARGEST), usual.effect),
        low=low,
        high=high,
        learn=block.boolean("learn", default=False),
        explore=_or(block.share("explore"), usual.explore),
    )


def _limits(block: Block) -> tuple[float, float] | None:
    node = block.get("limits")
    entries = None if node is None else scalars.items(block.findings, node, "limits")
    if node is None or entries is None:
        return None
    if len(entries) != 2:
        message = f"limits must be a list of two numbers, not of {len(entries)}"
        block.findings.report("B104", node.position, message, "type limits: [0.5, 1.5]")
        return None
    low = scalars.number(block.findings, entries[0], "the lower limit", 0, 1, above=True)
    high = scalars.number(block.findings, entries[1], "the upper limit", 1, LARGEST)
    return None if low is None or high is None else (low, high)


def _fatigue(settings: Block) -> FatigueSettings:
    usual = FatigueSettings()
    block = settings.block("fatigue", _FATIGUE, "to switch it off, write fatigue: {per_message: 0}")
    if block is None:
        return usual
    return FatigueSettings(
        per_message=_or(block.number("per_message", 0, 1), usual.per_message),
        within_us=block.duration("within") or usual.within_us,
        limit=_or(block.number("limit", 0, 1), usual.limit),
    )
