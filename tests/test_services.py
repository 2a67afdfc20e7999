"""What becomes of tests whose servers are not there, and of servers and databases whose tests are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from tests import services
from tests.e2e.processes import until
from tests.homebases import POSTGRESQL, drop_homes, make_homebase
from tests.services import START_SECONDS, Server, mysql_database, own_pg, pg_answers, pg_database, pg_do

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


def test_a_database_like_another_one_is_a_copy_of_it(installed: None) -> None:
    with pg_database() as first:
        pg_do(first, "CREATE TABLE moon (full_at timestamptz)")
        with pg_database(like=first) as copy:
            pg_do(copy, "DROP TABLE moon")
        pg_do(first, "INSERT INTO moon VALUES (now())")


def test_homes_have_the_tables_and_nothing_of_each_other(installed: None, tmp_path: Path) -> None:
    one, other = (make_homebase(POSTGRESQL, tmp_path) for _ in range(2))
    one.rows("INSERT INTO source (hash, text, first_seen) VALUES ('a', 'b', now())")
    assert other.rows("SELECT * FROM source") == []


def test_the_database_of_a_home_is_dropped_and_later_homes_are_made_nevertheless(
    installed: None, tmp_path: Path
) -> None:
    gone = make_homebase(POSTGRESQL, tmp_path)
    drop_homes()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(gone.url.replace("postgresql+psycopg", "postgresql"))
    assert make_homebase(POSTGRESQL, tmp_path).rows("SELECT * FROM run") == []


KEEPING_A_SERVER = """
import sys
from tests.services import pg_server
print(pg_server().port, flush=True)
sys.stdin.read()
"""


def test_a_private_server_ends_with_tests_that_are_killed() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TEST_PG_URL"}
    with tempfile.TemporaryDirectory(prefix="moontide-", ignore_cleanup_errors=True) as folder:
        # The server's own account has to come through.
        Path(folder).chmod(0o755)
        tests = subprocess.Popen(
            [sys.executable, "-c", KEEPING_A_SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment | {"TMPDIR": folder},
            cwd=Path(__file__).parents[1],
        )
        with tests:
            assert tests.stdout is not None
            server = Server("pg", int(tests.stdout.readline()), "postgres")
            assert pg_answers(server)
            tests.kill()
        until(lambda: not list(Path(folder).glob("*/data/postmaster.pid")), START_SECONDS)


AS_IN_BACKGROUND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
"""

TIDY = """
import pytest
@pytest.fixture
def thing(tmp_path):
    yield tmp_path
    print("tidied", flush=True)
def test_endless(thing):
    print("begun", flush=True)
    input()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_tests_that_are_told_to_end_tidy_up(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "test_tidy.py"
    file.write_text(TIDY, "utf-8")
    tests = subprocess.Popen(
        # As a script starts what is to go on in the background: with Ctrl-C ignored.
        [
            sys.executable,
            "-c",
            AS_IN_BACKGROUND,
            "pytest",
            "-p",
            "tests.conftest",
            "-s",
            "-q",
            "--rootdir",
            tmp_path,
            file,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    with tests:
        assert tests.stdout is not None
        assert any("begun" in line for line in tests.stdout)
        tests.send_signal(number)
        assert "tidied" in tests.stdout.read()
