"""A plugin that wants the name of a built-in module, and brings another one."""

from moontide import CoreModule, hookimpl


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [CoreModule("log", summary="Mine."), CoreModule("extra", summary="Also mine.")]
