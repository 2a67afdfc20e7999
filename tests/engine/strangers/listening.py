"""A plugin with subscribers: one that fails, one in a thread, one on the loop with a service."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moontide import CoreModule, EventSubscriber, RunFinished, RunQueued, ServiceContext, hookimpl

memory = CoreModule("memory", summary="Remembers what happened.")

#: (where, kind of event, job), as it was told.
TOLD: list[tuple[str, str, str]] = []
STORY: list[str] = []


@memory.service
@asynccontextmanager
async def remember(settings: None, context: ServiceContext) -> AsyncIterator[list[str]]:
    STORY.clear()
    yield STORY
    STORY.append("closed")


def fail(event: RunFinished) -> None:
    raise RuntimeError("the listener broke")


def in_thread(event: RunFinished) -> None:
    on_main = threading.current_thread() is threading.main_thread()
    TOLD.append(("main" if on_main else "thread", type(event).__name__, event.job))


async def on_loop(event: RunFinished, story: list[str]) -> None:
    story.append(f"{event.job} {event.status}")


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [memory]


@hookimpl
def moontide_event_subscribers() -> list[EventSubscriber]:
    return [
        EventSubscriber(fail, kinds=(RunFinished, RunQueued)),
        EventSubscriber(in_thread, kinds=(RunFinished,)),
        EventSubscriber(on_loop, kinds=(RunFinished,), module=memory),
    ]
