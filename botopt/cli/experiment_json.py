"""Reports on experiments as plain data, for programs (schemas/experiment-report.schema.json)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.cli.formats.documents import document
from botopt.model.instants import instant_text
from botopt.model.policy import Settings
from botopt.verify.experiments import Arm, Difference, Report, Results
from botopt.verify.experiments.listing import Belonging, Listed
from botopt.verify.log import Problem

_DIGITS = 9


def report_json(report: Report, problems: Sequence[Problem]) -> str:
    """The report as a JSON object."""
    return document(
        {
            "until": _time(report.until_us),
            "goal": report.goal,
            "decisions": report.decisions,
            "users": report.users,
            "held_out": report.held_out,
            "experiments": [_results(each) for each in report.experiments],
            "holdout": None if report.holdout is None else _results(report.holdout),
            "control": None if report.control is None else _results(report.control),
            "notes": list(report.notes),
            "problems": [{"words": one.words, "count": one.count, "first": one.first} for one in problems],
        }
    )


def _results(results: Results) -> dict[str, object]:
    split = results.split
    return {
        "name": results.name,
        "description": results.description,
        "since": _time(results.since_us),
        "confidence": _rounded(results.confidence),
        "arms": [_arm(each) for each in results.arms],
        "split": None
        if split is None
        else {"chi_square": _rounded(split.chi_square), "p": _rounded(split.p), "ok": split.ok},
        "differences": [_difference(each) for each in results.differences],
        "conclusions": [
            {
                "arm": each.arm,
                "against": each.against,
                "metric": each.metric.value,
                "verdict": each.verdict.value,
                "worse": [metric.value for metric in each.worse],
            }
            for each in results.conclusions
        ],
        "needs": [
            {"relative": each.relative, "messages": each.messages, "users": each.users} for each in results.needs
        ],
        "warnings": list(results.warnings),
    }


def _arm(arm: Arm) -> dict[str, object]:
    plain = msgspec.structs.asdict(arm)
    plain["share"] = None if arm.share is None else _rounded(arm.share)
    plain["values"] = {metric.value: _rounded(value) for metric, value in arm.values.items()}
    return plain


def _difference(one: Difference) -> dict[str, object]:
    return {
        "metric": one.metric.value,
        "arm": one.arm,
        "against": one.against,
        "value": _rounded(one.value),
        "low": _rounded(one.low),
        "high": _rounded(one.high),
        "relative": None if one.relative is None else _rounded(one.relative),
        "enough": one.enough,
        "sure": one.sure,
    }


def listed_json(experiments: Sequence[Listed], settings: Settings) -> str:
    """The experiments of a policy as a JSON object."""
    return document(
        {
            "holdout": settings.holdout,
            "control": settings.control,
            "experiments": [
                {
                    "name": each.experiment.name,
                    "description": each.experiment.description,
                    "arms": {name: _rounded(share) for name, share in each.experiment.arms},
                    "events": list(each.events),
                    "at": str(each.experiment.position),
                }
                for each in experiments
            ],
        }
    )


def belonging_json(one: Belonging) -> str:
    """The groups of one user as a JSON line."""
    plain = {"user": one.user, "holdout": one.holdout, "control": one.control, "arms": dict(one.arms)}
    return msgspec.json.encode(plain).decode()


def _rounded(value: float) -> float:
    return round(value, _DIGITS)


def _time(us: int | None) -> str | None:
    return None if us is None else instant_text(us)
