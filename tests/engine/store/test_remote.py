"""Who may write for a run that was handed over: the worker that has it, for as long as it is not given up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from engine.remote.parcels import Answer, Question, answer_bytes, question_bytes
from engine.remote.repeating import answer_from_before
from engine.store import remote, workerside
from engine.store.database import Database
from engine.store.leftruns import asked_by, stored_left
from engine.store.link import Link, connect
from engine.store.models import REMOTE_CALL, REMOTE_RUN, RUN
from engine.store.remote import SCHEMA, TO_ENGINES, RemoteRun
from engine.store.sessions import begin_session, end_session, recover
from tests.engine.store.conftest import NOON
from tests.engine.store.servers import migrated

TOKEN = "5e55"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    """A database that workers reach."""
    with migrated("postgresql", tmp_path) as database:
        yield database


@pytest.fixture
async def link(server: Database) -> AsyncIterator[Link]:
    """A worker's connection."""
    link = Link(server.writer.url, "a worker of the tests")
    yield link
    await link.close()


def hand_over(connection: Connection, run_id: int, session: int = 1) -> None:
    """Write a run as an engine does that hands it over."""
    connection.execute(
        insert(RUN).values(
            id=run_id,
            job="report",
            session=session,
            status="RUNNING",
            trigger="manual",
            due=NOON,
            queued=NOON,
        )
    )
    remote.write_remote(connection, [RemoteRun(run_id, session, TOKEN, b"request", "hash")])


async def claim(link: Link, run_ids: Sequence[int], node: str) -> list[int]:
    async with link.transaction() as connection:
        return [run.run_id for run in await workerside.claim(connection, run_ids, node, f"worker {node}")]


async def end(link: Link, run_id: int, node: str, token: str = TOKEN) -> set[int]:
    async with link.transaction() as connection:
        return await workerside.end_runs(connection, [(run_id, token, b"outcome")], node)


async def supersede(link: Link, run_id: int) -> set[int]:
    async with link.transaction() as connection:
        return await workerside.keep_superseded(
            connection, [(run_id, TOKEN, {"worker": "north", "status": "COMPLETE", "error": None})], NOON
        )


def kept(server: Database, run_id: int) -> object:
    with server.reader.connect() as connection:
        return connection.scalar(select(RUN.c.superseded).where(RUN.c.id == run_id))


async def test_of_two_workers_one_gets_a_run(server: Database, link: Link) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
    assert await claim(link, [1], "north") == [1]
    assert await claim(link, [1], "south") == []


async def test_an_end_counts_with_the_token_of_the_worker_that_has_the_run(
    server: Database, link: Link
) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
    await claim(link, [1], "north")
    assert await end(link, 1, "north", "another token") == set()
    assert await end(link, 1, "south") == set()
    assert await end(link, 1, "north") == {1}


async def test_an_end_whose_commit_was_not_heard_of_is_written_again(server: Database, link: Link) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
    await claim(link, [1], "north")
    assert (await end(link, 1, "north"), await end(link, 1, "north")) == ({1}, {1})


async def test_ends_that_are_written_together_are_told_of_together(server: Database, link: Link) -> None:
    async with await connect(server.writer.url, "an engine") as engine:
        channel = await (await engine.execute(f"SELECT '{TO_ENGINES}' || {SCHEMA}")).fetchone()
        assert channel is not None
        await engine.execute(f"LISTEN {channel[0]}")
        with server.writer.begin() as connection:
            hand_over(connection, 1)
            hand_over(connection, 2)
        await claim(link, [1, 2], "north")
        ended = [(1, TOKEN, b"outcome"), (2, TOKEN, b"outcome"), (3, TOKEN, b"nobody's")]
        assert await link.use(lambda one: workerside.end_runs(one, ended, "north")) == {1, 2}
        told = [note.payload async for note in engine.notifies(timeout=60, stop_after=2)]
        told += [note.payload async for note in engine.notifies(timeout=0)]
    assert [sorted(payload.split(",")) for payload in told] == [["1", "2"], ["1", "2"]]


async def test_nothing_counts_for_a_run_that_was_given_up_and_its_end_is_kept_once(
    server: Database, link: Link
) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
    await claim(link, [1], "north")
    with server.writer.begin() as connection:
        assert remote.give_up(connection, 1)
        remote.forget_remote(connection, [1])
    async with link.transaction() as connection:
        assert await workerside.add_lines(connection, [(1, TOKEN, 1, b"lines")], "north") == set()
        assert not await workerside.ask(connection, (1, TOKEN), "north", 1, b"question")
    assert await end(link, 1, "north") == set()
    assert (await supersede(link, 1), await supersede(link, 1)) == ({1}, set())
    assert kept(server, 1) == [
        {"at": NOON.isoformat(), "worker": "north", "status": "COMPLETE", "error": None}
    ]


async def test_a_run_that_has_ended_on_its_worker_is_not_given_up(server: Database, link: Link) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
    await claim(link, [1], "north")
    await end(link, 1, "north")
    with server.writer.begin() as connection:
        assert not remote.give_up(connection, 1)


async def test_a_run_that_nobody_has_taken_is_withdrawn_and_can_be_taken_no_more(
    server: Database, link: Link
) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
        assert remote.withdraw(connection, 1)
    assert await claim(link, [1], "north") == []


async def test_a_new_session_gives_up_what_earlier_ones_handed_over(server: Database, link: Link) -> None:
    with server.writer.begin() as connection:
        session = begin_session(connection, pid=1, host="here", version="1", now=NOON)
        for run_id in (1, 2):
            hand_over(connection, run_id, session)
    await claim(link, [1], "north")
    with server.writer.begin() as connection:
        later = begin_session(connection, pid=2, host="here", version="1", now=NOON)
        assert recover(connection, later, NOON) == [1, 2]
    assert await claim(link, [2], "north") == []
    assert await end(link, 1, "north") == set()
    assert await supersede(link, 1) == {1}


async def test_a_session_that_adopts_goes_on_with_what_earlier_ones_handed_over(
    server: Database, link: Link
) -> None:
    with server.writer.begin() as connection:
        session = begin_session(connection, pid=1, host="here", version="1", now=NOON)
        for run_id in (1, 2, 3):
            hand_over(connection, run_id, session)
    await claim(link, [1, 3], "north")
    with server.writer.begin() as connection:
        assert remote.give_up(connection, 3)
        later = begin_session(connection, pid=2, host="here", version="1", now=NOON)
        assert recover(connection, later, NOON, adopts=True) == [3]
    assert [one.run_id for one in stored_left(server.reader, later)] == [1, 2]
    assert await end(link, 1, "north") == {1}
    assert await claim(link, [2], "north") == [2]


def ask(connection: Connection, number: int, method: str, answer: Answer | None = None) -> None:
    """Write a question of run 1, and its answer if there is one."""
    connection.execute(
        insert(REMOTE_CALL).values(
            run_id=1,
            number=number,
            question=question_bytes(method, []),
            answer=None if answer is None else answer_bytes(answer),
        )
    )


def run_of_1(connection: Connection, run_id: int, **more: object) -> None:
    """Write a run that run 1 has asked for."""
    values = {"job": "other", "status": "QUEUED", "trigger": "call", "due": NOON, "queued": NOON}
    connection.execute(insert(RUN).values(id=run_id, called_by=1, **values, **more))


async def test_what_a_run_asked_for_and_got_without_an_answer_is_not_done_again(server: Database) -> None:
    with server.writer.begin() as connection:
        hand_over(connection, 1)
        ask(connection, 1, "now", Answer(5))
        ask(connection, 2, "status", Answer({"id": 5}))
        run_of_1(connection, 5)
        run_of_1(connection, 6, rescheduled_from=5, attempt=2)
    asked = Question("now", [])
    assert answer_from_before(asked, asked_by(server.reader, 1)) is None
    with server.writer.begin() as connection:
        run_of_1(connection, 7)
    assert answer_from_before(asked, asked_by(server.reader, 1)) == Answer(7)
    assert answer_from_before(Question("status", [5]), asked_by(server.reader, 1)) is None


@pytest.mark.parametrize(("days", "left"), [(6, [1]), (8, [])])
async def test_what_was_given_up_long_ago_is_forgotten(
    server: Database, link: Link, days: int, left: list[int]
) -> None:
    now = datetime.now(UTC)
    with server.writer.begin() as connection:
        session = begin_session(connection, pid=1, host="here", version="1", now=now)
        hand_over(connection, 1, session)
        end_session(connection, session, now - timedelta(days=days))
        recover(connection, begin_session(connection, pid=2, host="here", version="1", now=now), now)
        assert list(connection.scalars(select(REMOTE_RUN.c.run_id))) == left
