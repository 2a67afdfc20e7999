"""A plugin with executors: one that sends requests as bytes, and several that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from moontide import (
    Executor,
    ExecutorContext,
    ExecutorKind,
    Outcome,
    RunLog,
    RunRequest,
    RunStatus,
    hookimpl,
)

CLOSED: list[str] = []


class OverTheWire:
    """Sends each request as bytes, as to another machine, and has it carried out there."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        sent = msgspec.msgpack.encode(request)
        log.write("info", "sent")
        outcome = await self.inner.run(msgspec.msgpack.decode(sent, type=RunRequest), log=log, cancel=cancel)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome)


class Gives:
    """Ends each run with the same value."""

    def __init__(self, give: Callable[[], Any]) -> None:
        self.give = give

    async def run(self, request: RunRequest, *, log: RunLog, cancel: Any = None) -> Any:
        return self.give()


class Stuck:
    """Ends no run, whatever it is told."""

    async def run(self, request: RunRequest, *, log: RunLog, cancel: Any = None) -> Any:
        await asyncio.Event().wait()


def crash() -> Any:
    raise SystemExit("no machine tonight")


def kind(name: str, make: Callable[[ExecutorContext], Any]) -> ExecutorKind:
    def opened(context: ExecutorContext) -> AbstractAsyncContextManager[Executor]:
        return stay_open(name, make(context))

    return ExecutorKind(name=name, open=opened, summary="For tests.")


@asynccontextmanager
async def stay_open(name: str, executor: Any) -> AsyncIterator[Executor]:
    yield executor
    CLOSED.append(name)


def no_machine(context: ExecutorContext) -> Any:
    raise RuntimeError("no machine answers")


@hookimpl
def moontide_executors() -> list[ExecutorKind]:
    return [
        kind("wire", lambda context: OverTheWire(context.local)),
        kind("raising", lambda context: Gives(crash)),
        kind("nothing", lambda context: Gives(lambda: None)),
        kind("unfinished", lambda context: Gives(lambda: Outcome(RunStatus.RUNNING))),
        kind("odd", lambda context: Gives(lambda: Outcome(RunStatus.COMPLETE, result=object()))),
        kind("stuck", lambda context: Stuck()),
        kind("absent", no_machine),
        kind("local", lambda context: Stuck()),
    ]
