"""`ntfy`: messages go out as push notifications, through a server of ntfy.

An example of a channel type in a package of its own. It follows the documentation of ntfy ("Publish as JSON"), and was
never run against a live server.
"""

from __future__ import annotations

from collections.abc import Mapping

from botopt.delivery.http import Http, HttpFault
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.policy import Value

_MOST_BUTTONS = 3


class Ntfy(Channel):
    """Publishes each message to the topic that is the user's address."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        """Make it; a `ValueError` says what is wrong with the options."""
        token = options["token"]
        self._url = str(options["url"])
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        # It asks public addresses only, ends in time, follows no redirect and repeats no secret.
        self._http = Http(surroundings, secrets=(str(token),) if token else ())

    def send(self, message: Outgoing) -> Receipt:
        """Try once. Whatever the other side does is a receipt; nothing is ever raised."""
        if not message.address.replace("-", "").replace("_", "").isalnum() or len(message.address) > 64:
            return Failed("the address is no topic of ntfy")
        links = [button for button in message.buttons if button.link is not None]
        body = {
            "topic": message.address,
            "message": message.text,
            "title": message.title,
            "actions": [{"action": "view", "label": one.label, "url": one.link} for one in links[:_MOST_BUTTONS]],
        }
        try:
            response = self._http.request("POST", self._url, headers=self._headers, json=body)
        except HttpFault as fault:
            return fault.failed
        if not response.ok:
            return self._http.failure(response)
        answer = response.json()
        name = answer.get("id") if isinstance(answer, dict) else None
        return Delivered(name if isinstance(name, str) else None)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


TYPE = ChannelType(
    name="ntfy",
    summary="Sends push notifications through a server of ntfy.",
    make=Ntfy,
    options=(
        Option("url", OptionType.URL, "The server of ntfy.", default="https://ntfy.sh/"),
        Option("token", OptionType.TEXT, "The access token, if the server wants one.", secret=True),
    ),
    honesty=Honesty.DOCUMENTATION,
    # ntfy does not know a message again: one that may have arrived is not sent twice unless an author says so.
    repeatable=False,
    addressed="the user's topic, a name that nobody can guess",
    buttons=True,
    extra="server",
)
