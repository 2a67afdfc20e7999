from __future__ import annotations

import ast
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

import engine
from engine.errors import StoreUnavailable
from engine.store.database import open_database, shown
from engine.store.dialects import translate

ENGINE = Path(engine.__file__).parent
KNOWS = ENGINE / "store" / "dialects.py"
KINDS = {"sqlite", "postgresql"}


def asks_which(path: Path) -> list[int]:
    """Return the lines of a module that ask which database it is: they name one as text."""
    constants = [
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
    ]
    return [node.lineno for node in constants if node.value in KINDS]


def test_one_file_alone_asks_which_database_it_is() -> None:
    asking = {path for path in ENGINE.rglob("*.py") if asks_which(path)}
    assert asking == {KNOWS}


def error_of(cause: psycopg.Error, kind: type[DBAPIError] = DBAPIError) -> DBAPIError:
    return kind("SELECT 1", None, cause)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (psycopg.errors.AdminShutdown(), "the connection to the database is lost"),
        (psycopg.errors.CannotConnectNow(), "the database server starts or stops"),
        (psycopg.errors.DiskFull(), "the disk of the database is full"),
        (psycopg.errors.TooManyConnections(), "takes no more connections"),
        (psycopg.errors.LockNotAvailable(), "locked by another program"),
        (psycopg.errors.DeadlockDetected(), "two things at once"),
        (psycopg.errors.ReadOnlySqlTransaction(), "read-only"),
        (psycopg.errors.InvalidPassword(), "does not let the engine in"),
        (psycopg.errors.QueryCanceled(), "broke a statement off"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_trouble_of_a_server_is_a_reason_to_wait(cause: psycopg.Error, words: str) -> None:
    error = translate(error_of(cause))
    assert isinstance(error, StoreUnavailable)
    assert words in str(error)


def test_a_server_that_cannot_be_reached_is_a_reason_to_wait() -> None:
    error = translate(error_of(psycopg.OperationalError("refused"), OperationalError))
    assert isinstance(error, StoreUnavailable)


@pytest.mark.parametrize("cause", [psycopg.errors.UniqueViolation(), psycopg.DataError("a zero byte")])
def test_a_statement_that_a_server_refuses_is_none(cause: psycopg.Error) -> None:
    assert not isinstance(translate(error_of(cause)), StoreUnavailable)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://anna:geheim@db.example:5433/shop",
        "postgresql+psycopg://anna@db.example:5433/shop?password=geheim",
        "postgresql+psycopg://anna@db.example:5433/shop?sslmode=require&sslpassword=geheim",
    ],
)
def test_the_name_of_a_database_holds_no_password(url: str) -> None:
    database = open_database(url)
    assert "geheim" not in database.name
    assert "anna" in database.name
    assert "db.example:5433/shop" in shown(url)
    assert "geheim" not in repr(database)
    database.close()
