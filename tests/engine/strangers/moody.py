"""A plugin whose functions misbehave in every way there is."""

from __future__ import annotations

import asyncio
import threading

from moontide import CoreCall, CoreError, CoreModule, hookimpl

moody = CoreModule("moody", summary="Misbehaves.")

#: Set when a call that was abandoned noticed it.
noticed = threading.Event()


@moody.function(timeout_seconds=0.2)
async def dawdle(call: CoreCall) -> None:
    """Wait for ever."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        noticed.set()


@moody.function()
async def wait(call: CoreCall) -> None:
    """Wait for ever, with nobody who minds but the run."""
    await dawdle(call)


@moody.function("break")
def break_down(call: CoreCall, secret: str) -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError(f"the password is {secret}")


@moody.function()
def refuse(call: CoreCall) -> None:
    """Raise what is meant for Lua."""
    raise CoreError("not today", 815)


@moody.function()
def odd(call: CoreCall) -> object:
    """Return what Lua cannot have."""
    return object()


@moody.function(needs=lambda place: [place])
def reach(call: CoreCall, place: str) -> str:
    """Reach a place, if the job may."""
    return place


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [moody]
