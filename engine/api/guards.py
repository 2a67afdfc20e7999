"""The walls in front of the routes: which way a request came, its token, and its size."""

from __future__ import annotations

import hmac
from http import HTTPStatus

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.failures import Failure, FailureDetail

#: Largest request body; job files are far smaller.
BODY_BYTES = 2 * 2**20

_LOCAL = "moontide.local"


def is_local(scope: Scope) -> bool:
    """Return whether a request came through the Unix socket."""
    return bool(scope.get(_LOCAL))


class LocalListener:
    """Marks what comes through the Unix socket; whoever may open that needs no token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, _LOCAL: True}, receive, send)


class TokenGuard:
    """Lets requests from the network pass only with the bearer token (RFC 6750); with none set, never."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_local(scope) or self._is_right(scope):
            await self._app(scope, receive, send)
        else:
            await _refusal()(scope, receive, send)

    def _is_right(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        return self._wanted is not None and hmac.compare_digest(given, self._wanted)


def _refusal() -> Response:
    detail = FailureDetail("unauthorized", "this address needs the header `Authorization: Bearer TOKEN`")
    return failure_response(HTTPStatus.UNAUTHORIZED, Failure(detail), {"www-authenticate": "Bearer"})


class BodyLimit:
    """Refuses requests whose body is too large, announced or not."""

    def __init__(self, app: ASGIApp, limit_bytes: int = BODY_BYTES) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise too_large(self._limit)
            return message

        await self._app(scope, counted, send)


def too_large(limit_bytes: int) -> HTTPException:
    """Return the error for a body above the limit."""
    return HTTPException(413, f"the request is larger than {limit_bytes // 2**20} MiB")


def failure_response(status: int, failure: Failure, headers: dict[str, str] | None = None) -> Response:
    """Return a failure as a JSON response."""
    return Response(
        msgspec.json.encode(failure), status_code=status, media_type="application/json", headers=headers
    )
