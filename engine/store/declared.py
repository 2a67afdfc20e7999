"""The rows of what job files declared; when they count is said elsewhere (`engine.declarations`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, select

from engine.store.dialects import upsert
from engine.store.models import DECLARED
from engine.store.prepared import Prepared
from engine.store.queries import reading


class DeclaredRow(NamedTuple):
    """What one job's file declared, with the seal that tells whether it still counts."""

    job: str
    seal: str
    body: bytes


def stored_declared(reader: Engine) -> dict[str, DeclaredRow]:
    """Return all rows by job, in one query."""
    query = select(DECLARED.c.job, DECLARED.c.seal, DECLARED.c.body)
    with reading(reader) as connection:
        return {row[0]: DeclaredRow(*row) for row in connection.execute(query)}


def keep_declared(connection: Connection, rows: Sequence[DeclaredRow]) -> None:
    """Write rows, in the place of those that are there."""
    statement = upsert(connection.dialect.name, DECLARED, ("job",), ("seal", "body"))
    Prepared(statement, DeclaredRow._fields).execute(connection, rows)


def forget_declared(connection: Connection, jobs: Sequence[str]) -> None:
    """Remove the rows of jobs."""
    connection.execute(delete(DECLARED).where(DECLARED.c.job.in_(jobs)))
