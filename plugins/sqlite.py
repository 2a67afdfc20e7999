"""core.sqlite: SQLite databases, files in the home's files folder."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from moontide import CoreModule, Deadline, ServiceContext, hookimpl
from moontide.quantities import parse_duration, parse_size
from plugins.network.addresses import Addresses
from plugins.sql import functions, times
from plugins.sql.build import Statement
from plugins.sql.databases import Databases, Source
from plugins.sql.dialects import SQLITE
from plugins.sql.driver import Address, Columns, Limits, QueryError, Result, Rows, TimeLimitError
from plugins.sql.threads import DaemonThreads

T = TypeVar("T")

FAILED = 800
CANNOT_OPEN = 820

MOST_THREADS = 8

#: How long to wait for another connection that writes.
BUSY_SECONDS = 5.0

#: Virtual machine steps between two looks at whether the statement should end.
STEPS_BETWEEN_LOOKS = 10_000

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

#: Pragmas that only tell something about tables; SQLite's own full-text tables ask for the last one.
SAFE_PRAGMAS = frozenset(
    (
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "data_version",
    )
)

#: They reach other files, or leave state in a connection that another job uses next.
_DENIED_ACTIONS = frozenset(
    (
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
    )
)

#: They run code of the machine: from a library, or at an address that the statement gives (Debian's build).
_RUN_CODE = ("load_extension", "fts3_tokenizer")

#: One call can fill a text of two gigabytes sign by sign, which nothing can stop.
_ENDLESS = ("printf", "format")

_DENIED_FUNCTIONS = frozenset((*_RUN_CODE, *_ENDLESS))


class FileSettings(msgspec.Struct, forbid_unknown_fields=True):
    """One SQLite database.

    Attributes:
        file: its path in the files folder.
        connections: how many may be open at once.
        query_timeout: how long one statement may take.
        max_rows: how many rows one statement may give.
        max_size: how large the file may become.
    """

    file: str
    connections: int = 4
    query_timeout: int | float | str = "30s"
    max_rows: int = 10_000
    max_size: int | str = "1GB"

    def __post_init__(self) -> None:
        path = Path(self.file)
        if path.is_absolute() or not path.name or ".." in path.parts or "\0" in self.file:
            raise ValueError("file must be a path in the files folder, without ..")
        if self.connections < 1 or self.max_rows < 1 or parse_duration(self.query_timeout) <= 0:
            raise ValueError("connections, max_rows and query_timeout must be more than zero")
        if parse_size(self.max_size) < 1:
            raise ValueError("max_size must be more than zero")


sqlite = CoreModule(
    "sqlite",
    summary='Reads and writes SQLite databases: core.sqlite.select("notes", { tbl = "lines" }).',
    settings=dict[str, FileSettings],
)
functions.declare(sqlite, None)
times.declare(sqlite)


@sqlite.service
@asynccontextmanager
async def open_databases(
    settings: dict[str, FileSettings], context: ServiceContext
) -> AsyncIterator[Databases]:
    """Give the databases of the settings; a file is opened when a job first needs it."""
    folder = context.home / getattr(context.settings.get("files"), "folder", "files")
    threads = DaemonThreads(MOST_THREADS, "sqlite")
    opener = Opener(folder, {one.file: parse_size(one.max_size) for one in settings.values()}, threads)
    databases = Databases(
        module="sqlite",
        dialect=SQLITE,
        connect=opener.open,
        sources={name: _source(name, one) for name, one in settings.items()},
        default_port=None,
        addresses=Addresses(),
    )
    try:
        yield databases
    finally:
        await databases.close()
        threads.shutdown()


def _source(name: str, settings: FileSettings) -> Source:
    seconds = parse_duration(settings.query_timeout)
    address = Address(database=name, file=settings.file, query_seconds=seconds)
    return Source(address, Limits(seconds=seconds, rows=settings.max_rows), settings.connections)


class Opener:
    """Opens database files in the files folder."""

    def __init__(self, folder: Path, sizes: Mapping[str, int], threads: DaemonThreads) -> None:
        self._folder = folder
        self._sizes = sizes
        self._threads = threads

    async def open(self, address: Address) -> SqliteConnection:
        """Open a connection; the file is made if it is not there.

        Raises:
            QueryError: the file cannot be opened.
        """
        loop = asyncio.get_running_loop()
        size = self._sizes[address.file]
        opening = partial(_open, self._folder, address.file, size)
        try:
            wire = await loop.run_in_executor(self._threads, opening)
        except (OSError, sqlite3.Error) as error:
            raise QueryError(
                f"the file of database {address.database!r} cannot be opened", CANNOT_OPEN, lost=True
            ) from error
        return SqliteConnection(wire, self._threads)


class SqliteConnection:
    """One connection to a database file; it works in threads."""

    def __init__(self, wire: sqlite3.Connection, threads: DaemonThreads) -> None:
        self.deadline = Deadline()
        self._wire = wire
        self._threads = threads
        self._stopped = False
        self._working: asyncio.Future[Any] | None = None
        wire.set_progress_handler(lambda: self._stopped, STEPS_BETWEEN_LOOKS)

    async def run(self, statement: Statement, limits: Limits) -> Result:
        """Carry out a statement."""
        text = statement.render(lambda number: "?")
        timer = asyncio.get_running_loop().call_later(limits.seconds, self._stop)
        try:
            return await self._in_thread(partial(_run, self._wire, text, statement.values, limits))
        except sqlite3.Error as error:
            if self._stopped:
                raise TimeLimitError from error
            raise QueryError(_words_of(error), FAILED) from error
        except (OverflowError, UnicodeError, ValueError) as error:
            raise QueryError("a value cannot be kept in SQLite", FAILED) from error
        finally:
            timer.cancel()
            if self._working is None:
                self._stopped = False

    async def ping(self) -> None:
        """Do nothing: a file does not go away."""

    async def reset(self) -> None:
        """Forget an open transaction."""
        if self._wire.in_transaction:
            await self._in_thread(self._wire.rollback)

    async def close(self) -> None:
        """Close the file."""
        await self._in_thread(self._wire.close)

    async def abort(self) -> None:
        """Stop the statement under way, and close the file after it."""
        self._stop()
        if self._working is not None:
            await asyncio.wait([self._working])
        await self.close()

    def _stop(self) -> None:
        self._stopped = True

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Carry out work in a thread; it goes on there also if nobody waits for it any more."""
        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._working = working
        working.add_done_callback(self._worked)
        return await asyncio.shield(working)

    def _worked(self, work: asyncio.Future[Any]) -> None:
        self._working = None
        if not work.cancelled():
            work.exception()


def _open(folder: Path, file: str, max_size: int) -> sqlite3.Connection:
    path = _confined(folder, file)
    wire = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON"):
            wire.execute(f"PRAGMA {pragma}")
        page = wire.execute("PRAGMA page_size").fetchone()[0]
        wire.execute(f"PRAGMA max_page_count={max(1, max_size // page)}")
        for category, limit in LIMITS.items():
            wire.setlimit(category, limit)
        wire.set_authorizer(_authorize)
    except BaseException:
        wire.close()
        raise
    return wire


def _confined(folder: Path, file: str) -> Path:
    """Return the path of a database file, whose folders are made if they are missing.

    Raises:
        OSError: a link leads out of the files folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder.resolve()
    path = inside / file
    if not path.parent.resolve().is_relative_to(inside):
        raise PermissionError("a link leads out of the files folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.resolve() != path:
        raise PermissionError("a database file may not be reached by a link")
    return path


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _DENIED_ACTIONS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in SAFE_PRAGMAS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _run(wire: sqlite3.Connection, text: str, values: tuple[Any, ...], limits: Limits) -> Result:
    cursor = wire.cursor()
    try:
        cursor.execute(text, values)
        if cursor.description is None:
            return Result(None, affected=max(cursor.rowcount, 0), last_id=cursor.lastrowid)
        rows = Rows(Columns.named(column[0] for column in cursor.description), limits.rows)
        rows.add(cursor)
        return Result(rows.rows)
    finally:
        cursor.close()


def _words_of(error: sqlite3.Error) -> str:
    if isinstance(error, sqlite3.DatabaseError) and str(error) in ("not authorized", "prohibited"):
        return "not allowed in jobs: ATTACH, VACUUM, temporary tables and most pragmas"
    return str(error)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `sqlite`."""
    return [sqlite]
