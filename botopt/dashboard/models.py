"""The model card of a workspace's scorer, from the policy and from the model file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from botopt.model.learning_policy import Scorer

_MOST_BYTES = 16 << 20
Told = list[tuple[str, list[str]]]


def card(scorer: Scorer, workspace: Path) -> Told:
    """What the model is, what it was trained on, how its gate went: titles and sentences."""
    model = scorer.model
    told: Told = [
        (
            f"Model {model.name}",
            [
                f"kind: {model.kind.value}, use: {scorer.use.value}",
                f"looks at: {', '.join(model.features)}",
                f"gate: {'passed' if model.passed else 'not passed, so it has no say'}",
                f"digest: {model.digest or 'none'}",
            ],
        )
    ]
    if model.weights:
        pairs = sorted(zip(model.features, model.weights, strict=False), key=lambda pair: -abs(pair[1]))
        told.append(("Weights, the strongest first", [f"{name}: {weight:+.3f}" for name, weight in pairs]))
    found = _file(workspace, model.digest)
    if found is None:
        told.append(("No model file found", ["Nothing below `models/` of the workspace has this digest."]))
        return told
    for key, title in (("training", "Trained on"), ("gate", "How its gate went")):
        facts = found.get(key)
        if isinstance(facts, Mapping):
            told.append(
                (
                    title,
                    [f"{name.replace('_', ' ')}: {_shown(value)}" for name, value in facts.items() if _short(value)],
                )
            )
    return told


def _file(workspace: Path, digest: str) -> Mapping[str, object] | None:
    for path in sorted((workspace / "models").glob("*.json")):
        try:
            if path.stat().st_size > _MOST_BYTES:
                continue
            found = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        if isinstance(found, dict) and digest and found.get("digest") == digest:
            return found
    return None


def _short(value: object) -> bool:
    """Whether it is a fact for a line: curves and tables are not."""
    return not isinstance(value, list) or all(isinstance(item, str) for item in value)


def _shown(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case int():
            return f"{value:,}"
        case list():
            return "; ".join(map(str, value)) or "none"
        case None:
            return "not known"
        case _:
            return str(value)
