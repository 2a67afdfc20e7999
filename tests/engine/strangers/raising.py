"""A plugin whose hook raises."""

from moontide import hookimpl


@hookimpl
def moontide_core_modules() -> list[object]:
    raise RuntimeError("no connection to the moon")
