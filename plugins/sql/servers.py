"""Settings of databases that are servers: `[mysql.shop]`, `[pg.stats]`."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from moontide import ServiceContext
from moontide.quantities import parse_duration
from plugins.network.addresses import Addresses
from plugins.sql.databases import Source
from plugins.sql.driver import Address, Limits


class ServerSettings(msgspec.Struct, forbid_unknown_fields=True):
    """One database on a server.

    Attributes:
        url: `mysql://user:password@host:3306/database`; the other keys fill in what it leaves out.
        tls: whether to encrypt, and to refuse a server without a good certificate.
        tls_ca: a file with the certificates to trust instead of the system's, from the home folder.
        connections: how many may be open at once.
        query_timeout: how long one statement may take.
        max_rows: how many rows one statement may give.
    """

    url: str | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = None
    database: str | None = None
    tls: bool = False
    tls_ca: str | None = None
    connections: int = 10
    query_timeout: int | float | str = "30s"
    max_rows: int = 10_000

    def __post_init__(self) -> None:
        parts = self._parts()
        if not (self.database or parts.path.strip("/")):
            raise ValueError("needs a url with a database in it, or the key database")
        if self.connections < 1 or self.max_rows < 1 or parse_duration(self.query_timeout) <= 0:
            raise ValueError("connections, max_rows and query_timeout must be more than zero")

    def __repr__(self) -> str:
        return "ServerSettings(...)"

    def source(self, default_port: int, home: Path) -> Source:
        """Return the database that these settings describe.

        Raises:
            ValueError: `tls_ca` is no file of certificates.
        """
        parts = self._parts()
        seconds = parse_duration(self.query_timeout)
        address = Address(
            database=self.database or unquote(parts.path.strip("/")),
            host=self.host or unquote(parts.hostname or "127.0.0.1"),
            port=self.port or parts.port or default_port,
            user=_first(self.user, parts.username),
            password=_first(self.password, parts.password),
            tls=self.tls,
            tls_ca=self.tls_ca and _checked_certificates(home / self.tls_ca),
            query_seconds=seconds,
        )
        return Source(address, Limits(seconds=seconds, rows=self.max_rows), self.connections)

    def _parts(self) -> SplitResult:
        """Return the parts of the address; errors do not repeat it, because it holds the password."""
        try:
            parts = urlsplit(self.url or "")
            _ = parts.port
        except ValueError:
            raise ValueError("url must be like mysql://user:password@host:3306/database") from None
        if self.url is not None and (parts.scheme not in SCHEMES or not parts.netloc):
            raise ValueError("url must be like mysql://user:password@host:3306/database")
        if parts.query or parts.fragment:
            raise ValueError("url ends with the database's name; write a ? or # in a password as %3F or %23")
        return parts


SCHEMES = ("mysql", "mariadb", "pg", "postgres", "postgresql")


def sources(
    module: str, settings: Mapping[str, ServerSettings], default_port: int, home: Path
) -> dict[str, Source]:
    """Return the databases of a module by their names; reads files.

    Raises:
        ValueError: one cannot be used; the text names its table in moontide.toml.
    """
    found = {}
    for name, one in settings.items():
        try:
            found[name] = one.source(default_port, home)
        except ValueError as error:
            raise ValueError(f"[{module}.{name}] {error}") from error
    return found


def _checked_certificates(path: Path) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ValueError(f"tls_ca: {path} cannot be read as certificates (PEM)") from error
    return str(path)


def job_addresses(context: ServiceContext) -> Addresses:
    """Return the check for hosts that jobs name themselves: the rules of core.network."""
    network: Any = context.settings.get("network")
    return Addresses(getattr(network, "allow", ()))


def _first(plain: str | None, in_url: str | None) -> str | None:
    return plain if plain is not None else None if in_url is None else unquote(in_url)
