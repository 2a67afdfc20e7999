from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calls.core import Documents
from engine.errors import CoreError
from engine.store.database import Database
from engine.store.documents import MAX_DOCUMENT_BYTES, PAGE, DocumentIds, StoredDocuments
from engine.store.journal import Journal
from engine.store.matching import Query, equals
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON
from tests.engine.store.test_journal import committed


@pytest.fixture
def documents(journal: Journal, database: Database, clock: ManualClock) -> Documents:
    return StoredDocuments(journal, database.reader, clock=clock)


async def find(documents: Documents, query: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    given = {"limit": 100} | options
    return await documents.find("shop", query, **given)


async def test_a_document_comes_back_as_it_was_saved_with_its_id(documents: Documents) -> None:
    body = {"name": "toy", "tags": ["a", {"b": None}], "price": 1.5, "sold": 3, "new": True, "unit": "°C"}
    document_id = await documents.save("shop", body)
    assert await documents.get("shop", document_id) == body | {"_id": document_id}


async def test_ids_are_of_24_hexadecimal_digits(documents: Documents) -> None:
    document_id = await documents.save("shop", {})
    assert len(document_id) == 24
    assert int(document_id, 16) > 0


async def test_a_document_with_an_id_replaces_the_one_that_is_there(
    documents: Documents, clock: ManualClock, path: Any
) -> None:
    document_id = await documents.save("shop", {"n": 1, "gone": True})
    clock.advance(60)
    assert await documents.save("shop", {"n": 2, "_id": document_id}) == document_id
    assert await find(documents, {}) == [{"n": 2, "_id": document_id}]
    [(created, updated)] = committed(path, "SELECT created, updated FROM document")
    assert created < updated  # type: ignore[operator]


async def test_a_document_may_bring_its_own_id(documents: Documents) -> None:
    assert await documents.save("shop", {"_id": "config", "theme": "dark"}) == "config"
    assert await documents.get("shop", "config") == {"_id": "config", "theme": "dark"}


async def test_sources_do_not_see_each_others_documents(documents: Documents) -> None:
    await documents.save("shop", {"_id": "a", "n": 1})
    await documents.save("bank", {"_id": "a", "n": 2})
    assert await documents.get("shop", "a") == {"_id": "a", "n": 1}
    assert await documents.delete("bank", "a")
    assert await documents.get("shop", "a") is not None


async def test_delete_tells_whether_the_document_was_there(documents: Documents) -> None:
    document_id = await documents.save("shop", {})
    assert await documents.delete("shop", document_id) is True
    assert await documents.delete("shop", document_id) is False
    assert await documents.get("shop", document_id) is None


async def test_documents_come_in_the_order_of_their_ids_and_in_pages(documents: Documents) -> None:
    saved = [await documents.save("shop", {"n": n}) for n in range(500)]
    assert [d["_id"] for d in await find(documents, {}, limit=1000)] == saved
    assert [d["n"] for d in await find(documents, {}, offset=10, limit=3)] == [10, 11, 12]
    assert [d["n"] for d in await find(documents, {}, sort=[("_id", -1)], limit=2)] == [499, 498]
    assert await find(documents, {}, offset=500) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"kind": "car"}, "ac"),
        ({"kind": "car", "n": 1}, "a"),
        ({"n": 1.0}, "ab"),
        ({"n": True}, "d"),
        ({"size": {"w": 2, "h": 3}}, "b"),
        ({"size.w": 2}, "bc"),
        ({"size.w.x": 2}, ""),
        ({"kind": None}, "d"),
        ({"size": None}, "ad"),
        ({"tags": ["x", 1]}, "d"),
        ({'it\'s "odd"': "é"}, "d"),
        ({"_id": "b"}, "b"),
        ({"kind": "5"}, ""),
    ],
)
async def test_a_query_finds_documents_with_equal_fields(
    documents: Documents, query: dict[str, Any], names: str
) -> None:
    await documents.save("shop", {"_id": "a", "kind": "car", "n": 1})
    await documents.save("shop", {"_id": "b", "kind": 5, "n": 1, "size": {"h": 3, "w": 2}})
    await documents.save("shop", {"_id": "c", "kind": "car", "n": 2, "size": {"w": 2}})
    await documents.save("shop", {"_id": "d", "n": True, "tags": ["x", 1], 'it\'s "odd"': "é"})
    assert [document["_id"] for document in await find(documents, query)] == list(names)


async def test_pages_of_a_query_count_only_what_matches(documents: Documents) -> None:
    for n in range(20):
        await documents.save("shop", {"n": n, "even": n % 2 == 0})
    assert [d["n"] for d in await find(documents, {"even": True}, offset=2, limit=2)] == [4, 6]


@pytest.mark.parametrize("direction", [1, -1])
async def test_a_query_looks_through_all_documents_of_its_source(
    documents: Documents, direction: int
) -> None:
    await asyncio.gather(*(documents.save("shop", {"n": n, "odd": n % 2}) for n in range(2 * PAGE + 50)))
    found = await find(documents, {"odd": 1}, limit=1000, sort=[("_id", direction)])
    assert [d["n"] for d in found] == sorted(range(1, 2 * PAGE + 50, 2), reverse=direction < 0)


@pytest.mark.parametrize(
    "document", [["a"], "text", {"_id": 5}, {"_id": ""}, {"_id": "x" * 201}, {"f": object()}, {"t": "\ud800"}]
)
async def test_what_is_no_document_is_refused(documents: Documents, document: Any) -> None:
    with pytest.raises(CoreError) as caught:
        await documents.save("shop", document)
    assert caught.value.code == 801


async def test_a_document_above_16_mb_is_refused(documents: Documents) -> None:
    with pytest.raises(CoreError, match="an object may have up to 16 MB") as caught:
        await documents.save("shop", {"text": "x" * MAX_DOCUMENT_BYTES})
    assert caught.value.code == 801


async def test_a_document_is_kept_as_it_was_when_it_was_saved(documents: Documents) -> None:
    body = {"list": [1]}
    saving = asyncio.ensure_future(documents.save("shop", body))
    await asyncio.sleep(0)
    body["list"].append(2)
    stored = await documents.get("shop", await saving)
    assert stored is not None
    assert stored["list"] == [1]


async def test_documents_saved_at_once_are_all_kept(documents: Documents) -> None:
    saved = await asyncio.gather(*(documents.save("shop", {"n": n}) for n in range(300)))
    assert len(set(saved)) == 300
    assert sorted(d["n"] for d in await find(documents, {}, limit=1000)) == list(range(300))


def test_ids_grow_even_when_the_clock_is_set_back() -> None:
    clock = ManualClock(NOON)
    ids = DocumentIds(clock)
    made = [ids.next() for _ in range(70_000)]
    clock.jump(-3600)
    made += [ids.next() for _ in range(10)]
    assert made == sorted(set(made))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_a_value_equals_itself(value: Any) -> None:
    assert equals(value, value)


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4))
def test_a_document_matches_each_of_its_own_fields(document: dict[str, Any]) -> None:
    plain = {k: v for k, v in document.items() if not k.startswith("$") and not isinstance(v, dict)}
    assert Query(plain).matches(document)


@pytest.mark.parametrize(
    ("left", "right"), [(True, 1), (0, False), ("1", 1), ([], {}), (None, False), ([1], [True])]
)
def test_values_of_different_kinds_are_not_equal(left: Any, right: Any) -> None:
    assert not equals(left, right)
