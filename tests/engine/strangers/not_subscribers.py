"""A plugin that returns bare functions where subscribers are wanted, after a good module."""

from moontide import CoreModule, hookimpl


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [CoreModule("halfway", summary="Never used.")]


@hookimpl
def moontide_event_subscribers() -> list[object]:
    return [print]
