"""Hosts that can be cut off: network namespaces on a bridge or, where those are not allowed, relays.

A namespace that is cut off hears nothing and is heard by nobody, without a word, as when a cable is pulled. A
relay can only break connections off.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from tests.faults.cutter import Cutter, before


class Host(Protocol):
    """Where processes run that can be cut off from all others.

    Attributes:
        prefix: what comes before a command, so that it runs there.
        port: where the server is to be reached from there; it is at the `address` of the network.
    """

    prefix: Sequence[str]
    port: int

    def cut(self) -> None:
        """Cut it off."""

    def heal(self) -> None:
        """Let it be there again."""


@dataclass
class Namespace:
    """A host that is a network namespace of its own."""

    name: str
    port: int
    _bridge: str

    @property
    def prefix(self) -> Sequence[str]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Pull its cable."""
        _ip("link", "set", self.name, "nomaster")

    def heal(self) -> None:
        """Put its cable back."""
        _ip("link", "set", self.name, "master", self._bridge)


@dataclass
class Behind:
    """A host that is only a relay to the server."""

    relay: Cutter
    prefix: Sequence[str] = ()

    @property
    def port(self) -> int:
        return self.relay.port

    def cut(self) -> None:
        """Break all of its connections off, and let it make none."""
        self.relay.die()

    def heal(self) -> None:
        """Let it connect."""
        self.relay.live()


@dataclass(frozen=True, slots=True)
class Network:
    """Hosts that reach this machine at one address.

    Attributes:
        kind: what the hosts are, in words.
        bridge: to which they are connected; None for relays.
    """

    kind: str
    address: str
    bridge: str | None = None

    @contextmanager
    def host(self, number: int, port: int) -> Iterator[Host]:
        """Give one more host, from which a server on this machine is reached.

        Args:
            number: from 1, another one for each host.
            port: that of the server.
        """
        if self.bridge is None:
            with before(port) as relay:
                yield Behind(relay)
            return
        name = f"{self.bridge}h{number}"
        with ExitStack() as undone:
            _ip("netns", "add", name)
            undone.callback(_ip, "netns", "delete", name)
            _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", name, "master", self.bridge, "up")
            near = self.address.rpartition(".")[0]
            _ip("-n", name, "address", "add", f"{near}.{number + 1}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            yield Namespace(name, port, self.bridge)


@contextmanager
def network() -> Iterator[Network]:
    """Give a network of namespaces, or one of relays where this machine does not allow them."""
    with ExitStack() as undone:
        found = Network("relays", "127.0.0.1")
        if shutil.which("ip") is not None:
            with suppress(subprocess.CalledProcessError):
                found = _bridged(undone)
        yield found


def _bridged(undone: ExitStack) -> Network:
    bridge = f"mt{secrets.token_hex(3)}"
    address = f"10.{secrets.randbelow(200) + 40}.{secrets.randbelow(250) + 1}.1"
    _ip("link", "add", bridge, "type", "bridge")
    undone.callback(_ip, "link", "delete", bridge)
    _ip("address", "add", f"{address}/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    _ip("netns", "add", bridge)
    _ip("netns", "delete", bridge)
    return Network("network namespaces", address, bridge)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
