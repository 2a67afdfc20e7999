"""Databases on real servers for hostile jobs: one that they may use, and one beside it that they may not."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import psycopg
import pytest

from tests.services import Server, mysql_database, mysql_do, pg_database, pg_do

CANARY = "untouched"


class Database(Protocol):
    """A database that jobs may use, with a canary beside it."""

    @property
    def settings(self) -> str:
        """Its table for moontide.toml."""

    def touched(self) -> list[str]:
        """Return what happened to the canary; nothing if it is as it was."""


@dataclass(frozen=True)
class MySql:
    """A MariaDB account that has rights in one database only."""

    used: Server
    canary: Server

    @property
    def settings(self) -> str:
        return (
            f'[mysql.shop]\nurl = "{self.used.url}"\nquery_timeout = "1s"\nmax_rows = 1000\nconnections = 4'
        )

    def touched(self) -> list[str]:
        found = mysql_do(self.canary, f"SHOW TABLES; SELECT words FROM {CANARY}").split()
        return [] if found == [CANARY, "song"] else [f"the MariaDB canary is {found}"]


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL role that has rights in one database only."""

    used: Server
    canary: Server

    @property
    def settings(self) -> str:
        return f'[pg.shop]\nurl = "{self.used.url}"\nquery_timeout = "1s"\nmax_rows = 1000\nconnections = 4'

    def touched(self) -> list[str]:
        canary = self.canary
        with psycopg.connect(
            host=canary.host,
            port=canary.port,
            user=canary.user,
            dbname=canary.database,
            password=canary.password,
        ) as connection:
            found = connection.execute(f"SELECT words FROM {CANARY}").fetchall()
        return [] if found == [("song",)] else [f"the PostgreSQL canary is {found}"]


@contextmanager
def open_databases(*, mighty: bool = False) -> Iterator[dict[str, Database]]:
    """Give the databases that can be had here, by the name of their module.

    Args:
        mighty: let jobs use the server's own administrator, instead of an account with few rights.
    """
    with ExitStack() as stack:
        found: dict[str, Database] = {}
        for name, opened in (("mysql", _mysql(mighty)), ("pg", _pg(mighty))):
            try:
                found[name] = stack.enter_context(opened)
            except pytest.skip.Exception:
                continue
        yield found


@contextmanager
def _mysql(mighty: bool) -> Iterator[Database]:
    with mysql_database() as used, mysql_database() as canary:
        account = replace(used, user=_name(), password=secrets.token_hex(12))
        mysql_do(canary, f"CREATE TABLE {CANARY} (words TEXT); INSERT INTO {CANARY} VALUES ('song')")
        mysql_do(
            used, "CREATE TABLE toys (id INT PRIMARY KEY, name TEXT); INSERT INTO toys VALUES (1, 'kite')"
        )
        mysql_do(used, f"CREATE USER {account.user}@'%' IDENTIFIED BY '{account.password}'")
        try:
            mysql_do(used, f"GRANT ALL ON {used.database}.* TO {account.user}@'%'")
            yield MySql(used if mighty else account, canary)
        finally:
            mysql_do(used, f"DROP USER {account.user}@'%'")


@contextmanager
def _pg(mighty: bool) -> Iterator[Database]:
    with pg_database() as used, pg_database() as canary:
        account = replace(used, user=_name(), password=secrets.token_hex(12))
        pg_do(canary, f"CREATE TABLE {CANARY} (words TEXT); INSERT INTO {CANARY} VALUES ('song')")
        pg_do(canary, f"REVOKE ALL ON DATABASE {canary.database} FROM PUBLIC")
        pg_do(used, f"CREATE ROLE {account.user} LOGIN PASSWORD '{account.password}'")
        try:
            pg_do(
                used, f"GRANT ALL ON SCHEMA public TO {account.user}; CREATE TABLE toys (id INT, name TEXT)"
            )
            pg_do(used, f"GRANT ALL ON toys TO {account.user}; INSERT INTO toys VALUES (1, 'kite')")
            yield Postgres(used if mighty else account, canary)
        finally:
            pg_do(used, f"DROP OWNED BY {account.user} CASCADE; DROP ROLE {account.user}")


def _name() -> str:
    return f"hostile_{secrets.token_hex(4)}"
