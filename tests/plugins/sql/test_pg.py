"""What only core.pg does, on a real PostgreSQL server."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator

import psycopg
import pytest

from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from tests.lab import open_lab
from tests.plugins.sql.conftest import Place
from tests.services import OwnServer, Server, own_pg, own_server

pytestmark = pytest.mark.asyncio(loop_scope="package")

MODULE = "pg"
DEADLINE_SECONDS = 10.0


def statements_running(server: Server, words: str) -> int:
    """Return how many connections carry out a statement with these words."""
    with psycopg.connect(server.url.replace("pg://", "postgresql://")) as connection:
        query = (
            "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
            "AND query LIKE '%%' || %s || '%%'"
        )
        row = connection.execute(query, [words]).fetchone()
        assert row is not None
        return int(row[0])


async def until_none_runs(server: Server, words: str) -> None:
    """Wait until no connection carries out a statement with these words."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while await asyncio.to_thread(statements_running, server, words):
        assert time.monotonic() < deadline, f"{words!r} still runs"


async def test_each_type_arrives_as_lua_wants_it(place: Place) -> None:
    row = await place.one(
        "db.query('shop', [[SELECT 9223372036854775807 AS big, 12.50 AS price, 3.00 AS whole,"
        " 0.5::float8 AS ratio,"
        " true AS yes, false AS no, DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 18:30:00' AS moment,"
        " TIMESTAMPTZ '2026-01-31 18:30:00+01' AS zoned, 'ü'::text AS words, NULL AS nothing,"
        " '{\"a\": 1}'::jsonb AS data, ARRAY[1,2] AS list,"
        " '00000000-0000-0000-0000-000000000001'::uuid AS id]])[1]"
    )
    assert row == {
        "big": 2**63 - 1,
        "price": 12.5,
        "whole": 3,
        "ratio": 0.5,
        "yes": True,
        "no": False,
        "day": "2026-01-31",
        "moment": "2026-01-31 18:30:00",
        "zoned": "2026-01-31 17:30:00+00",
        "words": "ü",
        "data": '{"a": 1}',
        "list": "{1,2}",
        "id": "00000000-0000-0000-0000-000000000001",
    }


async def test_values_take_the_type_of_their_column(place: Place) -> None:
    await place.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS kinds'))\n"
        "assert(db.query('shop', 'CREATE TABLE kinds (a BIGINT, b NUMERIC, c DATE, d JSONB, e BOOLEAN)'))\n"
        "local values = { a = 5, b = 0.1, c = '2026-01-31', d = '[1]', e = true }\n"
        "assert(db.insert('shop', { tbl = 'kinds', values = values }))"
    )
    where = "{ a = 5, b = 0.1, c = '2026-01-31', e = true }"
    row = await place.one(f"db.selectOne('shop', {{ tbl = 'kinds', where = {where} }})")
    assert row == {"a": 5, "b": 0.1, "c": "2026-01-31", "d": "[1]", "e": True}


async def test_the_error_of_a_failed_statement_tells_the_sqlstate(toys: Place) -> None:
    await toys.fails("db.select('shop', { tbl = 'none' })", "(SQLSTATE 42P01)", 800)
    await toys.fails("db.insert('shop', { tbl = 'toys', values = { id = 1 } })", "(SQLSTATE 23505)", 800)


async def test_an_insert_tells_the_id_or_the_first_column(place: Place) -> None:
    await place.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS words'))\n"
        "assert(db.query('shop', 'CREATE TABLE words (word TEXT, n INT)'))"
    )
    assert (
        await place.one("db.insert('shop', { tbl = 'words', values = { word = 'moon', n = 1 } })") == "moon"
    )


async def test_a_connection_forgets_what_hand_written_sql_left(toys: Place) -> None:
    for sql in (
        "SET search_path = pg_catalog",
        "SET statement_timeout = 0",
        "CREATE TEMPORARY TABLE secret_notes (id INT)",
        "SELECT pg_advisory_lock(77)",
    ):
        await toys.one(f'db.query("shop", "{sql}")')
    found = await toys.one(
        "db.query('shop', \"SELECT current_setting('search_path') AS path,"
        " current_setting('statement_timeout') AS limit_,"
        " (SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE datname = current_database() AND locktype = 'advisory' AND objid = 77) AS locks\")[1]"
    )
    assert found == {"path": '"$user", public', "limit_": "30s", "locks": 0}
    await toys.fails("db.query('shop', 'SELECT * FROM secret_notes')", "SQLSTATE 42P01", 800)


async def test_a_statement_over_the_time_limit_is_stopped_in_the_server(
    toys: Place, pg_server: Server
) -> None:
    await toys.fails(
        "db.query('small', 'SELECT pg_sleep(20)')", "took longer than 0.3 s and was stopped", 810
    )
    await until_none_runs(pg_server, "pg_sleep(20)")
    assert await toys.one("db.selectCount('small', { tbl = 'toys' })") == 3


async def test_a_job_cannot_lift_the_time_limit(toys: Place, pg_server: Server) -> None:
    text = await toys.lua(
        "local connection = assert(db.dbConnect('small'))\n"
        "assert(db.dbQuery(connection, 'SET statement_timeout = 0'))\n"
        "return job.OK, select(2, db.dbQuery(connection, 'SELECT pg_sleep(21)'))"
    )
    assert "took longer than 0.3 s and was stopped" in text
    await until_none_runs(pg_server, "pg_sleep(21)")


async def test_a_statement_ends_with_its_run(toys: Place, pg_server: Server) -> None:
    outcome = await toys.run("db.query('shop', 'SELECT pg_sleep(22)')", 'timeout = "1s"')
    assert outcome.status == "TIMEOUT"
    await until_none_runs(pg_server, "pg_sleep(22)")


async def test_rows_that_would_fill_the_memory_are_cut_off(toys: Place, pg_server: Server) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for flood in (
        "SELECT repeat(repeat('x', 1000), 900000) AS flood",
        "SELECT repeat(repeat('x', 1000), 10000) AS flood FROM generate_series(1, 1000)",
    ):
        await toys.fails(f'db.query("shop", "{flood}")', "larger than 1 MB", 810)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    await until_none_runs(pg_server, "AS flood")
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_copy_is_refused_and_the_database_still_works(toys: Place) -> None:
    for sql in ("COPY toys TO STDOUT", "COPY toys FROM STDIN"):
        await toys.fails(f"db.query('shop', '{sql}')", "COPY cannot be used here", 800)
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_text_with_a_zero_byte_is_refused(toys: Place) -> None:
    insert = r"db.insert('shop', { tbl = 'toys', values = { name = 'a\0b' } })"
    await toys.fails(insert, "no text with a zero byte", 800)


async def test_a_connection_table_goes_only_where_the_network_rules_let_it(place: Place) -> None:
    table = "{ database = 'shop', user = 'postgres' }"
    await place.fails(f"db.query({table}, 'SELECT 1')", '[network] allow = ["127.0.0.1:5432"]', 815)
    socket = "{ database = 'shop', host = '/var/run/postgresql' }"
    first, _, code = await place.value(f"db.query({socket}, 'SELECT 1')")
    assert (first, code) == (None, 801)


@pytest.fixture
def private_server() -> Iterator[OwnServer]:
    with own_server(own_pg, "postgresql") as own:
        yield own


async def test_jobs_go_on_after_the_server_was_restarted(
    workers: tuple[WorkerPool, Plugins], place: Place, private_server: OwnServer
) -> None:
    (place.home / "moontide.toml").write_text(f'[pg.shop]\nurl = "{private_server.server.url}postgres"\n')
    settings = load_settings(place.home)
    async with open_lab(*workers, place.home, place.home, home=place.home, settings=settings) as lab:
        other = Place("pg", lab, place.home)
        assert await other.one("#db.query('shop', 'SELECT 1')") == 1
        await asyncio.to_thread(private_server.stop)
        first, _, code = await other.value("db.query('shop', 'SELECT 1')")
        assert (first, code) == (None, 815)
        await asyncio.to_thread(private_server.start)
        assert await other.one("#db.query('shop', 'SELECT 1')") == 1
