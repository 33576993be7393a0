"""Decisions as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.cli.console import marked
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.instants import instant_text
from botopt.verify.replay import Responded

_RESPONSES = {
    "message.clicked": "[green]clicked ✓[/]",
    "message.converted": "[green]converted ✓[/]",
    "message.dismissed": "[yellow]dismissed ✗[/]",
    "message.failed": "[red]could not be delivered ✗[/]",
}
_WHY = {
    Reason.DUPLICATE: "the same event came before",
    Reason.EXPIRED: "it came too late",
    Reason.NO_CONSENT: "the user did not consent",
    Reason.HOLDOUT: "the user is in the holdout",
    Reason.SILENCED: "silenced by an operator",
    Reason.MUTED: "muted",
    Reason.RESOLVED: "resolved",
    Reason.INHIBITED: "a more important message went first",
    Reason.IN_CONVERSATION: "in the middle of a conversation",
    Reason.COOLDOWN: "cooldown",
    Reason.CAPPED: "cap reached",
    Reason.PACED: "the budget of messages is used up",
    Reason.QUIET_HOURS: "quiet hours",
    Reason.SEND_TIME: "it waits for a better hour",
    Reason.RENDER_FAILED: "the message could not be rendered",
}


def clock(us: int | None) -> str:
    """`2025-06-05 09:12:42`, in UTC."""
    return "no time" if us is None else instant_text(us).replace("T", " ").partition(".")[0].removesuffix("Z")


def scored(score: float, needed: float) -> str:
    """` scored 0.85 (needs 0.60)`: two decimals, more only where two would hide which is larger."""
    digits = next((n for n in range(2, 6) if (round(score, n) > round(needed, n)) == (score > needed)), 6)
    return f" scored {score:.{digits}f} (needs {needed:.{digits}f})"


class Story:
    """Turns records and responses into lines; remembers what is held and what was said last."""

    def __init__(self) -> None:
        self._held: set[tuple[str | None, str | None]] = set()
        self._last_message: str | None = None

    def lines(self, item: Decision | Responded) -> Iterator[str]:
        """Rich markup, line by line."""
        if isinstance(item, Responded):
            yield self._response(item)
        else:
            yield from self._decision(item)

    def _response(self, item: Responded) -> str:
        words = _RESPONSES[item.event.type]
        if item.message_id == self._last_message:
            return f"  {words}"
        self._last_message = None
        user, message_type = marked(item.event.user), marked(item.message_type)
        return (
            f"[dim]\\[{clock(item.event.time_us)}][/] {user} {words} [dim]({message_type} of {clock(item.sent_us)})[/]"
        )

    def _decision(self, decision: Decision) -> Iterator[str]:
        self._last_message = None
        if decision.outcome is Outcome.REJECTED:
            place = clock(decision.time_us) if decision.line is None else f"line {decision.line}"
            yield f"[dim]\\[{place}][/] [red]rejected[/]: {marked(decision.detail or '')}"
            return
        key = (decision.user, decision.event_id)
        released = key in self._held
        self._held.discard(key)
        what = f"[bold]{marked(decision.event_type or '?')}[/] for [bold]{marked(decision.user or '?')}[/]"
        result = ""
        if decision.score is not None and decision.threshold is not None:
            result = scored(decision.score, decision.threshold)
        again = " [dim]held until now[/]" if released else ""
        yield f"[dim]\\[{clock(decision.time_us)}][/] {what}{result}{again}"
        yield from self._ending(decision, key)

    def _ending(self, decision: Decision, key: tuple[str | None, str | None]) -> Iterator[str]:
        message = decision.message
        if message is not None:
            self._last_message = message.id
            title = f"{marked(message.title)} — " if message.title else ""
            text = marked(message.text).replace("\n", "\n    ")
            yield f'  → [cyan]{marked(message.channel)}[/]: "{title}{text}"'
            if message.buttons:
                yield "    " + " ".join(f"[reverse] {marked(button.label)} [/]" for button in message.buttons)
            return
        match decision.outcome:
            case Outcome.HELD:
                self._held.add(key)
                yield f"  [yellow]held[/] by {marked(decision.by or '')} until {clock(decision.until_us)}"
            case Outcome.SKIPPED:
                yield f"  [dim]skipped[/] by rule {marked(decision.by or '')}"
            case Outcome.BELOW_THRESHOLD:
                yield "  [dim]not worth a message[/]"
            case _:
                reason = decision.reason
                why = _WHY.get(reason, "") if reason is not None else ""
                named = f" ({marked(decision.by)})" if decision.by else ""
                until = f" until {clock(decision.until_us)}" if decision.until_us is not None else ""
                yield f"  [yellow]not sent[/]: {why}{named}{until}"
