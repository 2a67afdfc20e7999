"""Connections to checked addresses only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpcore

from plugins.network.addresses import Addresses

#: An address that does not answer so long gives way to the next, if there is one.
ATTEMPT_SECONDS = 2.0


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that passed the rules, looked up and checked anew for each connection.

    Host name and certificate stay those of the URL: only the address is chosen here, so a name server that
    changes its mind between the check and the connection changes nothing.
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._network = httpcore.AnyIOBackend()

    async def sleep(self, seconds: float) -> None:
        """Pause. The first call also loads what connections need, which takes a while."""
        await self._network.sleep(seconds)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            AddressError: the host may not be reached.
            httpcore.ConnectError: none of its addresses answers.
        """
        *others, last = await self._addresses.find(host, port)
        for address in others:
            try:
                return await self._connect(str(address), port, ATTEMPT_SECONDS, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connect(str(last), port, timeout, local_address, socket_options)

    async def _connect(self, *where: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._network.connect_tcp(*where))


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed also where a handshake is abandoned in its middle."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self.read = stream.read  # type: ignore[method-assign]
        self.write = stream.write  # type: ignore[method-assign]
        self.aclose = stream.aclose  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    async def start_tls(self, *arguments: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        """Begin TLS, or hang up."""
        try:
            return await self._stream.start_tls(*arguments, **named)
        except BaseException:
            await self._stream.aclose()
            raise
