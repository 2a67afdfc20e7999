"""Sends requests of jobs, follows redirects by hand, and reads answers of bounded size."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import httpcore
import httpx

from moontide import CoreError
from moontide.quantities import format_duration
from plugins.network.addresses import AddressError, Addresses
from plugins.network.body import BodyError, Room, read_body
from plugins.network.connect import CheckedBackend
from plugins.network.pool import Pool
from plugins.network.request import NETWORK, Request, host_of, port_of, target
from plugins.network.settings import NetworkSettings

#: A redirect's own body is read up to here, so that its connection can be used again.
_REDIRECT_BODY_BYTES = 2**16

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: Told of each host that a redirect leads to; raises CoreError to refuse.
Permit = Callable[[str], None]


class Client:
    """The connections of all jobs to the web."""

    def __init__(self, settings: NetworkSettings, *, addresses: Addresses | None = None) -> None:
        """Make a client; `async with` closes its connections.

        Args:
            addresses: says which addresses may be reached; those of the settings if None.
        """
        self._settings = settings
        self._backend = CheckedBackend(addresses or Addresses(settings.allow))
        self._pools: dict[bool, Pool] = {}
        self._open = AsyncExitStack()

    @property
    def settings(self) -> NetworkSettings:
        """What the operator says."""
        return self._settings

    async def __aenter__(self) -> Self:
        """Make ready for requests."""
        await self._backend.sleep(0)
        self._pools[True] = await self._new_pool(ssl_verify=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._open.aclose()

    def room(self) -> Room:
        """Return what the answers of one call may fill."""
        return Room(self._settings.max_body_bytes)

    async def send(self, request: Request, *, permit: Permit, room: Room) -> dict[str, Any]:
        """Send a request and return `{status, headers, body}`.

        Raises:
            CoreError: 815, there is no answer, or none that can be taken; or what `permit` raises.
        """
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._follow(request, permit, room)
        except TimeoutError as error:
            limit = format_duration(request.timeout_seconds)
            raise _failed(request, f"no whole answer from {target(request.url)} within {limit}") from error

    async def _follow(self, request: Request, permit: Permit, room: Room) -> dict[str, Any]:
        for _ in range(request.max_redirects + 1):
            answer = await self._send_once(request, room)
            if not isinstance(answer, Request):
                return answer
            request = answer
            permit(target(request.url))
        raise _failed(
            request, f"more than {request.max_redirects} redirects, the last to {target(request.url)}"
        )

    async def _send_once(self, request: Request, room: Room) -> dict[str, Any] | Request:
        try:
            return await self._exchange(request, room)
        except AddressError as error:
            raise _failed(request, str(error)) from error
        except BodyError as error:
            raise _failed(request, f"{target(request.url)}: {error}") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise _failed(request, _words(request, error)) from error

    async def _exchange(self, request: Request, room: Room) -> dict[str, Any] | Request:
        pool = await self._pool(request.ssl_verify)
        async with pool.exchange(self._message(request)) as response:
            headers = _headers_of(response)
            location = headers.get("location")
            if request.max_redirects and response.status in _REDIRECTS and location:
                with suppress(BodyError):
                    await read_body(response.aiter_stream(), "", Room(_REDIRECT_BODY_BYTES))
                return request.redirected(response.status, _text(location))
            body = await read_body(response.aiter_stream(), _text(headers.get("content-encoding", "")), room)
            return {"status": response.status, "headers": headers, "body": body}

    def _message(self, request: Request) -> httpcore.Request:
        headers = {
            b"host": request.url.netloc,
            b"accept": b"*/*",
            b"accept-encoding": b"gzip, deflate",
            b"user-agent": self._settings.user_agent.encode(),
            **dict(request.headers),
        }
        if request.body is not None:
            headers[b"content-length"] = str(len(request.body)).encode()
        return httpcore.Request(
            request.method, _url(request.url), headers=list(headers.items()), content=request.body
        )

    async def _pool(self, ssl_verify: bool) -> Pool:
        # Connections to unproven hosts stay apart: nobody who asks for proof may be given one of them.
        if ssl_verify not in self._pools:
            self._pools[ssl_verify] = await self._new_pool(ssl_verify=ssl_verify)
        return self._pools[ssl_verify]

    async def _new_pool(self, *, ssl_verify: bool) -> Pool:
        context = await asyncio.to_thread(self._ssl_context, ssl_verify)
        pool = Pool(context, self._backend)
        self._open.push_async_callback(pool.close)
        return pool

    def _ssl_context(self, ssl_verify: bool) -> ssl.SSLContext:
        context = httpx.create_ssl_context(verify=ssl_verify, trust_env=False)
        if ssl_verify and self._settings.ca_file is not None:
            context.load_verify_locations(self._settings.ca_file)
        return context


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port_of(url), target=url.raw_path)


def _headers_of(response: httpcore.Response) -> dict[str, str | bytes]:
    collected: dict[str, list[bytes]] = {}
    for name, value in response.headers:
        collected.setdefault(name.decode("ascii", "replace").lower(), []).append(value)
    # RFC 9110, section 5.3: several lines of a header are one list, but cookies hold commas of their own.
    return {
        name: _utf8((b"\n" if name == "set-cookie" else b", ").join(values))
        for name, values in collected.items()
    }


def _utf8(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _failed(request: Request, words: str) -> CoreError:
    return CoreError(f"{request.label}: {words}", NETWORK)


def _words(request: Request, error: Exception) -> str:
    where = target(request.url)
    reason = _cause(error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not trusted: {reason.verify_message}"
    if isinstance(reason, ssl.SSLError):
        return f"{where} does not speak TLS as it should"
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        refused = isinstance(reason, ConnectionRefusedError)
        return f"{where} refuses connections" if refused else f"{where} cannot be reached"
    if isinstance(error, httpcore.ProtocolError):
        return f"{where} does not answer as HTTP says, or hung up before its answer was whole"
    return f"the connection to {host_of(request.url)} broke"


def _cause(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
