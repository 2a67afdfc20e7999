"""The address rules of core.network: who may be reached, by which name, in which writing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest

from plugins.network.addresses import (
    AddressError,
    Addresses,
    IPAddress,
    SystemResolver,
    parse_allowed,
    word_of,
)
from tests.plugins.network.book import Book


async def refusal(addresses: Addresses, host: str, port: int = 80) -> str:
    with pytest.raises(AddressError) as caught:
        await addresses.find(host, port)
    return str(caught.value)


PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]

UNLISTED = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "0.0.0.0",
    "::",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "fc00::1",
    "fd12::1",
    "fec0::1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1:7f00:0:100::",
    "2002:7f00:1::",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "4000::1",
]


@pytest.mark.parametrize("address", PUBLIC)
async def test_a_public_address_may_be_reached(address: str) -> None:
    found = await Addresses().find(address, 443)
    assert [word_of(one) for one in found] == [None]


@pytest.mark.parametrize("address", [*NEVER, *UNLISTED])
async def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert " address" in await refusal(Addresses(), address)


@pytest.mark.parametrize("address", NEVER)
async def test_link_local_and_metadata_addresses_are_refused_even_if_listed(address: str) -> None:
    addresses = Addresses(["0.0.0.0/0", "::/0", "a.test"], resolve=Book(a_test=[[address]]))
    assert "which no job may reach" in await refusal(addresses, address)
    assert "which no job may reach" in await refusal(addresses, "a.test")


@pytest.mark.parametrize("address", UNLISTED)
async def test_other_special_addresses_may_be_listed(address: str) -> None:
    assert await Addresses(["0.0.0.0/0", "::/0"]).find(address, 80)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 1),
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("127.0.0.1:8080", "::ffff:127.0.0.1", 8080),
        ("[::1]:8080", "[::1]", 8080),
        ("::1", "::1", 80),
        ("[::1]", "0:0:0:0:0:0:0:1", 80),
        ("10.0.0.0/8", "10.200.0.1", 9),
        ("10.0.0.0/8:443", "10.200.0.1", 443),
        ("fd00::/8", "fd12::7", 80),
        ("NAS.local", "nas.local", 80),
        ("nas.local.:445", "NAS.local.", 445),
    ],
)
async def test_a_listed_address_or_name_may_be_reached(entry: str, host: str, port: int) -> None:
    book = Book(nas_local=[["10.0.0.5"]])
    assert await Addresses([entry], resolve=book).find(host, port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8081),
        ("127.0.0.1", "127.0.0.2", 80),
        ("10.0.0.0/8", "192.168.0.1", 80),
        ("10.0.0.0/8:443", "10.0.0.1", 80),
        ("nas.local", "other.local", 80),
        ("nas.local:80", "nas.local", 81),
        ("local", "nas.local", 80),
        ("2002::/16", "2002:7f00:1::", 80),
        ("127.0.0.1", "64:ff9b::7f00:1", 80),
    ],
)
async def test_a_listed_address_opens_nothing_else(entry: str, host: str, port: int) -> None:
    book = Book(nas_local=[["10.0.0.5"]], other_local=[["10.0.0.5"]])
    assert "to let jobs reach it" in await refusal(Addresses([entry], resolve=book), host, port)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 8080), ("::1", 443), ("nas.local", 80), ("::ffff:10.0.0.1", 80)]
)
async def test_the_line_that_a_refusal_asks_for_is_the_line_that_helps(host: str, port: int) -> None:
    book = Book(nas_local=[["10.0.0.5", "fd00::5"]])
    words = await refusal(Addresses(resolve=book), host, port)
    line = re.search(r'\[network\] allow = \["([^"]+)"\]$', words)
    assert line is not None
    assert await Addresses([line[1]], resolve=book).find(host, port)


async def test_a_refusal_says_what_the_address_is() -> None:
    addresses = Addresses(resolve=Book(nas_local=[["10.0.0.5"]]))
    assert await refusal(addresses, "nas.local", 8080) == (
        "nas.local:8080 leads to 10.0.0.5, a private address; to let jobs reach it, add to moontide.toml: "
        '[network] allow = ["nas.local:8080"]'
    )
    assert (await refusal(addresses, "::1", 80)).startswith("[::1]:80 is a loopback address; ")


async def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    book = Book(mixed_test=[["93.184.215.14", "10.0.0.1"]])
    assert "leads to 10.0.0.1" in await refusal(Addresses(resolve=book), "mixed.test")


async def test_a_host_is_looked_up_once_and_its_addresses_come_back_in_order() -> None:
    book = Book(two_test=[["2606:4700::2", "93.184.215.14"], ["127.0.0.1"]])
    found = await Addresses(resolve=book).find("two.test", 80)
    assert [str(address) for address in found] == ["2606:4700::2", "93.184.215.14"]
    assert book.asked == ["two.test"]


async def test_an_address_is_not_looked_up() -> None:
    book = Book()
    assert await Addresses(["::1"], resolve=book).find("::1", 80)
    assert book.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.1", "0", "0x7f000001", "017700000001", "2130706433", "0177.0.0.1", "localhost", "LOCALHOST."],
)
async def test_this_machine_in_other_writings_is_refused(host: str) -> None:
    assert "to let jobs reach it" in await refusal(Addresses(), host)


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a\0b", "", "..", "host name"])
async def test_what_is_no_host_is_an_error_in_words(host: str) -> None:
    assert re.search("looked up|no host named", await refusal(Addresses(), host))


async def test_an_unknown_host_is_an_error_in_words() -> None:
    assert await refusal(Addresses(resolve=Book()), "nobody.test") == "there is no host named nobody.test"


async def test_a_host_without_addresses_is_refused() -> None:
    assert (
        await refusal(Addresses(resolve=Book(empty_test=[[]])), "empty.test") == "empty.test has no address"
    )


async def test_a_name_server_that_does_not_answer_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> Sequence[IPAddress]:
        await asyncio.get_running_loop().create_future()
        return []

    addresses = Addresses(resolve=never, lookup_seconds=0.01)
    assert await refusal(addresses, "slow.test") == "slow.test could not be looked up within 0.01 s"


async def test_more_lookups_than_threads_all_get_an_answer() -> None:
    resolver = SystemResolver()
    answers = await asyncio.gather(*(resolver("127.0.0.1", 80) for _ in range(100)))
    assert all(str(answer[0]) == "127.0.0.1" for answer in answers)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://nas.local",
        "*.local",
        "10.0.0.1/8",
        "nas.local:0",
        "nas.local:65536",
        "1.2.3",
        "nas local",
        "a/b",
    ],
)
def test_a_wrong_line_of_allow_is_refused_with_examples(entry: str) -> None:
    with pytest.raises(ValueError, match="is neither a host nor an address; write "):
        parse_allowed(entry)
