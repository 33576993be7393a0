"""A silence: an operator's word that, for a while, nothing of some kind goes out."""

from __future__ import annotations

import msgspec


class Silence(msgspec.Struct, frozen=True):
    """Nothing of these event types (none named: of all) before `until_us`. Times are microseconds since 1970 UTC.

    `why` and `who` are for people. A silence has no beginning: it holds from the moment it is known.
    """

    id: str
    events: tuple[str, ...] = ()
    created_us: int = 0
    until_us: int = 0
    why: str = ""
    who: str = ""
