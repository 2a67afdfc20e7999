"""Where the homes of tests keep their runs: in a file of SQLite, or each in a PostgreSQL database of its own.

`TEST_DATABASE=postgresql` gives PostgreSQL to all homes whose test does not say which it wants.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.services import Server, pg_database, pg_do, psycopg_url, random_name

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KINDS = (SQLITE, POSTGRESQL)

#: What homes get whose test does not say.
USUAL = os.environ.get("TEST_DATABASE", SQLITE)
assert USUAL in KINDS, f"TEST_DATABASE is one of {', '.join(KINDS)}"

_open = ExitStack()


@dataclass(frozen=True, slots=True)
class Homebase:
    """The database of one home.

    Attributes:
        environment: what makes an engine use it.
    """

    kind: str
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Carry out a statement, and return its rows if it has any."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


def make_homebase(kind: str, home: Path) -> Homebase:
    """Return the database of a home, with nothing in it; it is dropped by `drop_all`."""
    if kind == SQLITE:
        return Homebase(kind, f"sqlite:///{home / 'moontide.db'}")
    url = psycopg_url(_open.enter_context(pg_database()))
    return Homebase(kind, url, {"MOONTIDE_DATABASE": url})


def homebase_on(server: Server) -> Homebase:
    """Return a database on a server that the test itself has started, and that goes with it."""
    named = replace(server, database=random_name())
    pg_do(server, f"CREATE DATABASE {named.database}")
    url = psycopg_url(named)
    return Homebase(POSTGRESQL, url, {"MOONTIDE_DATABASE": url})


def drop_all() -> None:
    """Drop the databases of all homes there were."""
    _open.close()
