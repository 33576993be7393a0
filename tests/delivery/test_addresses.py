"""Which addresses may be asked."""

from __future__ import annotations

import threading

import pytest

from botopt.delivery.addresses import Forbidden, Unknown, addresses, is_public

PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:0808:0808::1",
)
NOT_PUBLIC = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:0a00:0001::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
    "127.1",
    "0x7f000001",
    "2130706433",
    "010.0.0.1",
)


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_public_internet_may_be_asked(text: str):
    assert is_public(text)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_any_other_may_not_however_it_is_written(text: str):
    assert not is_public(text)


def found(*answers: str, private_networks: bool = False) -> tuple[str, ...]:
    return addresses(
        "host", 443, private_networks=private_networks, timeout_s=5, resolve=lambda host, port: answers
    )  # fmt: skip


def test_every_address_is_kept_once_in_its_order():
    assert found("8.8.8.8", "1.1.1.1", "8.8.8.8") == ("8.8.8.8", "1.1.1.1")


@pytest.mark.parametrize(
    "answers", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::1", "8.8.8.8"), ("8.8.8.8",) * 20 + ("10.0.0.1",)]
)
def test_one_address_that_is_not_public_refuses_them_all(answers: tuple[str, ...]):
    with pytest.raises(Forbidden, match="private network"):
        found(*answers)


def test_an_operator_may_allow_private_networks():
    assert found("10.0.0.1", "::1", private_networks=True) == ("10.0.0.1", "::1")


def test_a_name_without_addresses_is_unknown():
    with pytest.raises(Unknown, match="not known"):
        found()


@pytest.mark.parametrize("fault", [OSError("no"), UnicodeError("label too long")])
def test_a_look_up_that_fails_is_unknown(fault: Exception):
    def resolve(host: str, port: int) -> tuple[str, ...]:
        raise fault

    with pytest.raises(Unknown, match="not known"):
        addresses("host", 1, private_networks=False, timeout_s=5, resolve=resolve)


def test_a_look_up_that_hangs_ends_with_the_deadline():
    over = threading.Event()

    def resolve(host: str, port: int) -> tuple[str, ...]:
        over.wait(30)
        return ("8.8.8.8",)

    try:
        with pytest.raises(Unknown, match="in time"):
            addresses("host", 1, private_networks=False, timeout_s=0.05, resolve=resolve)
    finally:
        over.set()
