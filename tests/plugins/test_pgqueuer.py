"""PgQueuer carries tickets: each to one worker that offers what it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from moontide import Ticket
from plugins.pgqueuer import PgQueue
from tests.services import Server, pg_database

Async = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
def server() -> Iterator[Server]:
    with pg_database() as server:
        yield server


@pytest.fixture
async def connection(server: Server) -> AsyncIterator[Async]:
    """A worker's connection, to a database in which the queue is prepared."""
    async with await psycopg.AsyncConnection.connect(address(server), autocommit=True) as connection:
        queue = PgQueue()
        await queue.prepare(connection)
        yield connection


def address(server: Server) -> str:
    return server.url.replace("pg://", "postgresql://", 1)


def put(server: Server, *tickets: Ticket) -> None:
    with psycopg.connect(address(server)) as connection:
        PgQueue().put(connection, tickets)


async def take(connection: Async, most: int = 10, tags: tuple[str, ...] = ()) -> list[int]:
    async with connection.transaction():
        return [ticket.run_id for ticket in await PgQueue().take(connection, tags, most)]


async def test_a_ticket_comes_once_with_its_run_and_attempt(server: Server, connection: Async) -> None:
    put(server, Ticket(7, 2))
    async with connection.transaction():
        [ticket] = await PgQueue().take(connection, (), 10)
    assert (ticket.run_id, ticket.attempt) == (7, 2)
    assert await take(connection) == []


async def test_tickets_come_by_priority_and_then_in_order(server: Server, connection: Async) -> None:
    put(server, Ticket(1, 1), Ticket(2, 1, priority=5), Ticket(3, 1))
    assert [await take(connection, 2), await take(connection, 2)] == [[2, 1], [3]]


async def test_a_worker_gets_what_it_offers_in_full(server: Server, connection: Async) -> None:
    put(server, Ticket(1, 1, ("gpu",)), Ticket(2, 1, ("eu", "gpu")), Ticket(3, 1), Ticket(4, 1, ("us",)))
    assert await take(connection, tags=("gpu",)) == [1, 3]
    assert await take(connection, tags=("gpu", "eu", "arm")) == [2]


async def test_a_ticket_whose_taking_was_not_committed_is_there_for_the_next(
    server: Server, connection: Async
) -> None:
    put(server, Ticket(7, 1))
    async with connection.transaction(force_rollback=True):
        assert len(await PgQueue().take(connection, (), 10)) == 1
    assert await take(connection) == [7]


async def test_tickets_that_were_put_in_a_transaction_that_failed_are_not_there(
    server: Server, connection: Async
) -> None:
    with psycopg.connect(address(server)) as engine:
        PgQueue().put(engine, [Ticket(7, 1)])
        engine.rollback()
    assert await take(connection) == []


async def test_it_is_prepared_again_and_tidied_without_losing_tickets(
    server: Server, connection: Async
) -> None:
    put(server, Ticket(7, 1))
    await PgQueue().prepare(connection)
    await PgQueue().tidy(connection)
    assert await take(connection) == [7]


async def test_only_new_tickets_are_told_of_and_once_in_a_transaction(
    server: Server, connection: Async
) -> None:
    await connection.execute(f"LISTEN {PgQueue.channel}")
    put(server, Ticket(7, 1), Ticket(8, 1))
    await take(connection)
    put(server, Ticket(9, 1))
    told = [note.payload async for note in connection.notifies(timeout=5, stop_after=2)]
    told += [note.payload async for note in connection.notifies(timeout=0)]
    assert [PgQueue().is_news(payload) for payload in told] == [True, True]
