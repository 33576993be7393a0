"""The other side of all channels: it remembers what it took, and never forgets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.delivery.peers import Connection, Peer, Reply, Request, Way, peer
from tests.proof.policies import CHANNELS


class Receiver:
    """A peer for each channel. What came is counted by (channel, idempotency key), on `sms` by (channel, text).

    `ways` says how a channel treats connections; one that is not named takes everything.
    """

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        self.bodies: dict[tuple[str, str], set[bytes]] = {}
        self.lock = threading.Lock()
        self.ways: dict[str, Way] = {}
        self.peers: dict[str, Peer] = {}

    @property
    def urls(self) -> Mapping[str, str]:
        return {name: peer.url for name, peer in self.peers.items()}

    @property
    def way(self) -> Way | None:
        """How all channels treat connections."""
        return self.ways.get(CHANNELS[0])

    @way.setter
    def way(self, way: Way | None) -> None:
        self.ways = {} if way is None else dict.fromkeys(CHANNELS, way)

    @property
    def sum(self) -> int:
        with self.lock:
            return sum(self.taken.values())

    def note(self, request: Request) -> Reply:
        """Take it: from here on the message has reached its user, whether or not anybody hears of that."""
        channel = request.path.strip("/")
        if channel in CHANNELS or channel == "brief":
            key, reply = request.headers["webhook-id"], Reply(200, b"{}")
        else:
            channel, key = "sms", request.form()["Body"]
            reply = Reply(201, b'{"sid": "SM%032x", "status": "queued"}' % (abs(hash(key)) % (1 << 128)))
        with self.lock:
            self.taken[channel, key] += 1
            self.bodies.setdefault((channel, key), set()).add(request.body)
        return reply

    def treating(self, channel: str) -> Way:
        def way(connection: Connection) -> None:
            while (ill := self.ways.get(channel)) is None:
                if not connection.begun():
                    return
                if channel not in self.ways:  # it may have fallen ill while the connection was kept
                    request = connection.read()
                    if request is None:
                        return
                    connection.send(self.note(request).encoded())
            ill(connection)

        return way


def refusing(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"no") -> Way:
    """Answers one request so, and closes the connection: who is well again later need not wait for its end."""

    def way(connection: Connection) -> None:
        if connection.read() is not None:
            connection.send(Reply(status, body, headers or {}).encoded(close=True))

    return way


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens as long as the block."""
    receiver = Receiver()
    with ExitStack() as stack:
        for channel in CHANNELS:
            receiver.peers[channel] = stack.enter_context(peer(receiver.treating(channel)))
        yield receiver
