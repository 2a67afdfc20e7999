"""Documents of megabytes on SQLite and on PostgreSQL: their sizes are asked for before they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event

from engine.calls.core import Documents
from engine.errors import CoreError
from engine.store.database import Database
from engine.store.documents import MAX_DOCUMENT_BYTES, StoredDocuments
from engine.store.journal import Journal
from engine.times.clock import ManualClock

MB = 2**20

#: What stands around the text in {"text":"..."}.
AROUND = 11


@pytest.fixture
async def documents(either: Database, clock: ManualClock) -> AsyncIterator[Documents]:
    journal = Journal(either.writer, clock=clock, on_stalled=lambda *_: None, on_recovered=lambda _: None)
    journal.start()
    yield StoredDocuments(journal, either.reader, clock=clock)
    await journal.stop(timeout_seconds=10.0)


@pytest.mark.parametrize(
    "text",
    ["x" * (MAX_DOCUMENT_BYTES - AROUND), "€" * (5 * MB), '"\\\n' * MB, "\0" * 100_000, "a\u2028b😀" * MB],
    ids=["ascii", "three bytes", "escaped", "zeros", "four bytes"],
)
async def test_the_largest_documents_come_back_as_they_were_saved(documents: Documents, text: str) -> None:
    document_id = await documents.save("shop", {"text": text})
    found = await documents.get("shop", document_id)
    assert found == {"text": text, "_id": document_id}
    assert await documents.find("shop", {"text": text}, limit=1) == [found]
    assert await documents.delete("shop", document_id)


async def test_one_byte_more_is_refused(documents: Documents) -> None:
    with pytest.raises(CoreError, match="may have up to 16 MB"):
        await documents.save("shop", {"text": "x" * (MAX_DOCUMENT_BYTES - AROUND + 1)})


@pytest.mark.parametrize("options", [{}, {"sort": [("n", 1)]}, {"query": {"n": {"$gt": 0}}}])
async def test_a_page_above_16_mb_is_refused_and_a_smaller_one_is_not(
    documents: Documents, options: dict[str, Any]
) -> None:
    given = {"query": {}} | options
    for n in range(1, 4):
        await documents.save("shop", {"n": n, "text": "€" * (2 * MB)})
    with pytest.raises(CoreError, match="larger than 16 MB together; ask for fewer") as caught:
        await documents.find("shop", **given, limit=3)
    assert caught.value.code == 800
    assert [one["n"] for one in await documents.find("shop", **given, limit=2)] == [1, 2]
    assert [one["n"] for one in await documents.find("shop", **given, offset=2, limit=3)] == [3]


async def test_what_is_refused_was_not_read(documents: Documents, either: Database) -> None:
    for _ in range(3):
        await documents.save("shop", {"text": "x" * (6 * MB)})
    asked: list[str] = []
    event.listen(either.reader, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with pytest.raises(CoreError, match="ask for fewer"):
        await documents.find("shop", {}, limit=3)
    (statement,) = asked
    assert statement.split("FROM")[0].count("body") == statement.split("FROM")[0].lower().count("cast(") == 1


async def test_documents_are_looked_through_though_they_are_larger_than_a_page_together(
    documents: Documents,
) -> None:
    for n in range(5):
        await documents.save("shop", {"n": n, "text": "x" * (5 * MB)})
    assert [one["n"] for one in await documents.find("shop", {"n": {"$gte": 4}}, limit=5)] == [4]


async def test_zeros_in_other_documents_do_not_hide_what_is_looked_for(documents: Documents) -> None:
    await documents.save("shop", {"_id": "a", "text": "kite\0"})
    await documents.save("shop", {"_id": "b", "text": "kite"})
    assert [one["_id"] for one in await documents.find("shop", {"text": "kite"}, limit=5)] == ["b"]
    assert [one["_id"] for one in await documents.find("shop", {"text": "kite\0"}, limit=5)] == ["a"]
