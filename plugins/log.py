"""core.log: lines that belong to the run."""

from importlib.resources import files

from moontide import CoreCall, CoreModule, hookimpl

LEVELS = ("debug", "info", "warn", "error")

log = CoreModule(
    "log",
    summary="Writes lines to the run's log: core.log(...), with levels core.log.warn(...) and so on.",
    facade=files("plugins").joinpath("log.lua").read_text("utf-8"),
    free=True,
)


@log.function(one_way=True)
def write(call: CoreCall, level: str, text: str) -> None:
    """Add a line to the run's log; an unknown level counts as info."""
    call.log(level if level in LEVELS else "info", text)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `log`."""
    return [log]
