"""Where the homes of tests keep their runs: in a file of SQLite, or each in a PostgreSQL database of its own.

`TEST_DATABASE=postgresql` gives PostgreSQL to all homes whose test does not say which it wants.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from engine.store.database import open_database
from engine.store.schema import migrate
from tests.services import Server, pg_database, pg_do, psycopg_url, random_name

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KINDS = (SQLITE, POSTGRESQL)

#: What homes get whose test does not say.
USUAL = os.environ.get("TEST_DATABASE", SQLITE)
assert USUAL in KINDS, f"TEST_DATABASE is one of {', '.join(KINDS)}"

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"

_open = ExitStack()
_template = ExitStack()


def rows_of(url: str, statement: str, **values: object) -> list[tuple[Any, ...]]:
    """Carry out a statement in a database, and return its rows if it has any."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


@dataclass(frozen=True, slots=True)
class Homebase:
    """The database of one home.

    Attributes:
        environment: what makes an engine use it.
    """

    kind: str
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, url: str) -> Homebase:
        """Return the database at a URL, whoever chose it."""
        return cls(make_url(url).get_backend_name(), url)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Carry out a statement, and return its rows if it has any."""
        return rows_of(self.url, statement)

    def held(self) -> bytes:
        """Return all that it holds, as it is written there."""
        if self.kind == SQLITE:
            file = Path(make_url(self.url).database or "")
            return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
        with psycopg.connect(make_url(self.url).set(drivername="postgresql").render_as_string(False)) as wire:
            return b"".join(self._copied(wire, name) for (name,) in wire.execute(_TABLES).fetchall())

    def _copied(self, wire: psycopg.Connection, table: str) -> bytes:
        with wire.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)") as copy:
            return b"".join(copy)


def make_homebase(kind: str, home: Path) -> Homebase:
    """Return the database of a home, without any row; it is dropped by `drop_homes`."""
    if kind == SQLITE:
        return Homebase(kind, f"sqlite:///{home / 'moontide.db'}")
    return _on_server(_open.enter_context(laid_out()))


def make_empty_homebase() -> Homebase:
    """Return a PostgreSQL database with nothing in it, not even tables; it is dropped by `drop_homes`."""
    return _on_server(_open.enter_context(pg_database()))


@contextmanager
def laid_out() -> Iterator[Server]:
    """Give a PostgreSQL database with all tables of this version, and drop it afterwards."""
    with pg_database(like=_first_laid_out()) as server:
        yield server


@cache
def _first_laid_out() -> Server:
    """Make the tables once in each process: all revisions take half a second, a copy a tenth of it."""
    server = _template.enter_context(pg_database())
    with closing(open_database(psycopg_url(server))) as database:
        migrate(database.writer)
    return server


def homebase_on(server: Server) -> Homebase:
    """Return a database on a server that the test itself has started, and that goes with it."""
    named = replace(server, database=random_name())
    pg_do(server, f"CREATE DATABASE {named.database}")
    return _on_server(named)


def _on_server(server: Server) -> Homebase:
    url = psycopg_url(server)
    return Homebase(POSTGRESQL, url, {"MOONTIDE_DATABASE": url})


@contextmanager
def cut_off(base: Homebase) -> Iterator[None]:
    """Let nobody reach a database on a server, and end whatever is connected to it."""
    url = make_url(base.url)
    at_large = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(at_large, autocommit=True) as wire:
        wire.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        wire.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'"
        )
        try:
            yield
        finally:
            wire.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


def drop_homes() -> None:
    """Drop the databases of all homes there were."""
    _open.close()


def drop_all() -> None:
    """Drop what homes of later tests would be copied from, too."""
    drop_homes()
    _first_laid_out.cache_clear()
    _template.close()


# For those who use homes outside of a test session.
atexit.register(drop_all)
