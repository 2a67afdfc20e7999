"""A plugin whose service does not open, with a subscriber that needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moontide import CoreCall, CoreModule, Event, EventSubscriber, ServiceContext, hookimpl

gate = CoreModule("gate", summary="Opens a gate.")


@gate.service
@asynccontextmanager
async def open_gate(settings: None, context: ServiceContext) -> AsyncIterator[str]:
    raise RuntimeError("the key does not fit")
    yield ""


@gate.function("open")
def open_it(call: CoreCall) -> bool:
    """Open it."""
    return True


def tell(event: Event, key: str) -> None:
    raise AssertionError("never told")


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [gate]


@hookimpl
def moontide_event_subscribers() -> list[EventSubscriber]:
    return [EventSubscriber(tell, module=gate)]
