"""What becomes of tests whose servers are not there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests import services
from tests.services import Server, mysql_database, own_pg, pg_database

SERVERS = pytest.mark.parametrize(
    ("database", "package"), [(mysql_database, "mariadb-server"), (pg_database, "postgresql")]
)

Database = Callable[[], AbstractContextManager[Server]]


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no server runs and none is installed."""
    monkeypatch.setenv("TEST_MYSQL_URL", "mysql://nobody@127.0.0.1:1/")
    monkeypatch.setenv("TEST_PG_URL", "pg://nobody@127.0.0.1:1/")
    monkeypatch.setattr(services, "own_mysql", lambda folder: None)
    monkeypatch.setattr(services, "own_pg", lambda folder: None)


@SERVERS
@pytest.mark.parametrize("value", [None, "", "false"])
def test_a_test_without_its_server_is_skipped_with_how_to_get_it(
    database: Database, package: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.skip.Exception, match=f"apt-get install {package}"), database():
        pass


@SERVERS
def test_with_ci_a_test_without_its_server_fails(
    database: Database, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=f"apt-get install {package}"), database():
        pass


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is installed on this machine after all."""
    monkeypatch.setattr(services, "own_pg", own_pg)


def test_a_private_server_is_started_once_and_shared(installed: None) -> None:
    with pg_database() as one, pg_database() as other:
        assert one.port == other.port
        assert one.database != other.database
    with pg_database() as later:
        assert later.port == one.port
