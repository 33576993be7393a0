"""A silence: an operator's word that messages of some event types are not to go out for a while."""

from __future__ import annotations

import msgspec


class Silence(msgspec.Struct, frozen=True):
    """Messages of these event types (none: of all) are not sent before `until_us`. `why` and `who` are for people."""

    id: str
    created_us: int
    until_us: int
    events: tuple[str, ...] = ()
    why: str = ""
    who: str = ""
