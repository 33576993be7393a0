"""For each channel type, what its tests need to know. The contract test asks for one of every type in the registry.

Add a file `tests/delivery/factory_NAME.py` with `FACTORIES = {"name": Factory(…)}` and it is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import msgspec

from botopt.model.policy import Value
from tests.delivery.peers import Reply, Request, Way, answering


class Factory(msgspec.Struct, frozen=True, kw_only=True):
    """How one channel type is tested.

        `options` makes options for a peer at this URL; files may be made in the folder. Every option that is secret must
        be among them, with a value that stands nowhere else. `yes` is how the platform answers when all is well.
        `key_of` is where a request holds the idempotency key, `text_of` the text as the platform shows it, its escaping
        undone; None where it sends none. `local`: there is no other side. `http`: the other side speaks HTTP. `knows`: it can
    tell whether anything was sent. `address` is one that the platform would take.
        `spoils` are options that do not go together or are wrong, each of which `make` must refuse.
    """

    options: Callable[[str, Path], Mapping[str, Value]]
    yes: Callable[[Request], Reply] = lambda _: Reply()
    way: Way | None = None
    key_of: Callable[[Request], object] | None = None
    text_of: Callable[[Request], object] | None = None
    local: bool = False
    http: bool = True
    knows: bool = True
    address: str = "u1"
    spoils: tuple[Mapping[str, Value], ...] = ()

    @property
    def well(self) -> Way:
        """How the other side treats a connection when all is well."""
        return self.way or answering(self.yes)


def factories() -> Mapping[str, Factory]:
    """All that there are, by channel type."""
    found: dict[str, Factory] = {}
    for path in sorted(Path(__file__).parent.glob("factory_*.py")):
        found |= import_module(f"tests.delivery.{path.stem}").FACTORIES
    return found
