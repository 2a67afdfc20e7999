"""The functions of core.mysql, core.pg and core.sqlite: the same ones on different databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from moontide import CoreCall, CoreError, CoreModule
from plugins.network.addresses import join
from plugins.sql import build
from plugins.sql.build import BuildError, Statement, written
from plugins.sql.databases import Databases, Session
from plugins.sql.dialects import Dialect
from plugins.sql.driver import Result
from plugins.sql.options import (
    BatchSelect,
    ConnectionTable,
    Delete,
    DeleteMany,
    Insert,
    InsertMany,
    MergeSelect,
    Select,
    SelectCount,
    SelectOne,
    Target,
    Update,
    UpdateMany,
)

NO_ROW = 800
WRONG_TYPE = 801

#: Statements of one batch.
MOST_STATEMENTS = 1000

_INSERTS = ("insert", "replace")
_CHANGES = ("update", "delete")
_BLANKS = " \t\r\n(;"

Make = Callable[[], Statement]

T = TypeVar("T")


def declare(module: CoreModule, default_port: int | None) -> None:
    """Declare all functions that reach a database.

    Args:
        default_port: of servers that a job names itself; None if it may not.
    """

    def reaches(db: Target, *_: Any) -> list[str]:
        return reached(db, default_port)

    def merges(entries: list[MergeSelect]) -> list[str]:
        return [place for entry in entries for place in reached(entry.db, default_port)]

    for name, function in ON_DATABASE.items():
        module.function(name, timeout_seconds=None, needs=reaches)(function)
    module.function("selectMerge", timeout_seconds=None, needs=merges)(select_merge)
    module.function("dbClose")(db_close)
    module.function("logQueries")(log_queries)
    module.function("escape")(escape)
    module.function("escapeAll")(escape_all)


def reached(db: Target, default_port: int | None) -> list[str]:
    """Return what a call wants to reach, for the permission check: a database's name, or host and port."""
    if isinstance(db, str):
        return [db]
    if isinstance(db, ConnectionTable):
        named = join(db.host or "127.0.0.1", db.port or default_port or 0)
        return [db.database if db.configured else named]
    return []


async def query(call: CoreCall, db: Target, sql: str) -> Any:
    """Carry out one SQL statement and return its rows; of an INSERT the id, of other changes the count."""
    async with _Calling(call, "query", db) as session:
        return _plain(sql, await session.execute(written(sql)))


async def select(call: CoreCall, db: Target, options: Select) -> list[dict[str, Any]]:
    """Return the rows, as a list of tables; an empty one if there are none."""
    async with _Calling(call, "select", db) as session:
        return await _rows(session, build.select(_dialect(call), options))


async def select_one(call: CoreCall, db: Target, options: SelectOne) -> dict[str, Any]:
    """Return the first row, as a table; without one nil, a message and 800."""
    wanted = Select(options.tbl, options.columns, options.where, options.orderby, limit=1)
    async with _Calling(call, "selectOne", db) as session:
        rows = await _rows(session, build.select(_dialect(call), wanted))
        if not rows:
            raise CoreError(f"no row of {options.tbl} matches", NO_ROW)
        return rows[0]


async def select_batch(call: CoreCall, db: Target, entries: list[BatchSelect]) -> dict[str, Any]:
    """Return the rows of several SELECTs by their keys; one that failed gives a table with error and code."""
    found: dict[str, Any] = {}
    async with _Calling(call, "selectBatch", db) as session:
        for entry in _few(entries):
            try:
                found[_key(entry)] = await _selected(call, session, entry)
            except (BuildError, CoreError) as error:
                found[_key(entry)] = _failure(error)
    return found


async def select_merge(call: CoreCall, entries: list[MergeSelect]) -> dict[str, Any]:
    """Return the rows of SELECTs on several databases by their keys, and what failed in `errors`."""
    found: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    with _Telling(call, "selectMerge"):
        for index, entry in enumerate(_few(entries), 1):
            try:
                found[_key(entry)] = await _selected_from(call, entry)
            except (BuildError, CoreError) as error:
                failed = _failure(error)
                place = {"db": _name_of(entry.db), "index": index, "status": failed["code"]}
                errors.append({"error": failed["error"], **place})
    if errors:
        found["errors"] = errors
    return found


async def select_count(call: CoreCall, db: Target, options: SelectCount) -> int:
    """Return how many rows there are whose column (`id` if none is given) is not NULL."""
    async with _Calling(call, "selectCount", db) as session:
        rows = await _rows(session, build.count(_dialect(call), options))
        return int(rows[0]["n"])


async def insert(call: CoreCall, db: Target, options: Insert) -> Any:
    """Add a row and return its id."""
    async with _Calling(call, "insert", db) as session:
        return _new_id(await session.execute(build.insert(_dialect(call), options)))


async def insert_many(call: CoreCall, db: Target, options: InsertMany) -> list[dict[str, Any]]:
    """Add rows to one table; returns for each, in order, a table with its id, or with error and code."""
    wanted = [Insert(options.tbl, values) for values in options.records]
    return await _batch(call, db, "insertMany", _inserts(call, wanted), _id_table)


async def insert_batch(call: CoreCall, db: Target, entries: list[Insert]) -> list[dict[str, Any]]:
    """Add rows to several tables; returns what insertMany returns."""
    return await _batch(call, db, "insertBatch", _inserts(call, entries), _id_table)


async def update(call: CoreCall, db: Target, options: Update) -> int:
    """Change rows, all without `where`, and return how many matched."""
    async with _Calling(call, "update", db) as session:
        return (await session.execute(build.update(_dialect(call), options))).affected


async def update_many(call: CoreCall, db: Target, options: UpdateMany) -> list[dict[str, Any]]:
    """Make several changes in one table; returns for each a table with updated, or with error and code."""
    wanted = [Update(options.tbl, change.values, change.where) for change in options.update]
    return await _batch(call, db, "updateMany", _updates(call, wanted), _updated_table)


async def update_batch(call: CoreCall, db: Target, entries: list[Update]) -> list[dict[str, Any]]:
    """Make changes in several tables; returns what updateMany returns."""
    return await _batch(call, db, "updateBatch", _updates(call, entries), _updated_table)


async def delete(call: CoreCall, db: Target, options: Delete) -> int:
    """Delete rows and return how many; without `where` only with `force = true`."""
    async with _Calling(call, "delete", db) as session:
        return (await session.execute(build.delete(_dialect(call), options))).affected


async def delete_many(call: CoreCall, db: Target, options: DeleteMany) -> list[dict[str, Any]]:
    """Delete from one table several times; returns for each a table with deleted, or with error and code."""
    wanted = [Delete(options.tbl, removal.where, removal.force) for removal in options.delete]
    return await _batch(call, db, "deleteMany", _deletes(call, wanted), _deleted_table)


async def delete_batch(call: CoreCall, db: Target, entries: list[Delete]) -> list[dict[str, Any]]:
    """Delete from several tables; returns what deleteMany returns."""
    return await _batch(call, db, "deleteBatch", _deletes(call, entries), _deleted_table)


async def db_connect(call: CoreCall, db: Target) -> int:
    """Open a connection for this run, for transactions; returns what the other functions take as db."""
    with _Telling(call, "dbConnect"):
        return await _service(call).hold(call, db)


async def db_query(call: CoreCall, connection: int, sql: str) -> Any:
    """Carry out one SQL statement on a connection of dbConnect; returns what query returns."""
    async with _Calling(call, "dbQuery", connection) as session:
        return _plain(sql, await session.execute(written(sql)))


async def db_close(call: CoreCall, connection: int) -> bool:
    """Close a connection of dbConnect; what its transaction did not commit is undone."""
    await call.resources.release(connection)
    return True


async def log_queries(call: CoreCall, state: bool = True) -> bool:
    """Write each SQL statement of this run to its log, until it is called with false."""
    _service(call).log_queries(call, state)
    return True


async def escape(call: CoreCall, text: str) -> str:
    """Return text as an SQL literal, in single quotes."""
    return _service(call).dialect.escape(text)


async def escape_all(call: CoreCall, values: list[Any] | dict[str, Any]) -> list[Any] | dict[str, Any]:
    """Return a table whose strings have become SQL literals; other values stay as they are."""
    literal = _service(call).dialect.escape
    if isinstance(values, list):
        return [literal(value) if isinstance(value, str) else value for value in values]
    return {name: literal(value) if isinstance(value, str) else value for name, value in values.items()}


#: By their names in Lua: the functions whose first argument is a database.
ON_DATABASE: dict[str, Callable[..., Any]] = {
    "query": query,
    "q": query,
    "select": select,
    "selectOne": select_one,
    "selectBatch": select_batch,
    "selectCount": select_count,
    "insert": insert,
    "insertMany": insert_many,
    "insertBatch": insert_batch,
    "update": update,
    "updateMany": update_many,
    "updateBatch": update_batch,
    "delete": delete,
    "deleteMany": delete_many,
    "deleteBatch": delete_batch,
    "dbConnect": db_connect,
    "dbQuery": db_query,
}


def _service(call: CoreCall) -> Databases:
    service: Databases = call.service
    return service


def _dialect(call: CoreCall) -> Dialect:
    return _service(call).dialect


class _Telling:
    """Puts the function's name before what went wrong; a mistake of the job also stands in its log."""

    def __init__(self, call: CoreCall, name: str) -> None:
        self._call = call
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            _tell(self._call, self._name, error)


def _tell(call: CoreCall, name: str, error: BaseException) -> None:
    """Raise what went wrong with the function's name before it; anything unforeseen goes on its way."""
    if isinstance(error, BuildError | CoreError):
        words = f"core.{_service(call).module}.{name}: {error}"
        if isinstance(error, BuildError):
            call.log("warn", words)
        raise CoreError(words, error.code) from error


class _Calling:
    """A session with a database for the time of one call, whose errors get the function's name."""

    def __init__(self, call: CoreCall, name: str, db: Target) -> None:
        self._call = call
        self._name = name
        self._db = db
        self._opened: Session

    async def __aenter__(self) -> Session:
        try:
            self._opened = await _service(self._call).session(self._call, self._db)
        except CoreError as error:
            _tell(self._call, self._name, error)
        return self._opened

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._opened.leave()
        if error is not None:
            _tell(self._call, self._name, error)


async def _rows(session: Session, statement: Statement) -> list[dict[str, Any]]:
    return (await session.execute(statement)).rows or []


async def _selected(call: CoreCall, session: Session, entry: BatchSelect) -> Any:
    rows = await _rows(session, build.select(_dialect(call), entry))
    if entry.limit == 1:
        return rows[0] if rows else None
    return rows


async def _selected_from(call: CoreCall, entry: MergeSelect) -> Any:
    session = await _service(call).session(call, entry.db)
    try:
        return await _selected(call, session, entry)
    finally:
        session.leave()


async def _batch(
    call: CoreCall,
    db: Target,
    name: str,
    statements: Sequence[Make],
    told: Callable[[Result], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Carry out all statements; none keeps the next ones from being tried."""
    answers = []
    async with _Calling(call, name, db) as session:
        for make in _few(statements):
            try:
                answers.append(told(await session.execute(make())))
            except (BuildError, CoreError) as error:
                answers.append(_failure(error))
    return answers


def _inserts(call: CoreCall, wanted: Sequence[Insert]) -> list[Make]:
    return [partial(build.insert, _dialect(call), one) for one in wanted]


def _updates(call: CoreCall, wanted: Sequence[Update]) -> list[Make]:
    return [partial(build.update, _dialect(call), one) for one in wanted]


def _deletes(call: CoreCall, wanted: Sequence[Delete]) -> list[Make]:
    return [partial(build.delete, _dialect(call), one) for one in wanted]


def _few(entries: Sequence[T]) -> Sequence[T]:
    if len(entries) > MOST_STATEMENTS:
        raise CoreError(f"at most {MOST_STATEMENTS} statements go into one call", WRONG_TYPE)
    return entries


def _failure(error: BuildError | CoreError) -> dict[str, Any]:
    return {"error": str(error), "code": error.code}


def _key(entry: BatchSelect) -> str:
    return entry.tbl if entry.key is None else entry.key


def _name_of(db: Target) -> str:
    return db.database if isinstance(db, ConnectionTable) else str(db)


def _id_table(result: Result) -> dict[str, Any]:
    return {"id": _new_id(result)}


def _updated_table(result: Result) -> dict[str, Any]:
    return {"updated": result.affected}


def _deleted_table(result: Result) -> dict[str, Any]:
    return {"deleted": result.affected}


def _new_id(result: Result) -> Any:
    """Return the id of a new row; 0 where the table makes none."""
    if result.last_id is not None:
        return result.last_id
    row = result.rows[0] if result.rows else {}
    found = row.get("id", next(iter(row.values()), None))
    return 0 if found is None else found


def _plain(sql: str, result: Result) -> Any:
    """Return what a hand-written statement gave, by what it was."""
    if result.rows is not None:
        return result.rows
    verb = first_word(sql)
    if verb in _INSERTS and result.last_id is not None:
        return result.last_id
    if verb in _INSERTS + _CHANGES:
        return result.affected
    return {"affected": result.affected}


def first_word(sql: str) -> str:
    """Return the first word of a statement in lower case, after blanks and comments."""
    rest = sql.lstrip(_BLANKS)
    while rest.startswith(("--", "#", "/*")):
        end = "*/" if rest.startswith("/*") else "\n"
        rest = rest.partition(end)[2].lstrip(_BLANKS)
    return re.split(r"\W", rest, maxsplit=1)[0].lower()
