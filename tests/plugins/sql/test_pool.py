"""Connections that are lent: how many, to whom, and what becomes of those that broke."""

from __future__ import annotations

import asyncio

import pytest

from moontide import CoreError, Deadline
from plugins.sql.build import Statement
from plugins.sql.driver import Limits, QueryError, Result
from plugins.sql.pool import Pool


class NotedConnection:
    """A connection to nowhere that notes what is done with it."""

    def __init__(self, number: int) -> None:
        self.deadline = Deadline()
        self.number = number
        self.done: list[str] = []
        self.broken = False

    async def run(self, statement: Statement, limits: Limits) -> Result:
        return Result(None)

    async def ping(self) -> None:
        await self._note("ping")

    async def reset(self) -> None:
        await self._note("reset")

    async def close(self) -> None:
        self.done.append("close")

    async def abort(self) -> None:
        self.done.append("abort")

    async def _note(self, word: str) -> None:
        self.done.append(word)
        if self.broken:
            raise QueryError("gone", 2006, lost=True)


class Opener:
    """Opens numbered connections."""

    def __init__(self) -> None:
        self.opened: list[NotedConnection] = []
        self.refuse = False

    async def __call__(self) -> NotedConnection:
        if self.refuse:
            raise QueryError("no server", 2003, lost=True)
        self.opened.append(NotedConnection(len(self.opened)))
        return self.opened[-1]


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def pool(opener: Opener) -> Pool:
    return Pool(opener, name="shop", size=2, wait_seconds=0.05)


async def test_a_connection_is_used_again(pool: Pool, opener: Opener) -> None:
    for _ in range(3):
        pool.give_back(await pool.acquire(), touched=False)
    assert [one.done for one in opener.opened] == [[]]


async def test_no_more_connections_are_open_than_allowed(pool: Pool, opener: Opener) -> None:
    first, _ = await pool.acquire(), await pool.acquire()
    with pytest.raises(CoreError, match="all 2 connections of database 'shop' stayed in use"):
        await pool.acquire()
    pool.give_back(first, touched=False)
    assert await pool.acquire() is first


async def test_a_waiting_call_gets_the_connection_that_comes_back(pool: Pool) -> None:
    first, _ = await pool.acquire(), await pool.acquire()
    waiting = asyncio.ensure_future(pool.acquire())
    pool.give_back(first, touched=True)
    assert await waiting is first


async def test_a_touched_connection_is_reset_before_it_is_lent_again(pool: Pool, opener: Opener) -> None:
    pool.give_back(await pool.acquire(), touched=True)
    await pool.close()
    assert opener.opened[0].done == ["reset", "close"]


async def test_a_connection_that_cannot_be_reset_is_dropped(pool: Pool, opener: Opener) -> None:
    connection = await pool.acquire()
    opener.opened[0].broken = True
    pool.give_back(connection, touched=True)
    await pool.close()
    assert opener.opened[0].done == ["reset", "abort"]


async def test_a_discarded_connection_is_aborted_and_makes_room(pool: Pool, opener: Opener) -> None:
    for _ in range(5):
        pool.discard(await pool.acquire())
    await pool.close()
    assert [one.done for one in opener.opened] == [["abort"]] * 5


async def test_a_connection_that_broke_while_idle_is_replaced(
    pool: Pool, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.sql.pool.TRUSTED_SECONDS", 0.0)
    pool.give_back(await pool.acquire(), touched=False)
    opener.opened[0].broken = True
    assert await pool.acquire() is opener.opened[1]
    await pool.close()
    assert opener.opened[0].done == ["ping", "close"]


async def test_a_failed_opening_takes_no_place(pool: Pool, opener: Opener) -> None:
    opener.refuse = True
    for _ in range(5):
        with pytest.raises(QueryError):
            await pool.acquire()
    opener.refuse = False
    assert await pool.acquire() is opener.opened[0]


async def test_a_cancelled_wait_takes_no_place(pool: Pool) -> None:
    first, _ = await pool.acquire(), await pool.acquire()
    waiting = asyncio.ensure_future(pool.acquire())
    await asyncio.wait([waiting], timeout=0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    pool.give_back(first, touched=False)
    assert await pool.acquire() is first


async def test_a_closed_pool_lends_nothing_and_closes_what_comes_back(pool: Pool, opener: Opener) -> None:
    connection = await pool.acquire()
    await pool.close()
    with pytest.raises(CoreError, match="the engine is stopping"):
        await pool.acquire()
    pool.give_back(connection, touched=False)
    await pool.close()
    assert opener.opened[0].done == ["close"]
