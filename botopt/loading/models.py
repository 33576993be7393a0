"""Model files: JSON of our own, read without any library, and refused unless every number in it can be trusted."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from botopt.model.click_model import (
    FEATURES,
    MOST_DEPTH,
    MOST_NODES,
    MOST_POINTS,
    MOST_TREES,
    ClickModel,
    ModelKind,
    Tree,
)
from botopt.model.names import did_you_mean
from botopt.model.trained_model import FORMAT, Gate, TrainedModel, Training

MOST_BYTES = 8 << 20
"""A model of the largest size that is allowed has a quarter of this."""

_LARGEST = 1e30
_SINGLE = struct.Struct("<f")
_NOT_IN_FILE = ("passed", "digest", "middles")  # the gate says the first and the last, and the file has one digest


def read_model(path: Path) -> ClickModel:
    """The click model in a file, fit to be used.

    Raises:
        ValueError: it is none, it was changed by hand, or its gate did not let it pass; the sentence says which.
        OSError: it cannot be read.
    """
    found = read_trained(path)
    if not found.gate.passed:
        raise ValueError("this model did not pass its gate; train one that does: botopt train")
    return found.model


def read_trained(path: Path) -> TrainedModel:
    """Everything in a model file, whether it passed its gate or not.

    Raises:
        ValueError: it is none, or it was changed by hand.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"a model file has at most {MOST_BYTES >> 20} MiB")
    return decode(data)


def decode(data: bytes) -> TrainedModel:
    """A model file's content.

    Raises:
        ValueError: it is no model file, or it was changed by hand.
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ValueError(f"this is no JSON: {fault}") from None
    if not isinstance(found, dict) or "format" not in found or "model" not in found:
        raise ValueError("this is no model file: botopt train writes them")
    if found["format"] != FORMAT:
        raise ValueError(f"a model file of format {found['format']}; this botopt reads format {FORMAT}")
    try:
        trained = _convert(found)
    except msgspec.ValidationError as fault:
        raise ValueError(f"this is no model file that botopt train writes: {_words(fault)}") from None
    if trained.digest != digest_of(trained):
        raise ValueError("it was changed after it was written: its digest does not fit; train it again")
    for problem in problems(trained.model):
        raise ValueError(problem)
    model = msgspec.structs.replace(
        trained.model, passed=trained.gate.passed, digest=trained.digest, middles=_middles(trained)
    )
    return msgspec.structs.replace(trained, model=model)


def _middles(trained: TrainedModel) -> tuple[float, ...]:
    known = {each.feature: each.values[len(each.values) // 2] for each in trained.gate.effects if each.values}
    names = trained.model.features
    return tuple(known[name] for name in names) if all(name in known for name in names) else ()


def _words(fault: msgspec.ValidationError) -> str:
    text = str(fault).replace(" - at `$.", " (at ").replace(" - at `$", " (at the top")
    return text.removesuffix("`") + (")" if "(at " in text else "")


def _convert(found: Mapping[str, Any]) -> TrainedModel:
    model = found.get("model")
    for name in _NOT_IN_FILE:
        if isinstance(model, dict) and name in model:
            raise msgspec.ValidationError(f"Object contains unknown field `{name}` - at `$.model`")
    if isinstance(model, dict):
        for name in model:
            if name not in ClickModel.__struct_fields__:
                raise msgspec.ValidationError(f"Object contains unknown field `{name}` - at `$.model`")
    return msgspec.convert(found, TrainedModel)


def encode(model: ClickModel, training: Training, gate: Gate) -> bytes:
    """A model file's content, digest included; equal parts give equal bytes."""
    whole = msgspec.to_builtins(TrainedModel(FORMAT, "", model, training, gate))
    unsigned = msgspec.convert(whole, TrainedModel)  # 0 becomes 0.0 where a number may have decimals
    parts = _parts(msgspec.structs.replace(unsigned, digest=digest_of(unsigned)))
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in parts.items())
    return f"{{\n{lines}\n}}\n".encode()


def digest_of(trained: TrainedModel) -> str:
    """32 hex characters: a hash of everything but the digest itself."""
    parts = _parts(trained)
    del parts["digest"]
    return blake2b(msgspec.json.encode(parts, order="sorted"), digest_size=16).hexdigest()


def _parts(trained: TrainedModel) -> dict[str, Any]:
    parts: dict[str, Any] = msgspec.to_builtins(trained)
    for name in _NOT_IN_FILE:
        del parts["model"][name]
    return parts


def problems(model: ClickModel) -> Iterable[str]:
    """Why a model cannot be used, as sentences; none where it can."""
    if not model.features:
        yield "the model looks at nothing: `features` is empty"
    for name in model.features:
        if name not in FEATURES:
            hint = did_you_mean(name, FEATURES) or f"there are: {', '.join(FEATURES)}"
            yield f'the model looks at "{name}", which this botopt does not know; {hint}'
    if len(set(model.features)) < len(model.features):
        yield "a feature is named twice"
    if not all(math.isfinite(value) for value in (model.intercept, *model.weights, *model.calibration)):
        yield "a number of the model is not finite"
    if model.calibration[0] < 0:
        yield "the calibration turns the model upside down: its slope is below 0"
    yield from _of_curve(model.curve)
    if model.kind is ModelKind.LOGISTIC:
        if len(model.weights) != len(model.features):
            yield f"{len(model.features)} features, but {len(model.weights)} weights"
        if model.trees:
            yield "a logistic model has no trees"
        return
    if model.weights:
        yield "a model of trees has no weights"
    yield from _of_trees(model)


def _of_curve(curve: tuple[tuple[float, float], ...]) -> Iterable[str]:
    if len(curve) > MOST_POINTS:
        yield f"a calibration curve has at most {MOST_POINTS} points"
    if not all(math.isfinite(value) for point in curve for value in point):
        yield "a number of the calibration curve is not finite"
    elif any(after[0] <= before[0] or after[1] < before[1] for before, after in pairwise(curve)):
        yield "the calibration curve does not grow"


def _of_trees(model: ClickModel) -> Iterable[str]:
    if not model.trees:
        yield "a model of trees has at least one"
    if len(model.trees) > MOST_TREES:
        yield f"{len(model.trees)} trees; at most {MOST_TREES} are allowed"
    if sum(len(tree.features) for tree in model.trees) > MOST_NODES:
        yield f"the trees have more than {MOST_NODES} nodes together"
    for place, tree in enumerate(model.trees):
        fault = _of_tree(tree, len(model.features))
        if fault is not None:
            yield f"tree {place}: {fault}"


def _of_tree(tree: Tree, features: int) -> str | None:
    count = len(tree.features)
    if not count or any(len(part) != count for part in (tree.thresholds, tree.lefts, tree.rights, tree.values)):
        return "its arrays do not have the same length"
    depth, seen = [0] * count, [False] * count
    for node in range(count):
        feature, threshold, left, right = (
            tree.features[node],
            tree.thresholds[node],
            tree.lefts[node],
            tree.rights[node],
        )
        if not math.isfinite(tree.values[node]) or not abs(threshold) <= _LARGEST:
            return f"a number of node {node} is not finite"
        if node and not seen[node]:
            return f"no node leads to node {node}"
        if feature == -1:
            continue
        if not 0 <= feature < features:
            return f"node {node} looks at feature {feature}; there are {features}"
        if _SINGLE.unpack(_SINGLE.pack(threshold))[0] != threshold:
            return f"the threshold of node {node} is no 32-bit float"
        for child in (left, right):
            if not node < child < count or seen[child]:
                return f"node {node} leads to node {child}, which is no node of its own below it"
            seen[child] = True
            depth[child] = depth[node] + 1
            if depth[child] > MOST_DEPTH:
                return f"it is deeper than {MOST_DEPTH}"
    return None
