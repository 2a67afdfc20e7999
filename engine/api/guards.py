"""The walls in front of the routes: who calls and by which way, what that role may do, and how much comes."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.callers import OWNER, Caller, Callers, Way
from engine.api.failures import Failure, FailureDetail, describe
from engine.api.rights import Rights
from engine.errors import Forbidden
from engine.roles import Role

#: Largest request body; job files are far smaller.
BODY_BYTES = 2 * 2**20

#: What an engine that stands by sends with what it forwards: the secret of the leader's term, and who asks.
SECRET_HEADER = "x-moontide-forwarded"
CALLER_HEADER = "x-moontide-caller"

_LOCAL = "moontide.local"
_CALLER = "moontide.caller"


def is_local(scope: Scope) -> bool:
    """Return whether a request came through the Unix socket."""
    return bool(scope.get(_LOCAL))


class LocalListener:
    """Marks what comes through the Unix socket; whoever may open that is the owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, _LOCAL: True}, receive, send)


#: A client that asks for no more than a role, as one does that somebody less trusted looks through.
ROLE_HEADER = "x-moontide-role"


class CallerGuard:
    """Learns who calls, and lets in the owner through the socket and whoever brings a token (RFC 6750).

    Who sends `x-moontide-role` is no more than that role, whoever they are.
    """

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (caller := self._who(scope)) is None:
            await _unknown()(scope, receive, send)
        elif (role := Headers(scope=scope).get(ROLE_HEADER, Role.ADMIN)) in tuple(Role):
            await self._app({**scope, _CALLER: caller.at_most(Role(role))}, receive, send)
        else:
            await _no_role()(scope, receive, send)

    def _who(self, scope: Scope) -> Caller | None:
        headers = Headers(scope=scope)
        secret = headers.get(SECRET_HEADER)
        if secret is not None:
            encrypted = is_local(scope) or scope.get("scheme") == "https"
            return self._callers.forwarded(secret, headers.get(CALLER_HEADER, "")) if encrypted else None
        given = headers.get("authorization", "")
        if not given:
            return OWNER if is_local(scope) else None
        # A token that counts no longer must not make an owner of who sends it.
        caller = self._callers.of(given.removeprefix("Bearer ")) if given.startswith("Bearer ") else None
        from_session = caller is not None and caller.way is Way.SSH
        return None if from_session and not is_local(scope) else caller


def caller_of(scope: Scope) -> Caller:
    """Return who calls; known behind the `CallerGuard`."""
    return cast(Caller, scope[_CALLER])


def require(scope: Scope, needed: Role, what: str) -> None:
    """Let only those go on whose role suffices, for what hangs on more than the route.

    Raises:
        Forbidden: says what was asked for, and the role that it needs.
    """
    caller = caller_of(scope)
    if not caller.role.may(needed):
        raise Forbidden(what, role=caller.role, needed=needed, name=caller.name)


class RoleGuard:
    """Refuses what the caller's role may not do, before anything of the request is read."""

    def __init__(self, app: ASGIApp, rights: Rights) -> None:
        self._app = app
        self._rights = rights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            needed, caller = self._rights.needed(scope["method"], scope["path"]), caller_of(scope)
            if not caller.role.may(needed):
                await _forbidden(scope, caller, needed)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _unknown() -> Response:
    detail = FailureDetail(
        "unauthorized",
        "this address needs the header `Authorization: Bearer TOKEN`, with a token of this engine",
    )
    return failure_response(HTTPStatus.UNAUTHORIZED, Failure(detail), {"www-authenticate": "Bearer"})


def _no_role() -> Response:
    detail = FailureDetail("bad_input", f"{ROLE_HEADER} must be {', '.join(Role)}")
    return failure_response(HTTPStatus.UNPROCESSABLE_ENTITY, Failure(detail))


def _forbidden(scope: Scope, caller: Caller, needed: Role) -> Response:
    what = f"{scope['method']} {scope['path']}"
    status, failure = describe(Forbidden(what, role=caller.role, needed=needed, name=caller.name))
    return failure_response(status, failure)


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
