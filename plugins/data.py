"""core.data: JSON documents by source name, kept in the engine's own database."""

from importlib.resources import files
from typing import Any

from moontide import CoreCall, CoreError, CoreModule, hookimpl

PAGE_LIMIT = 1000

data = CoreModule(
    "data",
    summary='Keeps JSON documents: core.data("config"):save{...}, :get(id), :delete(id), :getPage(1).',
    facade=files("plugins").joinpath("data.lua").read_text("utf-8"),
)


@data.function()
async def get(call: CoreCall, source: str, wanted: str | dict[str, Any]) -> dict[str, Any] | None:
    """Return the document with this id, or the first that the query matches; else nil."""
    if isinstance(wanted, str):
        return await call.documents.get(check_source(source), wanted)
    found = await call.documents.find(check_source(source), wanted, limit=1)
    return found[0] if found else None


@data.function(large=True)
async def save(call: CoreCall, source: str, document: dict[str, Any]) -> str:
    """Write a document of up to 16 MB and return its id: new without `_id`, replaced with one."""
    return await call.documents.save(check_source(source), document)


@data.function()
async def delete(call: CoreCall, source: str, wanted: str | dict[str, Any]) -> bool:
    """Remove the document with this id (or this document's `_id`); true when it was there."""
    document_id = wanted if isinstance(wanted, str) else wanted.get("_id")
    if not isinstance(document_id, str):
        raise CoreError("core.data: delete needs an id, or an object with its _id", 804)
    return await call.documents.delete(check_source(source), document_id)


@data.function("getPage")
async def get_page(
    call: CoreCall,
    source: str,
    page: int = 1,
    per_page: int = 20,
    sort: int | list[tuple[str, int]] | dict[str, int] = 1,
    query: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return one page of the documents that a query matches, all without one.

    Pages count from 1. `sort` is core.ASC (default) or core.DESC for the order of the ids, or names fields:
    { price = core.DESC } or { { "kind", core.ASC }, { "price", core.DESC } }.
    """
    if page < 1 or not 1 <= per_page <= PAGE_LIMIT:
        raise CoreError(
            f"core.data: getPage counts pages from 1, with 1 to {PAGE_LIMIT} objects on each", 801
        )
    return await call.documents.find(
        check_source(source),
        query or {},
        sort=order_of(sort),
        offset=(page - 1) * per_page,
        limit=per_page,
    )


def order_of(sort: int | list[tuple[str, int]] | dict[str, int]) -> list[tuple[str, int]]:
    """Return the fields to sort by, each with 1 or -1.

    Raises:
        CoreError: another direction, or a table that leaves open which of its fields counts first.
    """
    if isinstance(sort, dict):
        if len(sort) > 1:
            raise CoreError(
                "core.data: to sort by several fields write a list, the first one counts most: "
                '{ { "kind", core.ASC }, { "price", core.DESC } }',
                801,
            )
        fields = list(sort.items())
    else:
        fields = sort if isinstance(sort, list) else [("_id", sort)]
    if any(direction not in (1, -1) for _, direction in fields):
        raise CoreError("core.data: the direction of sort is core.ASC or core.DESC", 801)
    return fields


def check_source(source: str) -> str:
    """Return the source name if it is one.

    Raises:
        CoreError: it is empty or longer than 200 characters.
    """
    if not 1 <= len(source) <= 200:
        raise CoreError("core.data: a source name has 1 to 200 characters", 801)
    return source


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `data`, which is a function in Lua."""
    return [data]
