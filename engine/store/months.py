"""The parts that a server keeps the history in: one for each month, so that a whole month can go at once.

The tables of runs, of their lines and of their words are divided by the run's id, which grows with time. So a
part holds the runs that were made known in its month, and whatever asks for a run by its id looks into one
part alone. The first part begins below all ids, the last one has no end: each id has its place.

What is done to parts needs the tables for itself for a moment. If somebody reads them for long, as a backup
does, it is not done now: nothing waits for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select, text
from sqlalchemy.exc import DBAPIError

from engine.store.dialects import has_parts, is_locked_elsewhere
from engine.store.models import RUN

#: The tables, with the column that has the run's id.
TABLES = {"run": "id", "log_line": "run_id", "run_text": "run_id"}

#: How long the tables are waited for.
_PATIENCE = "200ms"

#: The part for ids of months that are gone.
OLD = "old"

#: Runs that are kept of a part that is removed, at the most: they are moved.
MOST_KEPT = 1000

_PARTS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'run'::regclass
"""
_LEFT = f"""
SELECT relname FROM pg_class
WHERE relkind = 'r' AND NOT relispartition AND relname ~ '^({"|".join(TABLES)})_y[0-9]{{4}}m[0-9]{{2}}$'
  AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'run'::regclass)
ORDER BY relname
"""
_BOUNDS = re.compile(r"FROM \((MINVALUE|'?-?\d+'?)\) TO \((MAXVALUE|'?-?\d+'?)\)")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the history.

    Attributes:
        name: the month in which it was begun, such as y2026m11; the oldest rest is called old.
        first: its lowest id; None has no bound.
        end: the lowest id beyond it.
    """

    name: str
    first: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """A part of which few runs are kept.

    Attributes:
        runs: how many are not.
        kept: the ids of those that are.
    """

    part: Part
    runs: int
    kept: tuple[int, ...]


def parts_of(connection: Connection) -> list[Part]:
    """Return the parts of the history, the oldest first; none where it is in one piece."""
    if not has_parts(connection.dialect.name):
        return []
    found = [_part(name, bounds) for name, bounds in connection.execute(text(_PARTS))]
    return sorted(found, key=lambda part: (part.first is not None, part.first))


def _part(table: str, bounds: str) -> Part:
    match = _BOUNDS.search(bounds)
    assert match is not None, bounds
    first, end = (None if one.endswith("VALUE") else int(one.strip("'")) for one in match.groups())
    return Part(table.removeprefix("run_"), first, end)


def month_of(now: datetime) -> str:
    """Return the name of the part that is begun in a month."""
    return f"y{now:%Ym%m}"


def wants_new_month(connection: Connection, now: datetime) -> bool:
    """Whether the newest part is of a month that is over, and has runs."""
    parts = parts_of(connection)
    if not parts or parts[-1].name >= month_of(now):
        return False
    return connection.scalar(text(f"SELECT id FROM run_{parts[-1].name} LIMIT 1")) is not None


def begin_month(connection: Connection, now: datetime) -> bool:
    """End the newest part above the highest id that is there, and begin one for this month.

    Returns:
        whether it was done; not if somebody needs the tables.
    """
    if not wants_new_month(connection, now) or not _have_tables(connection):
        return False
    last = parts_of(connection)[-1]
    end = 1 + max(_highest(connection, table, last.name) for table in TABLES)
    for table in TABLES:
        _detach(connection, table, last.name)
        _attach(connection, table, Part(last.name, last.first, end))
        part = Part(month_of(now), end, None)
        connection.exec_driver_sql(f"CREATE TABLE {table}_{part.name} PARTITION OF {table} {_values(part)}")
    return True


def _highest(connection: Connection, table: str, name: str) -> int:
    return connection.scalar(text(f"SELECT max({TABLES[table]}) FROM {table}_{name}")) or 0


def month_to_remove(connection: Connection, over: ColumnElement[bool]) -> Month | None:
    """Return the oldest part of the history of which few runs are kept, if any; never the newest part.

    Args:
        over: the condition on `run` that it is kept no longer.
    """
    for part in parts_of(connection)[:-1]:
        if part.name == OLD:
            continue
        within = and_(RUN.c.id >= (part.first or 0), RUN.c.id < part.end)
        # A condition that is neither true nor false keeps the run too.
        stay = select(RUN.c.id).where(within, over.is_not(True)).limit(MOST_KEPT + 1)
        kept = tuple(connection.scalars(stay))
        if len(kept) > MOST_KEPT:
            continue
        runs = connection.scalar(select(func.count()).select_from(RUN).where(within)) or 0
        if runs > 2 * len(kept) or not runs:
            return Month(part, runs - len(kept), kept)
    return None


def remove_month(connection: Connection, month: Month, found: datetime) -> bool:
    """Take a part out of the history; the few runs of it that are kept go to the part before.

    Its tables are left, for `drop_table`: the server removes their files as it commits, which takes its time.

    Args:
        found: when the part was looked at, or earlier: runs that were queued since are kept too.

    Returns:
        whether it was done; not if somebody needs the tables.
    """
    parts = parts_of(connection)
    if month.part not in parts or not _have_tables(connection):
        return False
    part = month.part
    late = text(f"SELECT id FROM run_{part.name} WHERE queued >= :found")
    kept = sorted({*month.kept, *connection.scalars(late, {"found": found})})
    # An id of that time may still come: that of a run that was planned long before.
    at = parts.index(part)
    before = parts[at - 1] if at else Part(OLD, None, part.first)
    for table, column in TABLES.items():
        if at:
            _detach(connection, table, before.name)
        else:
            connection.exec_driver_sql(f"CREATE TABLE {table}_{OLD} (LIKE {table} INCLUDING ALL)")
        moved = (
            f"INSERT INTO {table}_{before.name} SELECT * FROM {table}_{part.name} WHERE {column} = ANY(:kept)"
        )
        connection.execute(text(moved), {"kept": kept})
        _detach(connection, table, part.name)
        _attach(connection, table, Part(before.name, before.first, part.end))
    return True


def tables_left(connection: Connection) -> list[str]:
    """Return the tables of parts that were taken out of the history."""
    return list(connection.scalars(text(_LEFT))) if has_parts(connection.dialect.name) else []


def drop_table(connection: Connection, name: str) -> None:
    """Drop one of `tables_left`."""
    if name in tables_left(connection):
        connection.exec_driver_sql(f"DROP TABLE {name}")


def _have_tables(connection: Connection) -> bool:
    """Lock the tables, unless somebody keeps them for longer than a moment."""
    usual = connection.scalar(text("SHOW lock_timeout"))
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")
    except DBAPIError as error:
        if not is_locked_elsewhere(error):
            raise
        return False
    return True


def _detach(connection: Connection, table: str, name: str) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {table}_{name}")


def _attach(connection: Connection, table: str, part: Part) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {table} ATTACH PARTITION {table}_{part.name} {_values(part)}")


def _values(part: Part) -> str:
    first = "MINVALUE" if part.first is None else str(part.first)
    end = "MAXVALUE" if part.end is None else str(part.end)
    return f"FOR VALUES FROM ({first}) TO ({end})"
