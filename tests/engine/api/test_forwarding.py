"""An engine that stands by sends on what it is asked, in the name of who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from engine.api.address import socket_in
from engine.api.callers import OWNER, Caller, Callers, Way
from engine.api.client import AsyncClient
from engine.api.forwarding import Forwarder, Leader, NoLeader, StandbyServer
from engine.api.guards import CALLER_HEADER, SECRET_HEADER
from engine.api.server import ApiServer
from engine.api.target import trusted
from engine.api.tls import Tls
from engine.errors import EngineUnreachable, Forbidden, MoontideError, NotFound
from engine.roles import Role
from engine.views import NodeView
from tests.engine.api.memory_engine import MemoryEngine

SECRET = "of this term"
WALL = Caller(Role.VIEWER, Way.TCP, "wall /%ü")


class NoNodes:
    """A database without nodes."""

    async def nodes(self) -> list[NodeView]:
        return []

    async def drain(self, name: str, *, actor: str) -> list[NodeView]:
        raise NotFound(name)

    async def forget(self, name: str, *, actor: str) -> None:
        raise NotFound(name)


@dataclass
class Standing:
    nodes: NoNodes


@dataclass
class Pair:
    """An engine that leads, and one that stands by."""

    engine: MemoryEngine
    leading: ApiServer
    standing: StandbyServer
    home: Path
    leader: Leader | None


@pytest.fixture
async def pair(engine: MemoryEngine, tmp_path: Path) -> AsyncIterator[Pair]:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    pem = tmp_path / "engine.pem"
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
    known = Callers()
    known.trust(SECRET)
    leading = ApiServer(
        engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0", callers=known, tls=Tls(pem, pem)
    )
    home = tmp_path / "standing"
    home.mkdir()

    async def find() -> Leader:
        if pair.leader is None:
            raise NoLeader("no engine leads")
        return pair.leader

    standing = StandbyServer(
        Standing(NoNodes()),
        Forwarder(find, trusted=trusted(tmp_path / "ca.pem")),
        socket_path=socket_in(home),
        tcp="127.0.0.1:0",
        callers=Callers({"only-looks": WALL}),
    )
    pair = Pair(engine, leading, standing, home, Leader("first", (str(socket_in(engine.home)),), SECRET))
    await leading.start()
    await standing.start()
    yield pair
    await standing.stop()
    await leading.stop()


@pytest.fixture
async def client(pair: Pair) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(socket_in(pair.home), actor="Ännchen@web2") as client:
        yield client


async def test_answers_and_errors_are_those_of_the_engine_that_leads(pair: Pair, client: AsyncClient) -> None:
    assert (await client.status()).pid == 4242
    with pytest.raises(NotFound, match="no job named 'repord'; did you mean"):
        await client.job("repord")


async def test_what_happens_is_passed_on_as_it_happens(pair: Pair, client: AsyncClient) -> None:
    async with client.events() as events:
        await client.run_job("report")
        assert type(await anext(events)).__name__ == "RunQueued"


async def test_a_stream_ends_when_the_engine_that_leads_does(pair: Pair, client: AsyncClient) -> None:
    async with client.events() as events:
        await pair.leading.stop()
        assert [event async for event in events] == []


async def test_it_is_reached_under_tls_where_there_is_no_socket(pair: Pair, client: AsyncClient) -> None:
    pair.leader = Leader(
        "first", (str(pair.home / "gone.sock"), f"https://localhost:{pair.leading.tcp_port}"), SECRET
    )
    assert (await client.status()).pid == 4242


async def test_nothing_is_sent_to_a_certificate_that_nobody_vouches_for(
    pair: Pair, client: AsyncClient
) -> None:
    pair.leader = Leader("first", (f"https://127.0.0.1:{pair.leading.tcp_port}",), SECRET)
    with pytest.raises(EngineUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await client.status()


async def test_the_role_and_the_name_go_with_a_request(pair: Pair) -> None:
    url = f"http://127.0.0.1:{pair.standing.tcp_port}"
    async with AsyncClient(url, token="only-looks") as wall:
        me = await wall.me()
        assert (me.role, me.name) == ("viewer", WALL.name)
        with pytest.raises(Forbidden):
            await wall.run_job("report")


@pytest.mark.parametrize("leader", [None, Leader("first", (), SECRET)])
async def test_without_a_way_to_the_leader_the_answer_says_so(
    pair: Pair, client: AsyncClient, leader: Leader | None
) -> None:
    pair.leader = leader
    words = "no engine leads" if leader is None else r"\(first\) cannot be reached .* set api.tcp"
    with pytest.raises(EngineUnreachable, match=words):
        await client.status()
    assert await client.nodes.nodes() == []


async def test_a_leader_of_another_term_is_not_spoken_for(pair: Pair, client: AsyncClient) -> None:
    assert pair.leader is not None
    pair.leader = Leader("first", pair.leader.addresses, "of an earlier term")
    with pytest.raises(MoontideError, match="token"):
        await client.status()


async def asked(socket: Path | None, url: str, verify: object = True) -> int:
    transport = httpx.AsyncHTTPTransport(uds=str(socket)) if socket else None
    async with httpx.AsyncClient(transport=transport, verify=verify, trust_env=False) as http:  # type: ignore[arg-type]
        headers = {SECRET_HEADER: SECRET, CALLER_HEADER: OWNER.told()}
        return (await http.get(f"{url}/v1/status", headers=headers)).status_code


async def test_the_secret_opens_nothing_where_it_could_have_been_read_on_the_way(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    known = Callers()
    known.trust(SECRET)
    server = ApiServer(engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0", callers=known)
    await server.start()
    assert await asked(None, f"http://127.0.0.1:{server.tcp_port}") == 401
    assert await asked(socket_in(engine.home), "http://engine") == 200
    await server.stop()


async def test_engines_that_stand_by_do_not_send_requests_round_and_round(pair: Pair) -> None:
    assert await asked(socket_in(pair.home), "http://engine") == 401


@pytest.mark.parametrize(
    "caller", [OWNER, WALL, Caller(Role.OPERATOR, Way.SSH, ""), Caller(Role.ADMIN, Way.TCP, "a/b c")]
)
def test_who_asks_is_told_without_loss(caller: Caller) -> None:
    known = Callers()
    assert known.forwarded(SECRET, caller.told()) is None
    known.trust(SECRET)
    assert known.forwarded(SECRET, caller.told()) == caller
    assert known.forwarded("", caller.told()) is None
    for forged in ("", "admin", "god/socket/x", "admin/nowhere/x"):
        assert known.forwarded(SECRET, forged) is None
