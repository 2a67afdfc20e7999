"""Servers for tests: those that run already, or private ones from Debian's packages.

`TEST_MYSQL_URL` and `TEST_PG_URL` name servers (`mysql://user:password@host:port/`). Without them MariaDB
is looked for at its usual local port, and started with its own port and data folder if nobody answers.
PostgreSQL is started, and looked for at its port only where it is not installed: a server that writes all
through to the disk takes seconds to drop a database. Without any, the tests are skipped, and with `CI=true`
they fail.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pytest

HOST = "127.0.0.1"
START_SECONDS = 60.0

_open = contextlib.ExitStack()


@dataclass(frozen=True)
class Server:
    """A running server (`mysql` or `pg`), with a database once one is named."""

    scheme: str
    port: int
    user: str
    password: str = ""
    host: str = HOST
    database: str = ""

    @property
    def url(self) -> str:
        login = f"{quote(self.user)}:{quote(self.password)}" if self.password else quote(self.user)
        return f"{self.scheme}://{login}@{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True)
class Identity:
    """A server's certificate with its chain, and its private key, as PEM."""

    certificate: bytes
    key: bytes

    def written(self, folder: Path, account: str) -> tuple[Path, Path]:
        """Write both for the account of a server, and return where."""
        paths = folder / "server.pem", folder / "server.key"
        for path, content in zip(paths, (self.certificate, self.key), strict=True):
            path.write_bytes(content)
            path.chmod(0o600)
            if os.getuid() == 0:
                shutil.chown(path, account, account)
        return paths


class OwnServer:
    """A private server that a test may stop and start again."""

    def __init__(
        self,
        server: Server,
        command: list[str],
        ready: Callable[[Server], bool],
        stop_signal: signal.Signals,
    ) -> None:
        self.server = server
        self._command = command
        self._ready = ready
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, unless it runs."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready(self.server):
            assert self._process.poll() is None, f"{self._command[0]} ended with {self._process.returncode}"
            assert time.monotonic() < deadline, f"{self._command[0]} does not answer"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def stop(self, with_signal: signal.Signals | None = None) -> None:
        """Stop the server; another signal than its usual one may leave it no time to end as it should."""
        if self._process is not None:
            self._process.send_signal(with_signal or self._stop_signal)
            self._process.wait(START_SECONDS)
            self._process = None


def missing(package: str) -> NoReturn:
    """Skip the tests that need a package, or fail where nothing may be left out."""
    words = f"needs a server; get it with: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


# MariaDB


def find_mysql() -> Server | None:
    """Return a server that runs already."""
    url = os.environ.get("TEST_MYSQL_URL")
    server = _from_url("mysql", url) if url else Server("mysql", 3306, "root")
    return server if mysql_answers(server) else None


def own_mysql(folder: Path, *, tls: Identity | None = None) -> OwnServer | None:
    """Prepare a private server, with TLS if it gets a certificate; None where MariaDB is not installed."""
    program, installer = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if program is None or installer is None:
        return None
    account = _account("mysql", folder)
    data = folder / "data"
    login = [f"--user={account}"] if os.getuid() == 0 else []
    _run(
        [installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *login]
    )
    server = Server("mysql", free_port(), "root")
    command = [
        program,
        "--no-defaults",
        f"--datadir={data}",
        f"--port={server.port}",
        f"--bind-address={HOST}",
    ]
    command += [f"--socket={folder / 'mysql.sock'}", "--innodb-buffer-pool-size=16M", *login]
    if tls is not None:
        certificate, key = tls.written(folder, account)
        command += [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    return OwnServer(server, command, mysql_answers, signal.SIGTERM)


def mysql_answers(server: Server) -> bool:
    """Whether the server lets the user of the tests in."""
    if not _accepts(server):
        return False
    try:
        mysql_do(server, "SELECT 1")
    except subprocess.CalledProcessError:
        return False
    return True


def mysql_do(server: Server, sql: str) -> str:
    """Carry out SQL with the server's own client, and return what it printed."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    if client is None:
        raise subprocess.CalledProcessError(127, "mariadb")
    login = [f"--host={server.host}", f"--port={server.port}", f"--user={server.user}", "--protocol=tcp"]
    environment = {**os.environ, "MYSQL_PWD": server.password}
    command = [client, "--no-defaults", *login, "--batch", "--skip-column-names", "--execute", sql]
    command += [server.database] if server.database else []
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


# PostgreSQL


def find_pg() -> Server | None:
    """Return a server that runs already."""
    url = os.environ.get("TEST_PG_URL")
    server = _from_url("pg", url) if url else Server("pg", 5432, "postgres")
    return server if pg_answers(server) else None


def own_pg(folder: Path, *, tls: Identity | None = None, also: str = HOST) -> OwnServer | None:
    """Prepare a private server, with TLS if it gets a certificate; None where PostgreSQL is not installed.

    Args:
        also: another address of this machine at which it lets in all that is near.
    """
    found = _initdb()
    if found is None:
        return None
    account = _account("postgres", folder)
    # Tests that are killed take it with them.
    become = ["setpriv", "--pdeathsig=INT"]
    if os.getuid() == 0:
        become += [f"--reuid={account}", f"--regid={account}", "--clear-groups"]
    data = folder / "data"
    _run([*become, str(found), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
    server = Server("pg", free_port(), "postgres")
    program = str(found.with_name("postgres"))
    with (data / "pg_hba.conf").open("a") as lets_in:
        lets_in.write(f"host all all {also}/24 trust\n")
    place = ["-c", f"listen_addresses={','.join({HOST, also})}", "-c", f"port={server.port}"]
    place += ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    if tls is not None:
        certificate, key = tls.written(folder, account)
        place += ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}"]
    command = [*become, program, "-D", str(data), *place]
    # SIGTERM would wait until everybody has left.
    return OwnServer(server, command, pg_answers, signal.SIGINT)


def _initdb() -> Path | None:
    """Return the program that prepares a server's folder; its others stand beside it."""
    return max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)


def pg_answers(server: Server) -> bool:
    """Whether the server lets the user of the tests in."""
    if not _accepts(server):
        return False
    try:
        pg_do(server, "SELECT 1")
    except psycopg.Error:
        return False
    return True


def pg_do(server: Server, sql: str) -> None:
    """Carry out SQL."""
    with psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password or None,
        dbname=server.database or "postgres",
        autocommit=True,
        connect_timeout=5,
    ) as connection:
        connection.execute(sql)


# Redis


def own_redis(folder: Path) -> OwnServer | None:
    """Prepare a private server that keeps nothing on disk; None where Redis is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    server = Server("redis", free_port(), "")
    place = ["--port", str(server.port), "--bind", HOST, "--dir", str(folder)]
    return OwnServer(server, [program, *place, "--save", ""], redis_answers, signal.SIGTERM)


def redis_answers(server: Server) -> bool:
    """Whether the server takes commands."""
    try:
        with socket.create_connection((server.host, server.port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


# Databases of a test session


@contextlib.contextmanager
def mysql_database() -> Iterator[Server]:
    """Give an empty database with a name of its own, and drop it afterwards."""
    server = _server(find_mysql, own_mysql, "mariadb-server")
    named = replace(server, database=random_name())
    mysql_do(server, f"CREATE DATABASE {named.database} CHARACTER SET utf8mb4")
    try:
        yield named
    finally:
        mysql_do(server, f"DROP DATABASE {named.database}")


@contextlib.contextmanager
def pg_database(*, like: Server | None = None) -> Iterator[Server]:
    """Give a database with a name of its own, and drop it afterwards.

    Args:
        like: a database that nobody uses, of which it becomes a copy; None makes an empty one.
    """
    used = like or pg_server()
    template = f" TEMPLATE {like.database}" if like else ""
    named = replace(used, database=random_name())
    at_large = replace(used, database="")
    try:
        pg_do(at_large, f"CREATE DATABASE {named.database}{template}")
        yield named
    finally:
        pg_do(at_large, f"DROP DATABASE IF EXISTS {named.database} WITH (FORCE)")


def pg_server() -> Server:
    """Return the server that was named, else a private one of this process, else one that runs already."""
    if "TEST_PG_URL" in os.environ or _initdb() is None:
        return _server(find_pg, own_pg, "postgresql")
    return _kept(own_pg, "postgresql")


def psycopg_url(server: Server) -> str:
    """Return the URL of a PostgreSQL database as `moontide.toml` takes it."""
    return server.url.replace("pg://", "postgresql+psycopg://", 1)


def _server(
    find: Callable[[], Server | None],
    make_own: Callable[[Path], OwnServer | None],
    package: str,
) -> Server:
    return find() or _kept(make_own, package)


@cache
def _kept(make_own: Callable[[Path], OwnServer | None], package: str) -> Server:
    """Start a private server that all tests of this process share: to prepare one takes seconds."""
    return _open.enter_context(own_server(make_own, package)).server


def stop_servers() -> None:
    """Stop the servers that tests of this process shared."""
    _kept.cache_clear()
    _open.close()


# For those who use servers outside of a test session.
atexit.register(stop_servers)


@contextlib.contextmanager
def own_server(make: Callable[[Path], OwnServer | None], package: str) -> Iterator[OwnServer]:
    """Start a private server, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder:
        own = make(Path(folder))
        if own is None:
            missing(package)
        own.start()
        try:
            yield own
        finally:
            own.stop()


def _from_url(scheme: str, url: str) -> Server:
    parts = urlsplit(url)
    port = parts.port or (3306 if scheme == "mysql" else 5432)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(scheme, port, user, password, parts.hostname or HOST)


def random_name() -> str:
    """Return a name for a database that no other test has."""
    return f"moontide_{secrets.token_hex(6)}"


def _accepts(server: Server) -> bool:
    try:
        with socket.create_connection((server.host, server.port), timeout=2):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _account(name: str, folder: Path) -> str:
    """Let the servers' own account use a folder: they refuse to run as root."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    shutil.chown(folder, name)
    return name


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
