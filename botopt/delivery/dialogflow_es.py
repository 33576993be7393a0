"""`dialogflow_es`: an event for a Dialogflow ES agent (API v2); what it says goes out through the reply channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botopt.delivery.answers import items, record, words
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
from botopt.model.policy import Value

_PLATFORMS = {
    0: "",
    1: "FACEBOOK",
    2: "SLACK",
    3: "TELEGRAM",
    4: "KIK",
    5: "SKYPE",
    6: "LINE",
    7: "VIBER",
    8: "ACTIONS_ON_GOOGLE",
    11: "GOOGLE_HANGOUTS",
}
"""Names of a message's `platform`, for answers that give numbers."""


class DialogflowEs(Dialogflow):
    """One agent of a project, in one environment or as a draft."""

    def __init__(self, place: Place, http: Http, access: Access, *, platform: str) -> None:
        super().__init__(place, http, access)
        self._platform = platform

    def path(self, message: Outgoing) -> str:
        """…/agent/sessions/S, or …/agent/environments/E/users/U/sessions/S, with a location unless it is global."""
        own, session = self.place, self.place.session(message.address)
        location = f"/locations/{segment(own.location)}" if own.location not in {"", "global"} else ""
        environment = f"/environments/{segment(own.environment)}/users/{session}" if own.environment else ""
        return f"v2/projects/{segment(own.project)}{location}/agent{environment}/sessions/{session}"

    def body(self, message: Outgoing) -> dict[str, object]:
        """Other than in CX, the field is `name`, and the parameters belong to the event (`#event.NAME`)."""
        body: dict[str, object] = {
            "queryInput": {
                "event": {
                    "name": self.place.event(message.event_type),
                    "parameters": parameters(message),
                    "languageCode": self.place.language(message.locale),
                }
            }
        }
        if self.place.timezone:
            body["queryParams"] = {"timeZone": self.place.timezone}
        return body

    def refused(self, result: Mapping[str, Any], event: str) -> str:
        """An unknown event, or one whose input contexts are missing, gets the fallback intent, with status 200."""
        intent = record(result.get("intent"))
        if intent.get("isFallback") is True:
            name = words(intent.get("displayName")) or "the fallback intent"
            return f'no intent has the event "{event}", or its input contexts are missing: {name} answered'
        return "" if intent else f'no intent has the event "{event}"'

    def texts(self, result: Mapping[str, Any]) -> list[str]:
        """The messages for the platform, else those for none in particular, else `fulfillmentText`."""
        messages = [record(message) for message in items(result.get("fulfillmentMessages"))]
        for platform in dict.fromkeys((self._platform, "")):
            if found := texts_of([message for message in messages if _platform(message) == platform]):
                return found
        return [words(result.get("fulfillmentText"))]


def _platform(message: Mapping[str, Any]) -> str:
    value = message.get("platform")
    if isinstance(value, int):
        return _PLATFORMS.get(value, str(value))
    return words(value).replace("PLATFORM_UNSPECIFIED", "")


def _make(options: Mapping[str, Value], surroundings: Surroundings) -> Channel:
    http, access = connect(options, surroundings)
    return DialogflowEs(place(options), http, access, platform=str(options["platform"] or ""))


TYPE = ChannelType(
    name="dialogflow_es",
    summary="Gives an event to a Dialogflow ES agent; what the agent says goes out through the reply channel.",
    make=_make,
    check=check,
    honesty=Honesty.OFFICIAL_CLIENT,
    needs_transport=True,
    extra="server",
    options=options(
        Option("environment", OptionType.TEXT, "The environment's id. Without one the draft of the agent answers."),
        Option(
            "platform",
            OptionType.TEXT,
            "Whose responses to take, if the agent has some for one platform, such as SLACK.",
            one_of=tuple(name for name in _PLATFORMS.values() if name),
        ),
    ),
)
