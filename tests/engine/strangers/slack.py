"""A plugin that is in order."""

from moontide import CoreCall, CoreModule, hookimpl

slack = CoreModule("slack", summary="Posts messages.")


@slack.function()
async def post(call: CoreCall, text: str) -> int:
    """Return the length of the text."""
    return len(text)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    return [slack]
