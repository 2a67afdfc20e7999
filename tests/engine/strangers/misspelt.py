"""A plugin with a misspelt hook."""

from moontide import hookimpl


@hookimpl
def moontide_core_modlues() -> list[object]:
    return []
