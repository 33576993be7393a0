"""What a policy is tuned for, in words: `same clicks, 20% fewer messages`."""

from __future__ import annotations

import re

import msgspec

from botopt.model.errors import UsageError

_SAME = 0.02
"""What still counts as the same, as a share."""

_FEWER = 0.05
"""What `fewer messages` asks for at least, as a share."""

_CLAUSE = re.compile(
    r"(?P<same>same)|(?:(?P<most>at most )?(?P<share>\d+(?:\.\d+)?) ?% )?(?P<way>fewer|more)", re.ASCII
)
_WHAT = re.compile(r"(?P<how>.*?) ?(?P<what>clicks|messages)", re.ASCII)
_FORMS = (
    'type "same clicks", "at most 5% fewer clicks" or "5% more clicks", and "20% fewer messages", "fewer messages" or '
    '"same messages", with a comma between'
)


class Goal(msgspec.Struct, frozen=True):
    """`clicks` is the least, `messages` the most that there may be, as shares of what there are now."""

    clicks: float
    messages: float
    text: str = ""


def read_goal(text: str) -> Goal:
    """The goal that these words state.

    Raises:
        UsageError: they state none; with what can be typed.
    """
    found: dict[str, float] = {}
    for clause in text.lower().split(","):
        words = " ".join(clause.split())
        what = _WHAT.fullmatch(words)
        how = None if what is None else _CLAUSE.fullmatch(what["how"])
        if what is None or how is None:
            raise UsageError(f'--goal: "{words or text}" is no part of a goal: {_FORMS}')
        if what["what"] in found:
            raise UsageError(f"--goal: {what['what']} are named twice")
        found[what["what"]] = _share(words, what["what"], how)
    if "clicks" not in found and found.get("messages", 1.0) < 1.0:
        raise UsageError('--goal: say what may become of clicks, too: "same clicks", or "at most 5% fewer clicks"')
    clicks, messages = found.get("clicks", 1.0 - _SAME), found.get("messages", 1.0 + _SAME)
    if clicks <= 1.0 and messages >= 1.0:
        raise UsageError('--goal: as it is now would do: ask for fewer messages ("20% fewer messages") or more clicks')
    return Goal(clicks, messages, ", ".join(" ".join(clause.split()) for clause in text.split(",")))


def _share(words: str, what: str, how: re.Match[str]) -> float:
    if how["same"]:
        return 1.0 - _SAME if what == "clicks" else 1.0 + _SAME
    share = None if how["share"] is None else float(how["share"]) / 100
    if share is not None and not 0 < share < 1:
        raise UsageError(f'--goal: "{words}": a share lies between 0% and 100%')
    match how["way"], what:
        case "fewer", "messages" if how["most"] is None:
            return 1.0 - (_FEWER if share is None else share)
        case "fewer", "clicks" if share is not None and how["most"] is not None:
            return 1.0 - share
        case "more", "clicks" if share is not None and how["most"] is None:
            return 1.0 + share
        case _:
            raise UsageError(f'--goal: "{words}" cannot be asked for: {_FORMS}')
