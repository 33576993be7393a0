"""Where requests may go: what a host's name stands for is looked up once, checked, and that very address is used.

An author writes the address of a webhook, and platforms name addresses in what they send. Without this guard both could
make the service ask what only it can reach: the metadata of a cloud, a database's console, this machine itself.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Resolve = Callable[[str, int], Sequence[str]]
"""A host's name and a port -> its addresses, as texts. Raises OSError or UnicodeError where there are none."""

_MOST = 8
"""Addresses of one name that are looked at."""

# The registries of special addresses (RFC 6890), written out: what Python counts as global differs by its version.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a carrier (CGNAT)
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by its number, and in Azure every machine's own host
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, which are gone
        "192.168.0.0/16",
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols' own, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",
    )
)
_6TO4 = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")


class Forbidden(Exception):
    """The address is one that must not be asked. The sentence does not name it."""


class Unknown(Exception):
    """The host's name stands for no address, as far as can be told now."""


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, wherever it is written inside another one."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    inner = _inside(address)
    if inner is not None:
        return is_public(str(inner))
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that this one leads to."""
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return None


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(entry[4][0]) for entry in found)


def addresses(
    host: str, port: int, *, private_networks: bool, timeout_s: float, resolve: Resolve = look_up
) -> tuple[str, ...]:
    """The addresses to connect to, in the order to try them. One that is not public refuses them all.

    Raises:
        Forbidden: some address is not public, and `private_networks` is false.
        Unknown: there is none, or none was found in time.
    """
    found = tuple(dict.fromkeys(_in_time(host, port, timeout_s, resolve)))[:_MOST]
    if not found:
        raise Unknown("the host is not known")
    if not private_networks and not all(map(is_public, found)):
        raise Forbidden(
            "the host is in a private network, and only public ones are asked; an operator can allow private networks "
            "(--allow-private-networks)"
        )
    return found


def _in_time(host: str, port: int, timeout_s: float, resolve: Resolve) -> Sequence[str]:
    """Look a name up in a thread of its own: the system's resolver knows no deadline."""
    found: list[Sequence[str]] = []

    def ask() -> None:
        try:
            found.append(resolve(host, port))
        except (OSError, UnicodeError):
            found.append(())

    thread = threading.Thread(target=ask, name="look-up", daemon=True)
    thread.start()
    thread.join(max(timeout_s, 0.0))
    if not found:
        raise Unknown("the host's name could not be looked up in time")
    return found[0]
