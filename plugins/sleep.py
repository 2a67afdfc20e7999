"""core.sleep: pauses one run, and no other."""

from moontide import CoreCall, CoreError, CoreModule, hookimpl

FACADE = """
local native = ...

--- Pause this run for so many seconds; other runs go on.
---@param seconds number Fractions are allowed.
---@return boolean? slept false once, and at once, when the run is to come to its end
---@return string? problem why it did not sleep
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
async def pause(call: CoreCall, seconds: float) -> bool | tuple[bool, str]:
    """Wait for so many seconds (fractions allowed) and answer true.

    When the run is to come to its end, the pause ends at once with false and the reason; later ones take
    their time again.
    """
    if not 0 <= seconds < float("inf"):
        raise CoreError("core.sleep: seconds must be zero or more", 801)
    reason = await call.stopping.pause(seconds)
    return True if reason is None else (False, reason)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `sleep`, which is a function in Lua."""
    return [sleep]
