"""`apprise`: messages go to any of the services that the package apprise knows.

It tells only whether all went well. So a failure may have been none: with several addresses, some may have taken the
message.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from botopt.delivery.words import with_links
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.errors import UsageError
from botopt.model.policy import DeliverySettings, Value

_ADDRESS = "{address}"
_SILENCED = ("apprise", "urllib3", "requests")
"""Loggers that would write addresses, and the secrets in them."""


class Apprise(Channel):
    """Hands each message to apprise."""

    def __init__(self, options: Mapping[str, Value], surroundings: Surroundings) -> None:
        try:
            with warnings.catch_warnings():
                # It uses what Python will drop; its users can do nothing about that.
                warnings.simplefilter("ignore", DeprecationWarning)
                import apprise

                apprise.Apprise.instantiate("json://localhost")  # now it loads the services
        except ImportError as fault:
            raise UsageError(
                f"the channel \"{surroundings.name}\" needs more packages: pip install 'botopt[apprise]'"
            ) from fault
        for name in _SILENCED:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        given = options["urls"]
        self._urls = tuple(map(str, given)) if isinstance(given, list) else (str(given),)
        self._asset = apprise.AppriseAsset(
            app_id="botopt", app_desc="botopt", async_mode=False, secure_logging=True, interpret_escapes=False
        )
        self._timeout_s = surroundings.timeout_s
        for number, _ in enumerate(self._urls, 1):
            if not self._made("u1", number - 1):
                raise ValueError(f"urls: apprise cannot read address {number} of {len(self._urls)}")

    def send(self, message: Outgoing) -> Receipt:
        """Send it to every address. Apprise has no deadline of its own, so it works in a thread beside."""
        ended: list[bool | None] = []
        thread = threading.Thread(target=lambda: ended.append(self._notify(message)), name="apprise", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if not ended:
            return Failed("no answer: it took too long", retryable=True, unsure=True)
        if ended[0] is None:
            return Failed("the address is not one that apprise can use")
        if ended[0]:
            return Delivered()
        return Failed("apprise could not send it, and does not tell why", retryable=True, unsure=True)

    def _notify(self, message: Outgoing) -> bool | None:
        """Whether all took it; None where an address cannot be used."""
        import apprise

        try:
            made = [self._made(message.address, number) for number in range(len(self._urls))]
            services = apprise.Apprise(asset=self._asset)
            if not all(made) or not all(services.add(one) for one in made):
                return None
            text = with_links(message)
            return bool(services.notify(body=text, title=message.title or "", body_format=apprise.NotifyFormat.TEXT))
        except Exception:  # noqa: BLE001  # a hundred services, and each may raise what it likes
            return False

    def _made(self, address: str, number: int) -> Any:  # noqa: ANN401  # apprise has no type for "a service or nothing"
        import apprise

        url = self._urls[number].replace(_ADDRESS, quote(address, safe=""))
        return apprise.Apprise.instantiate(url, asset=self._asset, suppress_exceptions=True)


TYPE = ChannelType(
    name="apprise",
    summary="Sends through any of the services that the package apprise knows.",
    make=Apprise,
    options=(
        Option(
            "urls",
            OptionType.TEXTS,
            "Addresses as apprise has them; `{address}` in one is replaced by the user's address.",
            required=True,
            secret=True,
        ),
    ),
    honesty=Honesty.OFFICIAL_CLIENT,
    buttons=True,
    extra="apprise",
    settings=DeliverySettings(timeout_us=30 * 1_000_000),
)
