"""Queries with operators, and orders, over documents in a real database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calls.core import Documents, Sort
from engine.errors import CoreError
from engine.store.database import Database
from engine.store.documents import PAGE, StoredDocuments
from engine.store.journal import Journal
from engine.store.matching import Query, sort_key
from engine.times.clock import ManualClock

TOYS: dict[str, dict[str, Any]] = {
    "a": {"name": "ball", "stock": 0, "box": {"row": 1}},
    "b": {"name": "kite", "stock": 5, "box": {"row": 2, "shelf": "x"}},
    "c": {"name": "robot", "stock": 5.5},
    "d": {"name": "top", "stock": "many"},
    "e": {"name": None, "sold": True},
}


@pytest.fixture
async def toys(journal: Journal, database: Database, clock: ManualClock) -> Documents:
    documents = StoredDocuments(journal, database.reader, clock=clock)
    for document_id, body in TOYS.items():
        await documents.save("toys", {"_id": document_id, **body})
    return documents


async def names(documents: Documents, query: dict[str, Any], sort: Sort = ()) -> str:
    return "".join(one["_id"] for one in await documents.find("toys", query, sort=sort, limit=1000))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"stock": {"$gt": 0}}, "bc"),
        ({"stock": {"$gte": 0}}, "abc"),
        ({"stock": {"$gt": 0, "$lt": 5.5}}, "b"),
        ({"stock": {"$lte": 5.0}}, "ab"),
        ({"stock": {"$gt": "l"}}, "d"),
        ({"name": {"$lt": "l"}}, "ab"),
        ({"name": {"$ne": "kite"}}, "acde"),
        ({"stock": {"$ne": 5}}, "acde"),
        ({"name": {"$in": ["kite", "ball", "x"]}}, "ab"),
        ({"name": {"$in": []}}, ""),
        ({"name": {"$in": {}}}, ""),
        ({"name": {"$in": [None]}}, "e"),
        ({"stock": {"$nin": [0, "many"]}}, "bce"),
        ({"stock": {"$exists": False}}, "e"),
        ({"name": {"$exists": True}}, "abcde"),
        ({"box.row": {"$gte": 2}}, "b"),
        ({"box.shelf": {"$exists": False}}, "acde"),
        ({"box": {"row": 1}}, "a"),
        ({"sold": {"$in": [1]}}, ""),
        ({"stock": {"$gt": 0}, "name": {"$gt": "l"}}, "c"),
        ({"_id": {"$gt": "c"}}, "de"),
    ],
)
async def test_operators_find_what_they_say(toys: Documents, query: dict[str, Any], found: str) -> None:
    assert await names(toys, query) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"stock": {"$gtt": 1}}, r"field stock: operator \$gtt is not known; did you mean \$gte?"),
        ({"stock": {"$where": 1}}, r"there are \$gt \$gte"),
        ({"stock": {"$gt": 1, "row": 2}}, "operator row is not known"),
        ({"$or": [{"a": 1}]}, r"\$or stands where a field's name belongs"),
        ({"stock": {"$gt": True}}, r"\$gt compares numbers or text, got true"),
        ({"stock": {"$gt": None}}, "got nil"),
        ({"stock": {"$in": "x"}}, r"\$in takes a list, got a string"),
        ({"stock": {"$nin": {"a": 1}}}, r"\$nin takes a list, got a table"),
        ({"stock": {"$exists": 1}}, r"\$exists is true or false, got a number"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_in_words(
    toys: Documents, query: dict[str, Any], words: str
) -> None:
    with pytest.raises(CoreError, match=words) as caught:
        await toys.find("toys", query, limit=1)
    assert caught.value.code == 801


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ([("stock", 1)], "eabcd"),
        ([("stock", -1)], "dcbae"),
        ([("name", -1)], "dcbae"),
        ([("sold", -1)], "eabcd"),
        ([("box.row", -1)], "bacde"),
        ([("_id", -1)], "edcba"),
        ([("_id", -1), ("name", 1)], "edcba"),
        ([("sold", 1), ("_id", -1)], "dcbae"),
        ([("sold", -1), ("stock", -1)], "edcba"),
        ([("nowhere", -1)], "abcde"),
    ],
)
async def test_documents_are_sorted_by_fields_and_then_by_id(toys: Documents, sort: Sort, found: str) -> None:
    assert await names(toys, {}, sort) == found


async def test_pages_of_a_sorted_query_go_through_all_that_match(toys: Documents) -> None:
    for number in range(PAGE + 30):
        await toys.save("many", {"n": number * 7919 % 1000, "even": number % 2 == 0})
    query = {"even": True}
    pages = [
        await toys.find("many", query, sort=[("n", -1)], offset=offset, limit=50)
        for offset in range(0, PAGE + 30, 50)
    ]
    found = [one["n"] for page in pages for one in page]
    assert found == sorted(found, reverse=True)
    assert len(found) == (PAGE + 30) // 2


json_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)


@given(st.lists(json_scalars | st.lists(json_scalars, max_size=1)))
def test_values_of_all_kinds_can_be_sorted(values: list[Any]) -> None:
    keys = sorted(map(sort_key, values))
    assert sorted(keys, reverse=True) == keys[::-1]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_a_number_is_less_equal_or_greater(value: float, limit: int) -> None:
    document = {"n": value}
    answers = [Query({"n": {operator: limit}}).matches(document) for operator in ("$lt", "$gt")]
    assert sum(answers) + Query({"n": limit}).matches(document) == 1
    assert Query({"n": {"$lte": limit}}).matches(document) is not answers[1]
