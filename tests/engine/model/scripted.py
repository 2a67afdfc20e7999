"""A plugin with an executor whose runs end when, and as, a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moontide import ExecutorContext, ExecutorKind, Outcome, RunLog, RunRequest, RunStatus, hookimpl

NAME = "scripted"


class ScriptedExecutor:
    """Holds each run until it is told how that one ends.

    Attributes:
        under_way: how the runs that it holds will have ended, by their id.
            One that is told so is no longer among them.
    """

    def __init__(self) -> None:
        self.under_way: dict[int, asyncio.Future[Outcome]] = {}

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.under_way[request.run_id] = ended
        wanted = {ended} if cancel is None else {ended, cancel}
        try:
            await asyncio.wait(wanted, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.under_way.pop(request.run_id, None)
        if ended.done():
            return ended.result()
        assert cancel is not None
        return Outcome(RunStatus.CANCELLED, error=cancel.result())


#: The one of the engine that runs now.
EXECUTOR = ScriptedExecutor()


@asynccontextmanager
async def open_scripted(context: ExecutorContext) -> AsyncIterator[ScriptedExecutor]:
    """Give the executor to an engine that starts."""
    yield EXECUTOR


@hookimpl
def moontide_executors() -> list[ExecutorKind]:
    """Offer it."""
    return [ExecutorKind(name=NAME, open=open_scripted, summary="For tests.")]
