"""What only core.mysql does, on a real MariaDB server."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator

import pytest

from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from tests.lab import open_lab
from tests.plugins.sql.conftest import Place
from tests.services import OwnServer, Server, mysql_do, own_mysql, own_server

pytestmark = pytest.mark.asyncio(loop_scope="package")

MODULE = "mysql"
DEADLINE_SECONDS = 10.0

GENERAL = """
CREATE TABLE kinds (
  big BIGINT, huge BIGINT UNSIGNED, price DECIMAL(10,2), whole DECIMAL(20,0), ratio DOUBLE, small FLOAT,
  flag TINYINT(1), bits BIT(4), day DATE, moment DATETIME, clock TIME, year YEAR, words TEXT, data JSON,
  choice ENUM('a','b'), nothing INT
)
"""


def statements_running(server: Server, words: str) -> int:
    """Return how many connections carry out a statement with these words."""
    listed = mysql_do(server, "SELECT info FROM information_schema.processlist WHERE info IS NOT NULL")
    return sum(words in line and "processlist" not in line for line in listed.splitlines())


async def until_running(server: Server, words: str, number: int) -> None:
    """Wait until so many connections carry out a statement with these words."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while await asyncio.to_thread(statements_running, server, words) != number:
        assert time.monotonic() < deadline, f"{words!r} does not run {number} times"


async def test_each_type_arrives_as_lua_wants_it(place: Place) -> None:
    await place.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS kinds'))\n"
        f"assert(db.query('shop', [[{GENERAL}]]))\n"
        "assert(db.query('shop', [[INSERT INTO kinds VALUES (9223372036854775807, 18446744073709551615,"
        " 12.50, 12345678901234567890, 0.5, 1.5, 1, b'101',"
        " '2026-01-31', '2026-01-31 18:30:00', '25:00:01', 2026,"
        " 'ü', '{\"a\": 1}', 'b', NULL)]]))"
    )
    row = await place.one("db.query('shop', 'SELECT * FROM kinds')[1]")
    whole = row.pop("whole")
    assert row == {
        "big": 2**63 - 1,
        "huge": "18446744073709551615",
        "price": 12.5,
        "ratio": 0.5,
        "small": 1.5,
        "flag": 1,
        "bits": 5,
        "day": "2026-01-31",
        "moment": "2026-01-31 18:30:00",
        "clock": "25:00:01",
        "year": 2026,
        "words": "ü",
        "data": '{"a": 1}',
        "choice": "b",
    }
    assert whole == "12345678901234567890"
    shown = (
        "db.query('shop', 'SELECT math_type FROM (SELECT price*2 AS math_type FROM kinds) AS t')[1].math_type"
    )
    assert await place.one(f"math.type({shown}) .. {shown}") == "integer25"


async def test_a_row_is_the_same_however_often_it_was_asked_for(place: Place) -> None:
    await place.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS kinds'))\n"
        f"assert(db.query('shop', [[{GENERAL}]]))\n"
        "assert(db.query('shop', [[INSERT INTO kinds VALUES (9223372036854775807, 18446744073709551615,"
        " 12.50, 12345678901234567890, 0.1, 1.1, 1, b'101',"
        " '2026-01-31', '2026-01-31 18:30:00', '-25:00:01', 2026,"
        " 'ü', '{\"a\": 1}', 'b', NULL)]]))"
    )
    columns = await place.one("db.query('shop', 'SELECT * FROM kinds')[1]")
    assert len(columns) > 10
    await place.lua(
        "for column, first in pairs(db.query('shop', 'SELECT * FROM kinds')[1]) do\n"
        "  for _ = 1, 8 do\n"
        "    local asked = { tbl = 'kinds', columns = { column }, where = { year = 2026 } }\n"
        "    local row = assert(db.selectOne('shop', asked))\n"
        "    assert(row[column] == first and math.type(row[column]) == math.type(first), column)\n"
        "  end\n"
        "end"
    )


TEN_TIMES = """
local shop = assert(db.dbConnect("shop"))
local function status(name)
  return tonumber(assert(db.dbQuery(shop, "SHOW SESSION STATUS LIKE '" .. name .. "'"))[1].Value)
end
local asked = status("Questions")
for number = 1, 10 do
  local row = assert(db.selectOne(shop, { tbl = "toys", where = { id = number % 2 + 1 } }))
  assert(row.id == number % 2 + 1)
end
return job.OK, { status("Questions") - asked - 1, status("Com_stmt_prepare"), status("Com_stmt_execute") }
"""


async def test_each_row_is_one_question_and_a_frequent_one_is_prepared_once(toys: Place) -> None:
    assert await toys.lua(TEN_TIMES) == [10, 1, 6]


async def test_a_frequent_select_sees_how_its_table_is_changed(toys: Place) -> None:
    await toys.lua(
        "local shop = assert(db.dbConnect('shop'))\n"
        "local function stock()\n"
        "  local asked = { tbl = 'toys', columns = { 'stock' }, where = { id = 1 } }\n"
        "  return assert(db.selectOne(shop, asked)).stock\n"
        "end\n"
        "for _ = 1, 6 do assert(math.type(stock()) == 'integer') end\n"
        "assert(db.query('shop', 'ALTER TABLE toys MODIFY stock VARCHAR(20)'))\n"
        "for _ = 1, 3 do assert(type(stock()) == 'string') end\n"
        "assert(db.query('shop', \"UPDATE toys SET stock = '2026-02-03'\"))\n"
        "assert(db.query('shop', 'ALTER TABLE toys MODIFY stock DATE'))\n"
        "for _ = 1, 3 do assert(stock() == '2026-02-03') end\n"
        "assert(db.query('shop', 'ALTER TABLE toys DROP stock'))\n"
        "local _, message = pcall(stock)\n"
        "assert(message:find('Unknown column', 1, true), message)"
    )


async def test_more_frequent_selects_than_are_kept_prepared_all_work(toys: Place) -> None:
    await toys.lua(
        "local shop = assert(db.dbConnect('shop'))\n"
        "for _ = 1, 7 do\n"
        "  for limit = 1, 40 do\n"
        "    local rows = assert(db.select(shop, { tbl = 'toys', where = { id = 1 }, limit = limit }))\n"
        "    assert(#rows == 1 and rows[1].id == 1)\n"
        "  end\n"
        "end\n"
        "local count = assert(db.dbQuery(shop, \"SHOW SESSION STATUS LIKE 'Com_stmt_close'\"))[1].Value\n"
        "assert(tonumber(count) > 0)"
    )


async def test_the_code_of_a_failed_statement_is_mysqls(toys: Place) -> None:
    await toys.fails("db.select('shop', { tbl = 'none' })", "core.mysql.select: Table", 1146)
    await toys.fails("db.query('shop', 'SELEC 1')", "core.mysql.query: You have an error", 1064)
    await toys.fails("db.insert('shop', { tbl = 'toys', values = { id = 1 } })", "Duplicate entry", 1062)


async def test_a_connection_forgets_what_hand_written_sql_left(toys: Place) -> None:
    for sql in (
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SET @mine = 5",
        "CREATE TEMPORARY TABLE secret_notes (id INT)",
        "SELECT GET_LOCK('shop_lock', 0)",
        "SET NAMES latin1",
        "SET autocommit = 0",
    ):
        assert (await toys.one(f'db.query("shop", "{sql}")')) is not None
    found = await toys.one(
        "db.query('shop', \"SELECT @mine AS mine, @@sql_mode AS mode, @@character_set_client AS client,"
        " @@autocommit AS auto, IS_USED_LOCK('shop_lock') AS held\")[1]"
    )
    assert "NO_BACKSLASH_ESCAPES" not in found.pop("mode")
    assert found == {"client": "utf8mb4", "auto": 1}
    await toys.fails("db.query('shop', 'SELECT * FROM secret_notes')", "doesn't exist", 1146)


async def test_a_statement_over_the_time_limit_is_stopped_in_the_server(
    toys: Place, mysql_server: Server
) -> None:
    slow = "SELECT COUNT(*) FROM toys a, information_schema.columns b, information_schema.columns c"
    await toys.fails(f"db.query('small', '{slow}')", "took longer than 0.3 s and was stopped", 810)
    await until_running(mysql_server, "information_schema.columns c", 0)
    assert await toys.one("db.selectCount('small', { tbl = 'toys' })") == 3


async def test_a_job_cannot_lift_the_time_limit(toys: Place, mysql_server: Server) -> None:
    slow = "SET STATEMENT max_statement_time=0 FOR SELECT SLEEP(30)"
    await toys.fails(f"db.query('small', '{slow}')", "took longer than 0.3 s and was stopped", 810)
    await until_running(mysql_server, "SLEEP(30)", 0)


async def test_a_statement_ends_with_its_run(toys: Place, mysql_server: Server) -> None:
    outcome = await toys.run("db.query('shop', 'SELECT SLEEP(20) AS ended')", 'timeout = "1s"')
    assert outcome.status == "TIMEOUT"
    await until_running(mysql_server, "AS ended", 0)


async def test_rows_that_would_fill_the_memory_are_cut_off(toys: Place, mysql_server: Server) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flood = "SELECT REPEAT('x', 10000000) AS flood FROM information_schema.columns"
    await toys.fails(f'db.query("shop", "{flood}")', "larger than 1 MB", 810)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
    await until_running(mysql_server, "AS flood", 0)
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_files_of_the_engines_machine_cannot_be_loaded(toys: Place) -> None:
    first, message, _ = await toys.value(
        "db.query('shop', \"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE toys (name)\")"
    )
    assert first is None
    assert "passwd" not in message
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_a_procedure_gives_its_first_rows_and_the_connection_stays_good(toys: Place) -> None:
    await toys.lua(
        "assert(db.query('shop', 'DROP PROCEDURE IF EXISTS two_answers'))\n"
        "assert(db.query('shop', 'CREATE PROCEDURE two_answers() BEGIN SELECT 1 AS a; SELECT 2 AS b; END'))"
    )
    assert await toys.one("db.query('shop', 'CALL two_answers()')") == [{"a": 1}]
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_a_connection_table_goes_only_where_the_network_rules_let_it(place: Place) -> None:
    for host in ("127.0.0.1", "localhost", "10.0.0.1"):
        table = f"{{ database = 'shop', host = '{host}', user = 'root', password = '' }}"
        await place.fails(f"db.query({table}, 'SELECT 1')", "[network] allow = [", 815)
    metadata = "{ database = 'shop', host = '169.254.169.254' }"
    await place.fails(f"db.query({metadata}, 'SELECT 1')", "which no job may reach", 815)


@pytest.mark.parametrize("key", ["unix_socket", "read_default_file", "init_command", "ssl", "local_infile"])
async def test_a_connection_table_has_no_way_to_files_of_the_machine(place: Place, key: str) -> None:
    words = f"db.{key} is not known"
    await place.fails(f"db.query({{ database = 'shop', {key} = '/etc/passwd' }}, 'SELECT 1')", words, 801)


async def test_a_refused_login_does_not_repeat_the_password(
    workers: tuple[WorkerPool, Plugins], place: Place, mysql_server: Server
) -> None:
    (place.home / "moontide.toml").write_text(
        f'[mysql.shop]\nurl = "mysql://nobody:open%20sesame@{mysql_server.host}:{mysql_server.port}/x"\n'
        '[mysql.gone]\nurl = "mysql://nobody:open%20sesame@127.0.0.1:1/x"\n'
        f'[network]\nallow = ["{mysql_server.host}:{mysql_server.port}"]\n'
    )
    settings = load_settings(place.home)
    async with open_lab(*workers, place.home, place.home, home=place.home, settings=settings) as lab:
        other = Place("mysql", lab, place.home)
        await other.fails("db.query('shop', 'SELECT 1')", "Access denied")
        await other.fails("db.query('gone', 'SELECT 1')", "cannot be reached", 2003)
        table = f"{{ database = 'x', user = 'nobody', password = 'open sesame', port = {mysql_server.port} }}"
        first, message, code = await other.value(f"db.query({table}, 'SELECT 1')")
        assert (first, code) in ((None, 1045), (None, 1698))
        assert "sesame" not in message
        assert not any("sesame" in line for line in lab.log)


async def test_an_allowed_connection_table_works(
    workers: tuple[WorkerPool, Plugins], place: Place, mysql_server: Server
) -> None:
    where = f"{mysql_server.host}:{mysql_server.port}"
    (place.home / "moontide.toml").write_text(f'[network]\nallow = ["{where}"]\n')
    settings = load_settings(place.home)
    table = f"{{ database = '{mysql_server.database}', user = '{mysql_server.user}', "
    table += (
        f"password = '{mysql_server.password}', host = '{mysql_server.host}', port = {mysql_server.port} }}"
    )
    async with open_lab(*workers, place.home, place.home, home=place.home, settings=settings) as lab:
        other = Place("mysql", lab, place.home)
        assert await other.one(f"db.query({table}, 'SELECT 1 AS one')[1].one") == 1
        body = (
            f"local c = assert(db.dbConnect({table}))\nreturn job.OK, db.dbQuery(c, 'SELECT 2 AS two')[1].two"
        )
        assert await other.lua(body) == 2


async def test_permissions_are_checked_by_the_databases_name(
    workers: tuple[WorkerPool, Plugins], place: Place
) -> None:
    text = (place.home / "moontide.toml").read_text()
    (place.home / "moontide.toml").write_text('permissions = "declared"\n' + text)
    settings = load_settings(place.home)
    async with open_lab(*workers, place.home, place.home, home=place.home, settings=settings) as lab:
        other = Place("mysql", lab, place.home)
        allow = 'allow = { mysql = { "shop" } }'
        body = "return job.OK, { #db.query('shop', 'SELECT 1'), (select(2, db.query('small', 'SELECT 1'))) }"
        assert await other.lua(body, allow) == [
            1,
            "job query may not reach small by core.mysql; its allow does not list it",
        ]
        entries = "{ db = 'shop', tbl = 'a' }, { db = 'small', tbl = 'b' }"
        merge = f"return job.OK, select(2, db.selectMerge({{ {entries} }}))"
        assert "may not reach small" in await other.lua(merge, allow)
        table = "return job.OK, select(2, db.dbConnect({ database = 'shop', host = 'db.example' }))"
        assert "may not reach db.example:3306" in await other.lua(table, allow)


@pytest.fixture
def private_server() -> Iterator[OwnServer]:
    with own_server(own_mysql, "mariadb-server") as own:
        yield own


async def test_jobs_go_on_after_the_server_was_restarted(
    workers: tuple[WorkerPool, Plugins], place: Place, private_server: OwnServer
) -> None:
    (place.home / "moontide.toml").write_text(f'[mysql.shop]\nurl = "{private_server.server.url}mysql"\n')
    settings = load_settings(place.home)
    async with open_lab(*workers, place.home, place.home, home=place.home, settings=settings) as lab:
        other = Place("mysql", lab, place.home)
        assert await other.one("#db.query('shop', 'SELECT 1')") == 1
        await asyncio.to_thread(private_server.stop)
        first, _, code = await other.value("db.query('shop', 'SELECT 1')")
        assert first is None
        assert code in (2003, 2006, 2013)
        await asyncio.to_thread(private_server.start)
        assert await other.one("#db.query('shop', 'SELECT 1')") == 1
