"""The history on PostgreSQL, which is kept in parts by the month."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import text

from engine.run import LogLine, Retention
from engine.runfilter import RunFilter
from engine.states import RunStatus
from engine.store.database import Database, open_database
from engine.store.history import History
from engine.store.models import metadata
from engine.store.months import (
    OLD,
    begin_month,
    drop_table,
    month_of,
    parts_of,
    remove_month,
    wants_new_month,
)
from engine.store.pruning import Pruning, remove_runs
from engine.store.queries import Queries
from engine.store.rows import Changes
from engine.store.schema import migrate, revise
from engine.store.search import index_runs
from engine.store.writes import write
from tests.engine.store.conftest import a_run, an_end
from tests.engine.store.servers import migrated
from tests.services import pg_database, psycopg_url

#: The migration names the first part by the clock of the machine; these months come after it.
NOW = datetime.now(UTC).replace(day=15)
LATER = [NOW + timedelta(days=31 * number) for number in range(1, 6)]
AGE = Retention(age_seconds=3600.0, failed_age_seconds=7200.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    with migrated("postgresql", tmp_path) as database:
        yield database


def put(store: Database, first: int, last: int, ended: datetime | None) -> None:
    """Write runs that were queued and ended at a time, or go on."""
    changes = []
    for number in range(first, last + 1):
        row = structs.replace(a_run(number, job=f"job{number % 3}"), queued=ended or LATER[-1])
        said = (number, (LogLine(1, NOW, "info", f"word{number}"),))
        changes.append(Changes(runs=(row,), lines=(said,)))
        if ended is not None:
            end = structs.replace(an_end(RunStatus.COMPLETE, log_lines=1), finished=ended)
            changes.append(Changes(ends=((number, end),)))
    with store.writer.begin() as connection:
        write(connection, changes, NOW)
        index_runs(connection, range(first, last + 1))


def begin(store: Database, now: datetime) -> bool:
    with store.writer.begin() as connection:
        return begin_month(connection, now)


def rows(store: Database, table: str) -> set[int]:
    with store.reader.connect() as connection:
        return set(connection.scalars(text(f"SELECT * FROM {table}")))


def part_names(store: Database) -> list[str]:
    with store.reader.connect() as connection:
        return [part.name for part in parts_of(connection)]


def remove_oldest(store: Database, now: datetime) -> bool:
    """Remove a month as the clean-up does; return whether one went."""
    pruning = Pruning(store.reader)
    month = pruning.month(AGE, now)
    if month is None:
        return False
    with store.writer.begin() as connection:
        done = remove_month(connection, month, now)
    assert len(pruning.tables_left()) == (3 if done else 0)
    for name in pruning.tables_left():
        with store.writer.begin() as connection:
            drop_table(connection, name)
    assert pruning.tables_left() == []
    return done


@contextmanager
def held(store: Database) -> Iterator[None]:
    """Read the tables for long, as a backup does."""
    with store.reader.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SELECT count(*) FROM run"))
        yield
        connection.rollback()


def test_the_tables_are_those_of_the_models_but_for_the_parts(store: Database) -> None:
    with store.writer.connect() as connection:
        parts = {f"{table}_{part.name}" for part in parts_of(connection) for table in ("run", "log_line")}
        options = {"include_name": lambda name, *_: name not in parts and "run_text" not in (name or "")}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_runs_that_were_there_before_parts_are_all_in_the_first_one() -> None:
    with pg_database() as server:
        store = open_database(psycopg_url(server))
        with store.writer.begin() as connection:
            revise(connection, to="0018")
        # Ended by hand: what is written of an end has columns that came later.
        put(store, 1, 30, None)
        with store.writer.begin() as connection:
            ended = "UPDATE run SET status = 'COMPLETE', queued = :now, finished = :now, log_lines = 1"
            connection.execute(text(ended), {"now": NOW})
            index_runs(connection, range(1, 31))
        migrate(store.writer)
        put(store, 31, 40, NOW)
        found = History(store.reader).find(RunFilter(text="word7"))
        assert [run.id for run in found] == [7]
        assert rows(store, "run") == rows(store, "log_line") == rows(store, "run_text") == set(range(1, 41))
        assert part_names(store) == [month_of(NOW)]
        store.close()


def test_a_new_month_begins_with_the_next_run_and_all_are_found_as_ever(store: Database) -> None:
    put(store, 1, 10, NOW)
    assert begin(store, LATER[0])
    put(store, 11, 20, LATER[0])
    history, queries = History(store.reader), Queries(store.reader)
    assert part_names(store) == [month_of(NOW), month_of(LATER[0])]
    assert rows(store, f"run_{month_of(LATER[0])}") == set(range(11, 21))
    assert [run.id for run in history.find(RunFilter(), limit=3, before_id=12)] == [11, 10, 9]
    assert [run.id for run in history.find(RunFilter(job="job1"), limit=3)] == [19, 16, 13]
    assert history.counts(RunFilter()) == {"COMPLETE": 20}
    assert queries.run(5) is not None


def test_no_month_is_begun_twice_or_over_an_empty_one(store: Database) -> None:
    assert not begin(store, LATER[0])
    put(store, 1, 1, NOW)
    assert begin(store, LATER[0])
    assert not begin(store, LATER[0])
    assert not begin(store, LATER[1])
    with store.reader.connect() as connection:
        assert not wants_new_month(connection, LATER[1])


def test_a_run_whose_id_was_given_before_the_month_began_has_its_place(store: Database) -> None:
    put(store, 2, 2, NOW)
    put(store, 5, 5, NOW)
    begin(store, LATER[0])
    put(store, 3, 4, LATER[0])
    put(store, 6, 6, LATER[0])
    assert rows(store, f"run_{month_of(NOW)}") == {2, 3, 4, 5}
    assert rows(store, f"run_{month_of(LATER[0])}") == {6}


def test_a_month_goes_at_once_when_none_of_its_runs_is_kept(store: Database) -> None:
    put(store, 1, 10, NOW)
    begin(store, LATER[0])
    put(store, 11, 20, LATER[0])
    assert not remove_oldest(store, NOW + timedelta(minutes=30))
    assert remove_oldest(store, NOW + timedelta(hours=2))
    assert rows(store, "run") == rows(store, "log_line") == rows(store, "run_text") == set(range(11, 21))
    # The newest part stays, whatever its age.
    assert not remove_oldest(store, LATER[4])


def test_runs_of_a_month_that_are_kept_outlive_it(store: Database) -> None:
    put(store, 1, 10, NOW)
    put(store, 11, 11, LATER[4])
    put(store, 12, 12, None)
    begin(store, LATER[0])
    put(store, 13, 13, NOW)
    begin(store, LATER[1])
    assert remove_oldest(store, LATER[4])
    assert remove_oldest(store, LATER[4])
    assert part_names(store) == [OLD, month_of(LATER[1])]
    assert rows(store, "run") == rows(store, "log_line") == {11, 12}
    assert [run.id for run in History(store.reader).find(RunFilter(text="word11"))] == [11]
    with store.writer.begin() as connection:
        end = structs.replace(an_end(RunStatus.COMPLETE, log_lines=1), finished=LATER[4])
        write(connection, [Changes(ends=((12, end),))], NOW)
    assert History(store.reader).counts(RunFilter()) == {"COMPLETE": 2}


def test_a_month_of_which_much_is_kept_stays(store: Database) -> None:
    put(store, 1, 5, NOW)
    put(store, 6, 10, None)
    begin(store, LATER[0])
    assert not remove_oldest(store, LATER[4])


def test_a_run_that_came_into_a_month_meanwhile_is_kept(store: Database) -> None:
    put(store, 1, 10, NOW)
    begin(store, LATER[0])
    month = Pruning(store.reader).month(AGE, LATER[0])
    assert month is not None
    put(store, 0, 0, LATER[0])
    with store.writer.begin() as connection:
        assert remove_month(connection, month, LATER[0])
    assert rows(store, "run") == rows(store, "log_line") == {0}


def test_ids_of_months_that_are_gone_still_have_a_place(store: Database) -> None:
    for number in range(3):
        put(store, 10 * number + 1, 10 * number + 9, [NOW, *LATER][number])
        begin(store, LATER[number])
    assert remove_oldest(store, LATER[4])
    put(store, 4, 4, NOW)
    assert remove_oldest(store, LATER[4])
    # That of a run that was planned long before.
    put(store, 12, 12, LATER[2])
    assert rows(store, f"run_{OLD}") == {4, 12}
    assert rows(store, "run") == {4, 12, *range(21, 30)}


def test_while_somebody_reads_for_long_nothing_is_done_and_nothing_waits(store: Database) -> None:
    put(store, 1, 10, NOW)
    begin(store, LATER[0])
    put(store, 11, 20, LATER[0])
    with held(store):
        assert not begin(store, LATER[1])
        assert not remove_oldest(store, LATER[4])
        with store.writer.begin() as connection:
            assert not begin_month(connection, LATER[1])
            # What stands in the same transaction counts, and later locks are waited for as ever.
            write(connection, [Changes(runs=(a_run(21),))], NOW)
            assert connection.scalar(text("SHOW lock_timeout")) == "5s"
    assert rows(store, "run") == set(range(1, 22))
    assert begin(store, LATER[1])


@settings(max_examples=25, deadline=None)
@given(
    ages=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    months=st.sets(st.integers(1, 11), max_size=3),
    going_on=st.sets(st.integers(0, 11), max_size=2),
)
def test_with_months_the_same_runs_are_kept_as_without(
    module_store: Database, ages: list[int], months: set[int], going_on: set[int]
) -> None:
    store = module_store
    with store.writer.begin() as connection:
        for table in ("run", "log_line", "run_text"):
            connection.execute(text(f"DELETE FROM {table}"))
        highest = max((part.first or 0) for part in parts_of(connection))
    later = iter(range(int(parts_year(store)) + 1, 9999))
    now = NOW
    for number, age in enumerate(ages):
        if number in months:
            begin(store, NOW.replace(year=next(later)))
        ended = None if number in going_on else now - timedelta(hours=age, minutes=30)
        put(store, highest + number + 1, highest + number + 1, ended)
    while remove_oldest(store, now):
        pass
    pruning = Pruning(store.reader)
    while found := pruning.runs(AGE, now):
        with store.writer.begin() as connection:
            remove_runs(connection, [run_id for run_id, _ in found])
    kept = {highest + n + 1 for n, age in enumerate(ages) if n in going_on or age < 1}
    assert rows(store, "run") == rows(store, "log_line") == kept


def parts_year(store: Database) -> str:
    return part_names(store)[-1][1:5]


@pytest.fixture(scope="module")
def module_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with migrated("postgresql", tmp_path_factory.mktemp("store")) as database:
        yield database
