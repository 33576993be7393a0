"""What a channel type is: the options it takes, what it can do, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from botopt.model.delivery import Answer, Inbound, Outgoing, Receipt
from botopt.model.policy import DeliverySettings, Value


class OptionType(StrEnum):
    """What an option of a channel type holds.

    `name_map` is a map from names to texts; `plain` is left to the channel's own `check`.
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DURATION = "duration"
    """Kept as microseconds."""
    URL = "url"
    TEXTS = "texts"
    """A list of texts; one text will do."""
    NAME_MAP = "name_map"
    PLAIN = "plain"


class Option(msgspec.Struct, frozen=True):
    """One option of a channel type, as authors write it.

    `secret`: the value must be `${NAME}`, read from the environment; it stands in no file, log or error.
    Bounds are inclusive. `help` is one plain sentence for the reference.
    """

    name: str
    type: OptionType
    help: str
    required: bool = False
    default: Value = None
    one_of: tuple[str, ...] = ()
    secret: bool = False
    minimum: float | None = None
    maximum: float | None = None


class Honesty(StrEnum):
    """What our tests of a channel rest on. Nothing was run against a live platform.

    `local`: there is no platform. `official_client`: the platform's own client or protocol definition runs against
    what we built, or judges our bytes. `official_model`: its published model validates our bytes. `documentation`:
    examples in its documentation.
    """

    LOCAL = "local"
    OFFICIAL_CLIENT = "official_client"
    OFFICIAL_MODEL = "official_model"
    DOCUMENTATION = "documentation"


class Surroundings(msgspec.Struct, frozen=True):
    """What a channel is given when it is made.

    `name` is the channel's name in the policy. `timeout_s` is how long one attempt may take. `now_us` reads the clock.
    `private_networks`: whether requests may go to addresses that are not public. An operator says so, never an author.
    """

    name: str
    timeout_s: float
    now_us: Callable[[], int]
    private_networks: bool = False


class Channel:
    """A place where messages go: the base of every channel. Many threads may call `send` at once."""

    def send(self, message: Outgoing) -> Receipt:
        """Try once to deliver it. Never raises for what the other side does: that is a `Failed`."""
        raise NotImplementedError

    def receive(self, inbound: Inbound) -> Answer:
        """What the platform tells us about messages or users.

        Raises:
            botopt.model.delivery.Refused: this request is not to be believed, or says nothing that can be read.
        """
        from botopt.model.delivery import Refused

        raise Refused(404, "this channel takes no callbacks")

    def close(self) -> None:
        """Let go of connections."""


class ChannelType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of channel. Each file in `botopt/delivery` ends with one, called `TYPE`.

    `make` gets the options, defaults filled in and `${NAME}` replaced, and raises `ValueError` with a sentence for
    options that do not go together. `check` says the same for an author, before anything runs: sentences about the
    options as they stand in the policy (`${NAME}` unresolved). `repeatable`: the receiver absorbs a message that comes
    twice with one idempotency key. `addressed`: what the address of a user is, as a phrase ("a phone number such as
    +4915…"); empty where the user's id will do. `settings` are what the channel does when the policy says nothing.
    """

    name: str
    summary: str
    make: Callable[[Mapping[str, Value], Surroundings], Channel]
    options: tuple[Option, ...] = ()
    honesty: Honesty = Honesty.DOCUMENTATION
    repeatable: bool = False
    addressed: str = ""
    buttons: bool = False
    callbacks: bool = False
    needs_transport: bool = False
    """Whether the platform may only return texts, which then go out through the channel named by `reply`."""
    pushes: Callable[[Mapping[str, Value]], bool] = lambda _: False
    """Where `needs_transport`: whether with these options it brings every message to users itself all the same."""
    documented: Callable[[Mapping[str, Value]], bool] = lambda _: False
    """Whether with these options our tests rest on documentation alone, whatever `honesty` says of the others."""
    max_length: int | None = None
    extra: str = ""
    """The extra of the package that it needs, such as `server`."""
    settings: DeliverySettings = DeliverySettings()
    check: Callable[[Mapping[str, Value]], tuple[str, ...]] = lambda _: ()

    def honesty_with(self, options: Mapping[str, Value]) -> Honesty:
        """What our tests of a channel with these options rest on."""
        return Honesty.DOCUMENTATION if self.documented(options) else self.honesty

    def gives_texts(self, options: Mapping[str, Value]) -> bool:
        """Whether a channel with these options may only return texts, so that another must carry them."""
        return self.needs_transport and not self.pushes(options)
