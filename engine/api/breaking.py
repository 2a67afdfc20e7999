"""Requests that are broken off because the engine ends in the midst of them."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.failures import describe
from engine.api.guards import failure_response
from engine.errors import CommitUnknown

logger = logging.getLogger("moontide.api")


class BrokenOff:
    """Answers a request that is broken off: to uvicorn it would be a failure, told of with a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def note(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except asyncio.CancelledError:
            if not _is_cancelled():
                raise
            asked = f"{scope.get('method')} {scope.get('path')}"
            logger.warning("%s was broken off, as the engine ends", asked)
            if not answered:
                error = CommitUnknown(f"the engine ended before it answered {asked}; it may be done, or not")
                await failure_response(*describe(error))(scope, receive, send)


def _is_cancelled() -> bool:
    """Return whether it is the request itself that was cancelled, not something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
