"""Which addresses jobs may reach: the public ones, and what the operator lists in `[network] allow`.

A job's author chooses the host, and whoever runs the DNS of that host chooses the addresses. So the check is
on addresses, and the connection goes to the very address that was checked.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

#: Looks a name up: from host and port to addresses, the best first. Raises OSError if there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

#: How long a look-up may take.
LOOKUP_SECONDS = 5.0

#: Look-ups at once, those included that nobody waits for any more.
MOST_LOOKUPS = 32

# What answers here hands out the machine's own credentials, or is on this very wire: not even if listed.
_NEVER = [
    (ip_network(network), word)
    for network, word in (
        ("169.254.0.0/16", "link-local"),
        ("fe80::/10", "link-local"),
        ("100.100.100.200/32", "cloud metadata"),  # Alibaba Cloud
        ("168.63.129.16/32", "cloud metadata"),  # Azure
        ("192.0.0.192/32", "cloud metadata"),  # Oracle Cloud
        ("fd00:ec2::/32", "cloud metadata"),  # AWS
        ("fd20:ce::/32", "cloud metadata"),  # Google Cloud
        ("fd00:42::42/128", "cloud metadata"),  # Scaleway
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("255.255.255.255/32", "broadcast"),
    )
]

# From the IANA registries of special-purpose addresses. `is_global` of the standard library knows less: it
# takes 64:ff9b::7f00:1 and fec0::1 for public, for instance.
_NOT_PUBLIC = [
    (ip_network(network), word)
    for network, word in (
        ("127.0.0.0/8", "loopback"),
        ("::1/128", "loopback"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("fc00::/7", "private"),
        ("fec0::/10", "private"),
        ("100.64.0.0/10", "shared"),
        ("0.0.0.0/8", "reserved"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("198.18.0.0/15", "reserved"),
        ("198.51.100.0/24", "reserved"),
        ("203.0.113.0/24", "reserved"),
        ("240.0.0.0/4", "reserved"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved"),
        ("2002::/16", "reserved"),
        ("3fff::/20", "reserved"),
    )
]
_GLOBAL_UNICAST = IPv6Network("2000::/3")

_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")

#: NAT64, IPv4-translated, IPv4-compatible.
_IPV4_AT_THE_END = [IPv6Network(text) for text in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")]

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*")
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]+)):(?P<port>[0-9]{1,5})")


class AddressError(Exception):
    """A host may not be reached, or has no address; the text is fit for the job's author."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line of `allow`: a name, or a range of addresses, with one port or any."""

    name: str | None
    network: IPNetwork | None
    port: int | None

    def covers(self, host: str, port: int, address: IPAddress) -> bool:
        """Whether this line opens the address to whoever asked for the host."""
        if self.port is not None and self.port != port:
            return False
        return address in self.network if self.network is not None else host == self.name


def parse_allowed(entry: str) -> Allowed:
    """Return a line of `allow`: `"127.0.0.1:8080"`, `"[::1]:80"`, `"10.0.0.0/8"`, `"nas.local"`.

    Raises:
        ValueError: in words for the person who wrote it.
    """
    text = entry.strip().lower()
    with_port = _WITH_PORT.fullmatch(text)
    host = (with_port["six"] or with_port["host"]) if with_port else text.removeprefix("[").removesuffix("]")
    port = int(with_port["port"]) if with_port else None
    network = _network(host)
    name = host.rstrip(".") if network is None else None
    if (name is not None and not _is_name(name)) or (port is not None and not 1 <= port <= 65_535):
        raise ValueError(
            f"{entry!r} is neither a host nor an address; write 127.0.0.1:8080, [::1]:8080, 10.0.0.0/8 "
            "or nas.local"
        )
    return Allowed(name, network, port)


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text)


def _network(text: str) -> IPNetwork | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


class Addresses:
    """Finds the addresses of hosts and lets none pass that jobs may not reach."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolve: Resolve | None = None,
        lookup_seconds: float = LOOKUP_SECONDS,
    ) -> None:
        """Make a checker.

        Args:
            allow: the lines of `[network] allow`, as `parse_allowed` takes them.
            resolve: looks names up; the operating system if None.

        Raises:
            ValueError: a line of `allow` is wrong.
        """
        self._allow = [parse_allowed(entry) for entry in allow]
        self._resolve = resolve or SystemResolver()
        self._lookup_seconds = lookup_seconds

    async def find(self, host: str, port: int) -> list[IPAddress]:
        """Look a host up, once, and return its addresses, the best first.

        Connect to one of these and not to the name: a second look-up may give another answer.

        Raises:
            AddressError: there are none, or at least one of them may not be reached.
        """
        host = host.removeprefix("[").removesuffix("]").rstrip(".").lower()
        literal = _literal(host)
        if literal is not None:
            self._check(str(_plain(literal)), port, _plain(literal))
            return [_plain(literal)]
        addresses = [_plain(address) for address in await self._look_up(host, port)]
        for address in addresses:
            self._check(host, port, address)
        return addresses

    async def _look_up(self, host: str, port: int) -> Sequence[IPAddress]:
        try:
            async with asyncio.timeout(self._lookup_seconds):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise AddressError(f"{host} could not be looked up within {self._lookup_seconds:g} s") from error
        except socket.gaierror as error:
            raise AddressError(_lookup_words(host, error)) from error
        except (OSError, ValueError) as error:  # ValueError: no name at all, such as one with a zero byte
            raise AddressError(f"{host} could not be looked up") from error
        if not found:
            raise AddressError(f"{host} has no address")
        return found

    def _check(self, host: str, port: int, address: IPAddress) -> None:
        for face in faces(address):
            word = _word_in(_NEVER, face)
            if word is not None:
                raise AddressError(f"{_leads(host, port, address, word)}, which no job may reach")
        for face in faces(address):
            word = word_of(face)
            if word is not None and not any(one.covers(host, port, face) for one in self._allow):
                line = f'[network] allow = ["{join(host, port)}"]'
                raise AddressError(
                    f"{_leads(host, port, address, word)}; to let jobs reach it, add to moontide.toml: {line}"
                )


def faces(address: IPAddress) -> list[IPAddress]:
    """Return an address and every IPv4 address that a packet to it may end at."""
    address = _plain(address)
    if isinstance(address, IPv4Address):
        return [address]
    return [address, *_inner(address)]


def _plain(address: IPAddress) -> IPAddress:
    """An IPv4 address in IPv6 writing (::ffff:127.0.0.1) is that IPv4 address; zones (%eth0) are left out."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _inner(address: IPv6Address) -> list[IPv4Address]:
    number = int(address)
    last = IPv4Address(number & 0xFFFF_FFFF)
    if number <= 1:  # :: and ::1 carry no IPv4 address
        return []
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _NAT64_LOCAL:
        # RFC 6052, section 2.2: with a prefix of 48 bits the IPv4 address lies around byte 8.
        return [last, IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF)]
    if any(address in network for network in _IPV4_AT_THE_END):
        return [last]
    return []


def word_of(address: IPAddress) -> str | None:
    """Return what kind of address this is, such as "loopback"; None if it is a public one."""
    word = _word_in(_NEVER, address) or _word_in(_NOT_PUBLIC, address)
    if word is None and isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return word


def _word_in(table: Sequence[tuple[IPNetwork, str]], address: IPAddress) -> str | None:
    return next((word for network, word in table if address in network), None)


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _leads(host: str, port: int, address: IPAddress, word: str) -> str:
    if _literal(host) is not None:
        return f"{join(host, port)} is a {word} address"
    return f"{join(host, port)} leads to {address}, a {word} address"


def join(host: str, port: int) -> str:
    """Return host and port in one text, as URLs write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _lookup_words(host: str, error: socket.gaierror) -> str:
    if error.errno == socket.EAI_AGAIN:
        return f"{host} could not be looked up: the name server does not answer"
    return f"there is no host named {host}"


class SystemResolver:
    """Asks the operating system, in threads of its own.

    A look-up cannot be interrupted, and may take long where a name server is down. The threads are daemons:
    one that nobody waits for any more keeps neither other work nor the engine's end.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MOST_LOOKUPS)

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        """Return the addresses of a host.

        Raises:
            OSError: there are none.
            ValueError: the host is no name at all.
        """
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[IPAddress]] = loop.create_future()

        def work() -> None:
            found = _addresses_of(host, port)
            with suppress(RuntimeError):  # the loop was closed in the meantime
                loop.call_soon_threadsafe(self._tell, answer, found)

        threading.Thread(target=work, name="look-up", daemon=True).start()
        return await answer

    def _tell(
        self, answer: asyncio.Future[Sequence[IPAddress]], found: Sequence[IPAddress] | Exception
    ) -> None:
        self._places.release()
        if answer.done():
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)


def _addresses_of(host: str, port: int) -> list[IPAddress] | Exception:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        return error
    return [ip_address(str(entry[4][0])) for entry in entries]
