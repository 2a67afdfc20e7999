"""Moving all that a database holds into another one: from SQLite to PostgreSQL, or back.

The rows are read in one transaction and written in one: the new database has all of them, or nothing. They
are read from it again before that is committed, and counted and summed up; what differs ends the move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from engine.errors import NewerDatabase, Refused, StoreError
from engine.store.database import Database, open_database, shown
from engine.store.dialects import (
    file_of,
    in_utc,
    is_open_elsewhere,
    json_from_text,
    json_to_text,
    set_sequence,
    snapshot,
    sqlite_url,
    translate,
)
from engine.store.migrations import HEAD
from engine.store.models import DOCUMENT, JOB_STATE, metadata
from engine.store.ownership import WAIT_SECONDS, Ownership
from engine.store.schema import build, stored_revision
from engine.store.search import index_runs, unindexed

#: Rows that are fetched at a time; documents may be large, and no more of them are held in memory.
FETCHED = 200
FETCHED_OF_LARGE = {DOCUMENT.name: 4, JOB_STATE.name: 4}

#: Runs whose words are indexed at a time.
INDEXED = 200

#: Checksums are sums of the rows' own: databases do not agree on the order of rows.
_MODULUS = 2**128

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class MovedTable:
    """What was moved of one table; the checksum is the same in both databases."""

    name: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved, and where; databases are named without passwords."""

    source: str
    target: str
    rows: int
    tables: tuple[MovedTable, ...]


def database_named(words: str) -> URL:
    """Return the database that somebody names: by its URL, or by the path of an SQLite file.

    Raises:
        Refused: it is no URL that can be understood.
    """
    if "://" not in words:
        return sqlite_url(Path(words).absolute())
    try:
        return make_url(words)
    except (ArgumentError, ValueError) as error:
        raise Refused("this is no database URL: give one, or the path of an SQLite file") from error


def move_database(
    source: URL, target: URL, *, progress: Progress = lambda *_: None, wait_seconds: float = WAIT_SECONDS
) -> MoveReport:
    """Copy all rows of a database into another one, and check them there; the source stays as it is.

    Args:
        source: a database of this version's schema on which no engine works.
        target: one without any row; an SQLite file that does not exist yet is made.
        progress: called with a table, the rows of it that were copied so far, and their number.
        wait_seconds: how long an engine on a server may take to be gone.

    Raises:
        Refused: an engine works on one of the two, or the target holds something, or both are the same.
        ServerInUse: the same, of one on a server.
        StoreError: one cannot be used, or a row cannot be kept there: nothing was changed then.
    """
    if shown(source) == shown(target):
        raise Refused("both are the same database")
    file = file_of(source)
    if file is not None and not file.exists():
        raise Refused(f"there is no database {file}")
    with _removed_unless_done(file_of(target)), ExitStack() as opened:
        try:
            reading = opened.enter_context(_alone(source, wait_seconds))
            writing = opened.enter_context(_alone(target, wait_seconds))
            tables = _copy_all(reading, writing, progress)
            writing.commit()
        except SQLAlchemyError as error:
            raise _in_words(error) from error
    return MoveReport(shown(source), shown(target), sum(table.rows for table in tables), tables)


def _in_words(error: SQLAlchemyError) -> StoreError:
    return translate(error) if isinstance(error, DBAPIError) else StoreError(f"the database refused: {error}")


@contextmanager
def _removed_unless_done(file: Path | None) -> Iterator[None]:
    """Remove a file that was made for nothing."""
    is_new = file is not None and not file.exists()
    try:
        yield
    except BaseException:
        if is_new and file is not None:
            for suffix in ("", "-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(url: URL, wait_seconds: float) -> Iterator[Connection]:
    """Open a database on which no engine works, and keep engines out meanwhile."""
    with (
        closing(open_database(url)) as database,
        _kept_out(database, file_of(url), wait_seconds),
        database.writer.connect() as connection,
    ):
        yield snapshot(connection)


@contextmanager
def _kept_out(database: Database, file: Path | None, wait_seconds: float) -> Iterator[None]:
    if file is not None:
        # The transaction that follows keeps out whoever comes later.
        if is_open_elsewhere(file):
            raise Refused(f"an engine works on {file}, or another program has it open; stop it first")
        yield
        return
    ownership = Ownership(database)
    try:
        ownership.acquire(wait_seconds)
        yield
    finally:
        ownership.release()


def _copy_all(source: Connection, target: Connection, progress: Progress) -> tuple[MovedTable, ...]:
    _check_source(source)
    _prepare_target(target)
    moved = tuple(_copy(table, source, target, progress) for table in metadata.sorted_tables)
    words = [run_id for run_id, _ in unindexed(target)]
    for start in range(0, len(words), INDEXED):
        index_runs(target, words[start : start + INDEXED])
    for expected in moved:
        found = _summed_up(metadata.tables[expected.name], target)
        if found != expected:
            raise StoreError(
                f"table {expected.name} arrived with {found.rows} of {expected.rows} rows and the checksum "
                f"{found.checksum} instead of {expected.checksum}; nothing was moved"
            )
    return moved


def _check_source(source: Connection) -> None:
    revision = stored_revision(source)
    if revision is None:
        raise Refused("the database to move holds nothing of Moontide's")
    if revision > HEAD:
        raise NewerDatabase(f"the database to move was made by a newer Moontide (revision {revision})")
    if revision != HEAD:
        raise Refused(
            f"the database to move is of an older Moontide (revision {revision}); start an engine of this "
            "version on it once, which brings it up to date"
        )


def _prepare_target(target: Connection) -> None:
    revision = stored_revision(target)
    if revision is None:
        build(target)
    elif revision != HEAD or any(_count(table, target) for table in metadata.sorted_tables):
        raise Refused("the database to move to holds something already; choose an empty one")


def _count(table: Table, connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _copy(table: Table, source: Connection, target: Connection, progress: Progress) -> MovedTable:
    total, rows, checksum = _count(table, source), 0, 0
    statement = insert(table).values(
        {column.name: json_from_text(target.dialect.name, column) for column in _json_columns(table)}
    )
    names = [column.name for column in table.columns]
    for batch in _batches(table, source):
        try:
            target.execute(statement, [dict(zip(names, row, strict=True)) for row in batch])
        except DBAPIError as error:
            raise StoreError(
                f"a row of table {table.name} cannot be kept there, and nothing was moved: {error.orig}"
            ) from error
        rows += len(batch)
        checksum = _added(table, checksum, batch)
        progress(table.name, rows, total)
    set_sequence(target, table)
    return MovedTable(str(table.name), rows, f"{checksum:032x}")


def _summed_up(table: Table, connection: Connection) -> MovedTable:
    rows, checksum = 0, 0
    for batch in _batches(table, connection):
        rows += len(batch)
        checksum = _added(table, checksum, batch)
    return MovedTable(str(table.name), rows, f"{checksum:032x}")


def _json_columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, JSON)]


def _batches(table: Table, connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table; JSON as the text that stands there, which no reading of it can change."""
    dialect = connection.dialect.name
    columns = [
        json_to_text(dialect, column) if isinstance(column.type, JSON) else column for column in table.columns
    ]
    at = [place for place, column in enumerate(table.columns) if isinstance(column.type, JSON)]
    size = FETCHED_OF_LARGE.get(table.name, FETCHED)
    query = select(*columns).execution_options(yield_per=size)
    with connection.execute(query) as result:
        for batch in result.partitions():
            yield [_as_text(row, at) for row in batch]


def _as_text(row: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...]:
    values = list(row)
    for place in places:
        # SQLite gives a number that stands alone as what it is.
        if isinstance(values[place], int | float):
            values[place] = repr(values[place])
    return tuple(values)


def _added(table: Table, checksum: int, batch: Sequence[tuple[Any, ...]]) -> int:
    is_json = [isinstance(column.type, JSON) for column in table.columns]
    for row in batch:
        digest = hashlib.blake2b(digest_size=16)
        for value, of_json in zip(row, is_json, strict=True):
            told = _told(value, of_json)
            digest.update(b"%d:" % len(told) + told)
        checksum += int.from_bytes(digest.digest(), "big")
    return checksum % _MODULUS


def _told(value: Any, of_json: bool) -> bytes:
    """Return a value as bytes that are the same whichever database it comes from."""
    match value:
        case None:
            return b"-"
        case str() if of_json and value[:1] in "-0123456789":
            # 7.0 and 7 are the same number, and SQLite keeps it as the latter.
            return b"n" + str(Decimal(value).normalize()).encode()
        case str():
            return b"t" + value.encode("utf-8", "surrogatepass")
        case bytes() | memoryview():
            return b"b" + bytes(value)
        case datetime():
            return b"d" + in_utc(value).isoformat(" ", "microseconds").encode()
        case bool() | int():
            return b"i" + str(int(value)).encode()
        case _:
            return b"f" + repr(value).encode()
