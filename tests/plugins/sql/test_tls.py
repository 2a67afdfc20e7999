"""TLS to real database servers: the right authority is trusted, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trustme

from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from tests.lab import open_lab
from tests.services import Identity, Server, own_mysql, own_pg, own_server

from .conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")

MAKERS = {"mysql": (own_mysql, "mariadb-server", "mysql"), "pg": (own_pg, "postgresql", "postgres")}

#: How each server says whether the connection is encrypted.
ENCRYPTED = {
    "mysql": """db.query("shop", "SHOW STATUS LIKE 'Ssl_cipher'")[1].Value ~= \"\"""",
    "pg": "db.query('shop', 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')[1].ssl",
}

Workers = tuple[WorkerPool, Plugins]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module", params=MAKERS)
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(module: str, authority: trustme.CA) -> Iterator[Server]:
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    make, package, _ = MAKERS[module]
    with own_server(partial(make, tls=Identity(chain, issued.private_key_pem.bytes())), package) as own:
        yield own.server


@asynccontextmanager
async def opened(
    module: str, server: Server, workers: Workers, home: Path, settings: str
) -> AsyncIterator[Place]:
    url = f"{server.url}{MAKERS[module][2]}"
    (home / "moontide.toml").write_text(f'[{module}.shop]\nurl = "{url}"\n{settings}\n', "utf-8")
    async with open_lab(*workers, home, home, home=home, settings=load_settings(home)) as lab:
        yield Place(module, lab, home)


def write_authority(authority: trustme.CA, home: Path) -> None:
    authority.cert_pem.write_to_path(str(home / "ca.pem"))


async def test_a_server_whose_authority_is_named_is_spoken_to_in_secret(
    module: str, server: Server, authority: trustme.CA, workers: Workers, tmp_path: Path
) -> None:
    write_authority(authority, tmp_path)
    async with opened(module, server, workers, tmp_path, 'tls = true\ntls_ca = "ca.pem"') as place:
        assert await place.one(ENCRYPTED[module]) is True


@pytest.mark.parametrize("settings", ['tls_ca = "ca.pem"', ""])
async def test_a_server_that_nobody_vouches_for_is_refused_with_what_to_do(
    module: str, server: Server, workers: Workers, tmp_path: Path, settings: str
) -> None:
    write_authority(trustme.CA(), tmp_path)
    async with opened(module, server, workers, tmp_path, f"tls = true\n{settings}") as place:
        words = "has a certificate that is not trusted: name its authority's file in tls_ca"
        await place.fails("db.query('shop', 'SELECT 1')", words)


async def test_a_certificate_for_another_host_is_refused(
    module: str, server: Server, authority: trustme.CA, workers: Workers, tmp_path: Path
) -> None:
    write_authority(authority, tmp_path)
    settings = 'host = "localhost"\ntls = true\ntls_ca = "ca.pem"'
    async with opened(module, server, workers, tmp_path, settings) as place:
        await place.fails("db.query('shop', 'SELECT 1')", "and the host as the certificate does")


async def test_a_server_without_tls_is_refused_where_it_is_wanted(
    module: str, workers: Workers, tmp_path: Path
) -> None:
    make, package, _ = MAKERS[module]
    with own_server(make, package) as own:
        async with opened(module, own.server, workers, tmp_path, "tls = true") as place:
            await place.fails("db.query('shop', 'SELECT 1')", "does not speak TLS")


async def test_a_file_of_authorities_that_cannot_be_read_is_told_at_the_start(
    module: str, workers: Workers, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    nowhere = Server(module, 1, "root")
    with pytest.raises(
        Exception, match=rf"\[{module}.shop\] tls_ca: .*ca.pem cannot be read as certificates"
    ):
        async with opened(module, nowhere, workers, tmp_path, 'tls = true\ntls_ca = "ca.pem"'):
            pass
