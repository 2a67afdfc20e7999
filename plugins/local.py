"""The executor `local`: runs go on in this engine's own sandboxed workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moontide import Executor, ExecutorContext, ExecutorKind, hookimpl


@asynccontextmanager
async def open_local(context: ExecutorContext) -> AsyncIterator[Executor]:
    """Give the engine's own executor, which the engine itself opens and closes."""
    yield context.local


@hookimpl
def moontide_executors() -> list[ExecutorKind]:
    """Return the executor `local`."""
    return [ExecutorKind(name="local", open=open_local, summary="This engine's own sandboxed workers.")]
