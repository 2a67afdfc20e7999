"""The objects of `core.data`: JSON documents under a source's name and an id that grows with time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    bindparam,
    delete,
    select,
)

from engine.calls.arguments import holds_bytes
from engine.calls.core import Sort
from engine.errors import CoreError
from engine.sizes import is_large
from engine.store.dialects import json_field_is, size_of_json, upsert
from engine.store.matching import Query, field, sort_key
from engine.store.models import DOCUMENT
from engine.store.queries import reading
from engine.times.clock import Clock
from engine.times.quantities import format_size

MAX_DOCUMENT_BYTES = 16 * 2**20
MAX_ID_LENGTH = 200

#: Rows fetched at a time while documents are looked through, and what they may have together, one apart.
PAGE = 200
MAX_PAGE_BYTES = MAX_DOCUMENT_BYTES

Body = dict[str, Any]

#: One document, by the values `source` and `id`: jobs ask for nothing more often.
_ONE = select(DOCUMENT.c.body).where(
    DOCUMENT.c.source == bindparam("source"), DOCUMENT.c.id == bindparam("id")
)


T = TypeVar("T")


class Writer(Protocol):
    """The journal, or what stands for it."""

    def transact(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Do some work with the connection; see `Journal.transact`."""


class StoredDocuments:
    """Implements `engine.calls.core.Documents`: writes go through the journal, reads through threads."""

    def __init__(self, journal: Writer, reader: Engine, *, clock: Clock) -> None:
        self._journal = journal
        self._reader = reader
        self._clock = clock
        self._ids = DocumentIds(clock)
        self._dialect = reader.dialect.name
        self._size = size_of_json(self._dialect, DOCUMENT.c.body)

    async def get(self, source: str, document_id: str) -> Body | None:
        """Return the document with its `_id`, or None."""
        return await asyncio.to_thread(self._one, source, document_id)

    async def find(
        self, source: str, query: Body, *, sort: Sort = (), offset: int = 0, limit: int
    ) -> list[Body]:
        """Return documents that match a query (see `engine.store.matching`), in order.

        Args:
            sort: fields with 1 for ascending and -1 for descending, the first one counts most; documents
                that are equal in all of them stand in the order of their ids.

        Raises:
            CoreError: 801 if the query cannot be understood, 800 if what is found is too large together.
        """
        wanted = Query(query)
        fields, descending = _order(sort)
        chosen = _in_order(_documents(source), descending)
        if fields:
            return await asyncio.to_thread(self._sorted, source, wanted, fields, offset, limit)
        if not query:
            return await asyncio.to_thread(self._fetch_page, chosen.offset(offset).limit(limit))
        chosen = chosen.where(*_prefilter(query, self._dialect))
        return await asyncio.to_thread(self._matching, chosen, wanted, descending, offset, limit)

    async def save(self, source: str, document: Body) -> str:
        """Write a document, new without `_id` and replaced with one; return its id once it is durable.

        Raises:
            CoreError: 801 if it is no object, its `_id` is no id, or it is too large.
        """
        body, document_id = _split(document)
        if document_id is None:
            document_id = self._ids.next()
        encoded = await asyncio.to_thread(_encode, body) if is_large(body) else _encode(body)
        await self._journal.transact(self._upsert(source, document_id, encoded))
        return document_id

    async def delete(self, source: str, document_id: str) -> bool:
        """Remove a document; return whether it was there."""
        statement = delete(DOCUMENT).where(DOCUMENT.c.source == source, DOCUMENT.c.id == document_id)
        return await self._journal.transact(lambda connection: connection.execute(statement).rowcount > 0)

    def _upsert(self, source: str, document_id: str, body: msgspec.Raw) -> Callable[[Connection], None]:
        now = self._clock.now()
        row = {"source": source, "id": document_id, "body": body, "created": now, "updated": now}

        def work(connection: Connection) -> None:
            statement = upsert(connection.dialect.name, DOCUMENT, ("source", "id"), ("body", "updated"))
            connection.execute(statement, row)

        return work

    def _matching(
        self, chosen: Select[Any], query: Query, descending: bool, offset: int, limit: int
    ) -> list[Body]:
        found: list[Body] = []
        room = MAX_PAGE_BYTES
        for size, document in self._in_pages(chosen, descending):
            if not query.matches(document):
                continue
            if offset:
                offset -= 1
                continue
            room -= size
            if room < 0 and found:
                raise _too_large_together()
            found.append(document)
            if len(found) == limit:
                break
        return found

    def _sorted(self, source: str, query: Query, sort: Sort, offset: int, limit: int) -> list[Body]:
        """Sort what the fields hold, not the documents: all of those may not fit into memory."""
        chosen = _in_order(_documents(source), descending=False).where(
            *_prefilter(query.fields, self._dialect)
        )
        every = (document for _, document in self._in_pages(chosen, descending=False))
        found = filter(query.matches, every)
        keys = [([sort_key(field(one, name)) for name, _ in sort], one["_id"]) for one in found]
        for place in reversed(range(len(sort))):
            keys.sort(key=lambda entry: entry[0][place], reverse=sort[place][1] < 0)
        wanted = [document_id for _, document_id in keys[offset : offset + limit]]
        documents = self._fetch_page(_documents(source).where(DOCUMENT.c.id.in_(wanted)))
        by_id = {document["_id"]: document for document in documents}
        # One that was deleted since the first look is left out.
        return [by_id[document_id] for document_id in wanted if document_id in by_id]

    def _in_pages(self, chosen: Select[Any], descending: bool) -> Iterator[tuple[int, Body]]:
        """Yield documents with their sizes, page by page: neither memory nor a cursor is held for all."""
        page = self._sizes(chosen.limit(PAGE))
        while page:
            for part in _parts(page):
                for document in self._fetch(chosen.where(DOCUMENT.c.id.in_(part))):
                    yield part[document["_id"]], document
            if len(page) < PAGE:
                return
            last = page[-1][0]
            after = DOCUMENT.c.id < last if descending else DOCUMENT.c.id > last
            page = self._sizes(chosen.where(after).limit(PAGE))

    def _one(self, source: str, document_id: str) -> Body | None:
        with reading(self._reader) as connection:
            row = connection.execute(_ONE, {"source": source, "id": document_id}).one_or_none()
        return None if row is None else row[0] | {"_id": document_id}

    def _fetch_page(self, chosen: Select[Any]) -> list[Body]:
        sizes = self._sizes(chosen)
        if len(sizes) > 1 and sum(size for _, size in sizes) > MAX_PAGE_BYTES:
            raise _too_large_together()
        return self._fetch(chosen)

    def _sizes(self, chosen: Select[Any]) -> Sequence[tuple[str, int]]:
        with reading(self._reader) as connection:
            rows = connection.execute(chosen.with_only_columns(DOCUMENT.c.id, self._size))
            return [(row[0], row[1]) for row in rows]

    def _fetch(self, chosen: Select[Any]) -> list[Body]:
        with reading(self._reader) as connection:
            return [row.body | {"_id": row.id} for row in connection.execute(chosen)]


class DocumentIds:
    """Makes ids of 24 hexadecimal digits, each greater than the one before.

    8 digits of seconds since 1970, 4 of a counter within the second, 12 at random.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """Return a new id; ids go on growing when the wall clock is set back."""
        self._last = max(self._last + 1, int(self._clock.now().timestamp()) << 16)
        return f"{self._last:012x}{secrets.token_hex(6)}"


def _split(document: Body) -> tuple[Body, str | None]:
    """Return a document's fields and its id, if it has one."""
    if not isinstance(document, dict):
        raise CoreError("core.data: only an object with named fields can be saved", 801)
    document_id = document.get("_id")
    if document_id is None:
        return {name: value for name, value in document.items() if name != "_id"}, None
    if not isinstance(document_id, str) or not 1 <= len(document_id) <= MAX_ID_LENGTH:
        raise CoreError(f"core.data: _id must be a string of 1 to {MAX_ID_LENGTH} characters", 801)
    return {name: value for name, value in document.items() if name != "_id"}, document_id


def _encode(body: Body) -> msgspec.Raw:
    if holds_bytes(body):
        raise CoreError("core.data: the object holds text that is not UTF-8", 801)
    try:
        encoded = msgspec.json.encode(body)
    except (TypeError, ValueError) as error:
        raise CoreError(f"core.data: the object cannot be kept as JSON: {error}", 801) from error
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise CoreError(
            f"core.data: the object has {len(encoded)} bytes as JSON; an object may have up to "
            f"{format_size(MAX_DOCUMENT_BYTES)}",
            801,
        )
    return msgspec.Raw(encoded)


def _too_large_together() -> CoreError:
    limit = format_size(MAX_PAGE_BYTES)
    return CoreError(
        f"core.data: the objects of this page are larger than {limit} together; ask for fewer", 800
    )


def _parts(page: Sequence[tuple[str, int]]) -> Iterator[dict[str, int]]:
    """Cut a page into parts of ids with sizes; a part is small enough to be held in memory."""
    part: dict[str, int] = {}
    room = MAX_PAGE_BYTES
    for document_id, size in page:
        if part and size > room:
            yield part
            part, room = {}, MAX_PAGE_BYTES
        part[document_id] = size
        room -= size
    if part:
        yield part


def _documents(source: str) -> Select[Any]:
    return select(DOCUMENT.c.id, DOCUMENT.c.body).where(DOCUMENT.c.source == source)


def _in_order(chosen: Select[Any], descending: bool) -> Select[Any]:
    return chosen.order_by(DOCUMENT.c.id.desc() if descending else DOCUMENT.c.id.asc())


def _order(sort: Sort) -> tuple[Sort, bool]:
    """Return the fields to sort by, none where the order of the ids will do, and whether that is reversed.

    Ids are unique: nothing that comes after them counts.
    """
    names = [name for name, _ in sort]
    if "_id" not in names:
        return sort, False
    place = names.index("_id")
    return (sort[: place + 1], False) if place else ((), sort[0][1] < 0)


def _prefilter(query: Body, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Return conditions by which the database leaves out most documents that cannot match.

    They let through all that match, and some that do not: `Query.matches` has the last word.
    """
    for name, wanted in query.items():
        if name == "_id" and isinstance(wanted, str):
            yield DOCUMENT.c.id == wanted
        # Neither database compares text that holds a zero byte.
        elif isinstance(wanted, str) and name.isidentifier() and "\0" not in wanted:
            yield json_field_is(dialect, DOCUMENT.c.body, name, wanted)
