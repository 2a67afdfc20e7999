"""The TCP listener with TLS, and clients that check whom they talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from engine.api.address import check_url, socket_in
from engine.api.callers import Callers
from engine.api.client import AsyncClient, Client
from engine.api.server import ApiServer
from engine.api.tls import Tls
from engine.errors import EngineUnreachable, SettingsError
from tests.engine.api.conftest import BEARER, TOKEN
from tests.engine.api.memory_engine import MemoryEngine


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Make an authority and a certificate for localhost; return the authority's own certificate."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "engine.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
async def server(engine: MemoryEngine, authority: Path) -> AsyncIterator[ApiServer]:
    pem = authority.parent / "engine.pem"
    server = ApiServer(
        engine,
        socket_path=socket_in(engine.home),
        tcp="127.0.0.1:0",
        callers=Callers({TOKEN: BEARER}),
        tls=Tls(pem, pem),
    )
    await server.start()
    yield server
    await server.stop()


async def test_a_client_that_trusts_the_authority_is_answered(server: ApiServer, authority: Path) -> None:
    url = f"https://localhost:{server.tcp_port}"
    async with AsyncClient(url, token=TOKEN, ca_file=authority) as client:
        assert (await client.status()).pid == 4242
        async with client.events() as events:
            await client.run_job("report")
            assert type(await anext(events)).__name__ == "RunQueued"


async def test_a_client_that_does_not_is_told_how_to(server: ApiServer) -> None:
    async with AsyncClient(f"https://localhost:{server.tcp_port}", token=TOKEN) as client:
        with pytest.raises(
            EngineUnreachable, match=r"is not trusted \(.+\); name its authority with --ca-file"
        ):
            await client.status()


async def test_a_certificate_for_another_host_is_not_taken(server: ApiServer, authority: Path) -> None:
    async with AsyncClient(f"https://127.0.0.1:{server.tcp_port}", token=TOKEN, ca_file=authority) as client:
        with pytest.raises(EngineUnreachable, match="not trusted"):
            await client.status()


async def test_where_tls_is_set_nothing_is_answered_without(server: ApiServer) -> None:
    async with AsyncClient(f"http://localhost:{server.tcp_port}", token=TOKEN) as client:
        with pytest.raises(EngineUnreachable):
            await client.status()


async def test_a_certificate_that_cannot_be_used_stops_the_start(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    (tmp_path / "no.pem").write_text("hello")
    tls = Tls(tmp_path / "no.pem", tmp_path / "no.pem")
    server = ApiServer(engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0", tls=tls)
    with pytest.raises(SettingsError, match=r"api.certificate .*no.pem"):
        await server.start()


def test_a_file_of_authorities_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read certificates from .*gone.pem"):
        Client("https://nas:1", ca_file=tmp_path / "gone.pem")


def test_no_token_is_sent_where_others_could_read_it() -> None:
    for good in ("https://nas.local:7424", "http://127.0.0.1:7424", "http://localhost:1", "http://[::1]:1"):
        check_url(good)
    for bad in ("http://nas.local:7424", "http://10.0.0.3:1", "http://127.0.0.1.evil.org:1"):
        with pytest.raises(SettingsError, match="not encrypted"):
            check_url(bad)
    no_ports = ("http://127.0.0.1:99999", "http://127.0.0.1:x", "http://127.0.0.1:0")
    no_names = ("https://", "http://[::1", "https://nas local", "https://ü..de", f"https://{'a' * 64}.de")
    for none in ("nas.local:7424", "ftp://nas", "", *no_ports, *no_names):
        with pytest.raises(SettingsError, match="no address of an engine"):
            check_url(none)
