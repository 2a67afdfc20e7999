"""core.sleep: pauses one run, and no other."""

import asyncio

from moontide import CoreCall, CoreError, CoreModule, hookimpl

FACADE = """
local native = ...

--- Pause this run for so many seconds; other runs go on.
---@param seconds number Fractions are allowed.
---@return boolean? slept
---@return string? problem
---@return integer? code
return native.pause
"""

sleep = CoreModule(
    "sleep",
    summary="Pauses this run for a number of seconds: core.sleep(0.5). Other runs go on.",
    facade=FACADE,
    free=True,
)


@sleep.function(timeout_seconds=None)
async def pause(call: CoreCall, seconds: float) -> bool:
    """Wait for so many seconds (fractions allowed) and answer true."""
    if not 0 <= seconds < float("inf"):
        raise CoreError("core.sleep: seconds must be zero or more", 801)
    await asyncio.sleep(seconds)
    return True


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `sleep`, which is a function in Lua."""
    return [sleep]
