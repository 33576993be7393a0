"""What records say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from botopt.model.decision import Outcome, Part, Reason
from botopt.model.instants import instant_text

REASONS: Mapping[str, str] = {
    Reason.REJECTED: "the line was no event that the policy takes",
    Reason.DUPLICATE: "the event had come before",
    Reason.EXPIRED: "it came too late to be worth anything",
    Reason.NO_CONSENT: "the user did not agree to such messages",
    Reason.SKIPPED: "a rule said not to send it",
    Reason.BELOW_THRESHOLD: "its score was not above its threshold",
    Reason.HOLDOUT: "the user is in the holdout, who never get a message",
    Reason.SILENCED: "an operator had silenced such messages",
    Reason.MUTED: "the user had shown no interest, so they were left alone for a while",
    Reason.RESOLVED: "the matter was settled meanwhile",
    Reason.INHIBITED: "a more important message was on its way",
    Reason.IN_CONVERSATION: "the user was in the middle of a conversation",
    Reason.COOLDOWN: "a similar message had gone out shortly before",
    Reason.CAPPED: "the user had got as many messages as the policy allows",
    Reason.PACED: "the user's budget of messages was used up",
    Reason.QUIET_HOURS: "it was in the user's quiet hours",
    Reason.SEND_TIME: "it waited for a better hour of this user",
    Reason.RENDER_FAILED: "its text could not be made",
}
"""Why a message was not sent, each to go on from "not sent because"."""

RESPONSES: Mapping[str, str] = {
    "clicked": "clicked",
    "dismissed": "dismissed",
    "ignored": "no answer",
    "failed": "never arrived",
    "pending": "no answer yet",
    "unknown": "answer not known any more",
}

OUTCOMES: Mapping[str, str] = {
    Outcome.SENT: "sent",
    Outcome.SKIPPED: "skipped by a rule",
    Outcome.BELOW_THRESHOLD: "below its threshold",
    Outcome.SUPPRESSED: "suppressed",
    Outcome.HELD: "held until later",
    Outcome.REJECTED: "rejected",
}

_TERMS = {
    "base": "the event type's own score",
    "rule": "rule",
    "engagement": "how this user answers such messages",
    "scorer": "the trained model",
    "explore": "sent all the same, to learn",
    "threshold": "rule, on the threshold",
    "fatigue": "recent messages raise the bar by",
    "pacing": "the budget moves the bar by",
}
_FACTORS = ("engagement", "scorer")
_parts = msgspec.json.Decoder(tuple[Part, ...])


def sentence(record: Mapping[str, object]) -> str:
    """What was decided, in one sentence, from a row of `timeline`."""
    outcome, reason, by = (record[name] for name in ("outcome", "reason", "by"))
    if outcome == Outcome.SENT:
        answer = RESPONSES.get(str(record["response"]), "")
        return f"Sent on {record['channel']}: {answer}." if answer else f"Sent on {record['channel']}."
    why = REASONS.get(str(reason), str(reason))
    told = f"Not sent because {why}"
    if outcome == Outcome.HELD:
        until = record["until_us"]
        told = f"Held because {why}" + (f", until {instant_text(until)}" if isinstance(until, int) else "")
    named = f" ({by})" if by else ""
    return f"{told}{named}." + (f" {record['detail']}" if record["detail"] else "")


def arithmetic(record: Mapping[str, object]) -> Iterator[str]:
    """How the score came about, term by term."""
    parts = record["parts"]
    if isinstance(parts, str):
        try:
            terms = _parts.decode(parts)
        except msgspec.MsgspecError:
            terms = ()
        for part in terms:
            name = _TERMS.get(part.part, part.part) + (f" {part.id}" if part.id else "")
            yield f"{name}: {'×' if part.part in _FACTORS else ''}{_signed(part)}"
    if isinstance(record["score"], float) and isinstance(record["threshold"], float):
        comparison = "above" if record["score"] > record["threshold"] else "not above"
        yield f"score {record['score']:g}, {comparison} the threshold {record['threshold']:g}"


def _signed(part: Part) -> str:
    return f"{part.value:g}" if part.part in {*_FACTORS, "base"} else f"{part.value:+g}"
