"""A plugin whose hook takes what nobody gives."""

from moontide import hookimpl


@hookimpl
def moontide_core_modules(surprise: int) -> list[object]:
    return []
