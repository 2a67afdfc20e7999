"""A plugin that returns something else."""

from moontide import hookimpl


@hookimpl
def moontide_core_modules() -> list[object]:
    return [42]
