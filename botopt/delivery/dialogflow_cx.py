"""`dialogflow_cx`: an event for a Dialogflow CX agent (API v3); what it says goes out through the reply channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botopt.delivery.answers import words
from botopt.delivery.dialogflow import (
    Dialogflow,
    Place,
    check,
    connect,
    options,
    parameters,
    place,
    segment,
    texts_of,
)
from botopt.delivery.google import Access
from botopt.delivery.http import Http
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Outgoing
from botopt.model.durations import DAY_US, MINUTE_US, SECOND_US
from botopt.model.policy import Value

_MATCHES = {
    0: "MATCH_TYPE_UNSPECIFIED",
    1: "INTENT",
    2: "DIRECT_INTENT",
    3: "PARAMETER_FILLING",
    4: "NO_MATCH",
    5: "NO_INPUT",
    6: "EVENT",
    8: "KNOWLEDGE_CONNECTOR",
    9: "PLAYBOOK",
}
"""Names of `match.matchType`, for answers that give numbers."""


class DialogflowCx(Dialogflow):
    """One agent, in one environment or as a draft."""

    def __init__(
        self, place: Place, http: Http, access: Access, *, agent: str, channel: str, session_ttl_us: int | None
    ) -> None:
        super().__init__(place, http, access)
        self._agent = agent
        self._channel = channel
        self._session_ttl_us = session_ttl_us

    def path(self, message: Outgoing) -> str:
        """…/agents/A/sessions/S, or below an environment. Without one the draft answers."""
        own = self.place
        environment = f"/environments/{segment(own.environment)}" if own.environment else ""
        return (
            f"v3/projects/{segment(own.project)}/locations/{segment(own.location)}/agents/{segment(self._agent)}"
            f"{environment}/sessions/{own.session(message.address)}"
        )

    def body(self, message: Outgoing) -> dict[str, object]:
        """An event has a name only; its fields become parameters of the session (`$session.params.NAME`).

        `currentPage` is never set: it would throw away where the conversation stands.
        """
        query: dict[str, object] = {"parameters": parameters(message)}
        if self.place.timezone:
            query["timeZone"] = self.place.timezone
        if self._channel:
            query["channel"] = self._channel
        if self._session_ttl_us:
            query["sessionTtl"] = f"{self._session_ttl_us // SECOND_US}s"
        return {
            "queryInput": {
                "event": {"event": self.place.event(message.event_type)},
                "languageCode": self.place.language(message.locale),
            },
            "queryParams": query,
        }

    def refused(self, result: Mapping[str, Any], event: str) -> str:
        """`triggerEvent` echoes whatever was sent; only `match.matchType` EVENT proves that a handler took it up."""
        match = result.get("match")
        kind = match.get("matchType") if isinstance(match, dict) else None
        name = _MATCHES.get(kind, str(kind)) if isinstance(kind, int) else words(kind) or "nothing"
        if name != "EVENT":
            return f'the agent has no handler for the event "{event}" where the conversation stands (match: {name})'
        echoed = words(result.get("triggerEvent"))
        return f'the agent took up the event "{echoed}", not "{event}"' if echoed not in {"", event} else ""

    def texts(self, result: Mapping[str, Any]) -> list[str]:
        """The texts of `responseMessages`; payloads and speech are not texts."""
        return texts_of(result.get("responseMessages"))


def _check(options: Mapping[str, Value]) -> tuple[str, ...]:
    ttl_us = options.get("session_ttl")
    fits = not isinstance(ttl_us, int) or MINUTE_US <= ttl_us <= DAY_US
    return (*check(options), *(() if fits else ("session_ttl must be from 1m to 1d",)))


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    for fault in _check(options):
        raise ValueError(fault)
    http, access = connect(options, surroundings)
    ttl_us = options["session_ttl"]
    return DialogflowCx(
        place(options),
        http,
        access,
        agent=str(options["agent"]),
        channel=str(options["channel"] or ""),
        session_ttl_us=ttl_us if isinstance(ttl_us, int) else None,
    )


TYPE = ChannelType(
    name="dialogflow_cx",
    summary="Gives an event to a Dialogflow CX agent; what the agent says goes out through the reply channel.",
    make=_make,
    check=_check,
    honesty=Honesty.OFFICIAL_CLIENT,
    needs_transport=True,
    extra="server",
    options=options(
        Option("agent", OptionType.TEXT, "The agent's id.", required=True),
        Option(
            "environment",
            OptionType.TEXT,
            "The environment's id. Without one the draft of the agent answers, with every unfinished change in it.",
        ),
        Option(
            "channel", OptionType.TEXT, "For which channel the agent shall word its responses (queryParams.channel)."
        ),
        Option(
            "session_ttl",
            OptionType.DURATION,
            "How long the session lives after this, from a minute to a day; else 30 minutes.",
        ),
    ),
)
