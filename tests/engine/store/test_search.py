from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import JobFileError
from engine.run import LogLine
from engine.runfilter import RunFilter
from engine.states import RunStatus
from engine.store.database import Database
from engine.store.history import History
from engine.store.rows import Changes
from engine.store.search import Phrase, forget_runs, index_runs, parse_phrases, unindexed
from engine.store.writes import write
from tests.engine.store.conftest import NOON, a_run, an_end
from tests.engine.store.servers import KINDS, emptied, migrated


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of each kind for all tests here; each of them empties it first."""
    with migrated(request.param, tmp_path_factory.mktemp("store")) as database:
        yield database


def put(database: Database, run_id: int, *lines: str, error: str | None = None, ended: bool = True) -> None:
    """Write one run with its log."""
    logged = tuple(LogLine(number, NOON, "info", line) for number, line in enumerate(lines, 1))
    end = an_end(RunStatus.ERROR if error else RunStatus.COMPLETE, error=error, log_lines=len(lines))
    ends = ((run_id, end),) if ended else ()
    with database.writer.begin() as connection:
        write(connection, [Changes(runs=(a_run(run_id),), lines=((run_id, logged),), ends=ends)], NOON)


def index(database: Database, *run_ids: int) -> None:
    with database.writer.begin() as connection:
        index_runs(connection, run_ids)


def found(database: Database, asked: str) -> list[int]:
    return [run.id for run in History(database.reader).find(RunFilter(text=asked))]


def check_integrity(database: Database) -> None:
    """Compare SQLite's index with the tables, word by word; PostgreSQL's keeps no texts to compare."""
    if database.writer.dialect.name == "sqlite":
        with database.writer.begin() as connection:
            connection.exec_driver_sql("INSERT INTO run_text (run_text, rank) VALUES ('integrity-check', 1)")


@pytest.fixture
def shop(store: Database) -> Database:
    emptied(store)
    put(store, 1, "connecting to api.example.com", "done: 17 toys", "Größe ÄNDERN")
    put(store, 2, "begin", error="job.lua:3: connection refused\nstack traceback: in function 'run'")
    put(store, 3, "the connection was not refused")
    index(store, 1, 2, 3)
    return store


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("connection", [3, 2]),
        ("CONNECTION Refused", [3, 2]),
        ('"connection refused"', [2]),
        ("connect*", [3, 2, 1]),
        ("connect", []),
        ("api.example.com", [1]),
        ("example.com", [1]),
        ("com.example", []),
        ("17", [1]),
        ("größe ändern", [1]),
        ("grosse", []),
        ("toys begin", []),
        ("job.lua:3", [2]),
        ("it's; DROP TABLE run --", []),
        ("NEAR(connection refused)", []),
        ("a' OR 'b", []),
    ],
)
def test_runs_are_found_by_words_of_their_error_and_log(
    shop: Database, asked: str, expected: list[int]
) -> None:
    assert found(shop, asked) == expected


@pytest.mark.parametrize("asked", ["", "  ", "***", '""', "-- ;", "_"])
def test_a_question_without_words_is_refused(asked: str) -> None:
    with pytest.raises(JobFileError, match="holds no word to search for"):
        parse_phrases(asked)


def test_a_question_with_too_many_words_is_refused() -> None:
    with pytest.raises(JobFileError, match="more than 20 words"):
        parse_phrases("a " * 21)


def test_words_in_quotes_or_joined_by_signs_stand_side_by_side() -> None:
    assert parse_phrases('"Two words"* api.example.com one*') == (
        Phrase(("Two", "words"), open_ended=True),
        Phrase(("api", "example", "com")),
        Phrase(("one",), open_ended=True),
    )


def test_a_run_that_goes_on_is_not_indexed(store: Database) -> None:
    put(emptied(store), 1, "under way", ended=False)
    index(store, 1)
    assert found(store, "way") == []


def test_indexing_again_changes_nothing(shop: Database) -> None:
    index(shop, 1, 2, 3)
    assert found(shop, "17") == [1]
    check_integrity(shop)


def test_what_was_not_indexed_yet_is_known(store: Database) -> None:
    emptied(store)
    put(store, 1, "one", "two")
    put(store, 2)
    put(store, 3, error="broken")
    put(store, 4, "four", ended=False)
    index(store, 3)
    with store.reader.connect() as connection:
        assert unindexed(connection) == [(1, 2)]


def test_a_long_log_is_found_by_its_first_and_last_words(store: Database) -> None:
    words = [f"filler{number} and-more/{number}" for number in range(20_000)]
    put(emptied(store), 1, "alpha start", *words, "omega end")
    index(store, 1)
    for asked in ("alpha", '"omega end"', "filler19999", "alpha omega", "filler9999 filler1"):
        assert found(store, asked) == [1]


texts = st.text(alphabet="abcé ÄB.-_'\"\n%", max_size=30)


@settings(max_examples=40, deadline=None)
@given(logs=st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=6), data=st.data())
def test_the_index_holds_what_the_tables_hold_whatever_is_forgotten(
    store: Database, logs: list[list[str]], data: st.DataObject
) -> None:
    emptied(store)
    for number, lines in enumerate(logs, 1):
        put(store, number, *lines)
    index(store, *range(1, len(logs) + 1))
    gone = data.draw(st.sets(st.integers(1, len(logs))))
    with store.writer.begin() as connection:
        forget_runs(connection, list(gone))
        for run_id in gone:
            connection.exec_driver_sql(f"DELETE FROM log_line WHERE run_id = {run_id}")
            connection.exec_driver_sql(f"DELETE FROM run WHERE id = {run_id}")
    check_integrity(store)
    assert not gone & set(found(store, "a* ")) | gone & set(found(store, "b*"))
