"""The functions that core.mysql, core.pg and core.sqlite share, on each of them."""

from __future__ import annotations

import pytest

from tests.plugins.sql.conftest import MODULES, Place

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("place", MODULES, indirect=True),
]


async def names(place: Place, where: str) -> list[str]:
    """Return the names of the toys that a `where` finds."""
    rows = await place.one(f"db.select('shop', {{ tbl = 'toys', where = {where}, orderby = {{ 'name' }} }})")
    return [row["name"] for row in rows]


async def test_select_gives_rows_with_numbers_and_text(toys: Place) -> None:
    rows = await toys.one(
        "db.select('shop', { tbl = 'toys', columns = { 'name', 'stock' }, where = { name = 'ball' } })"
    )
    assert rows == [{"name": "ball", "stock": 5}]


async def test_select_without_a_match_gives_an_empty_list(toys: Place) -> None:
    assert await toys.one("#db.select('shop', { tbl = 'toys', where = { name = 'none' } })") == 0


async def test_empty_columns_mean_all_columns(toys: Place) -> None:
    row = await toys.one("db.selectOne('shop', { tbl = 'toys', columns = { nothing }, where = { id = 1 } })")
    assert set(row) == {"id", "name", "stock", "sold"}


async def test_rows_are_ordered_and_cut(toys: Place) -> None:
    options = "tbl = 'toys', columns = { 'name' }, orderby = { name = core.DESC }"
    rows = await toys.one(f"db.select('shop', {{ {options}, limit = {{ 1, 2 }} }})")
    assert [row["name"] for row in rows] == ["bear", "ball"]
    rows = await toys.one(f"db.select('shop', {{ {options}, limit = 1 }})")
    assert [row["name"] for row in rows] == ["kite"]


async def test_several_columns_order_as_listed(toys: Place) -> None:
    rows = await toys.one("db.select('shop', { tbl = 'toys', orderby = { 'stock DESC', { name = 'asc' } } })")
    assert [row["name"] for row in rows] == ["ball", "bear", "kite"]


async def test_distinct_leaves_repeated_rows_out(toys: Place) -> None:
    rows = await toys.one("db.select('shop', { tbl = 'toys', columns = { 'stock' }, distinct = true })")
    assert sorted(row["stock"] for row in rows) == [0, 5]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("{ name = 'kite' }", ["kite"]),
        ("{ stock = 0, sold = false }", ["bear"]),
        ("{ sold = true }", ["kite"]),
        ("{ name = { 'ball', 'bear' } }", ["ball", "bear"]),
        ("{ { stock = 0 }, { name = { 'ball', 'bear' } } }", ["bear"]),
        ("{ { name = { 'ball' }, sold = { true } } }", ["ball", "kite"]),
        ("'stock > 1'", ["ball"]),
        ("'name LIKE \\'b%\\''", ["ball", "bear"]),
        ("{ name = core.NULL }", []),
    ],
)
async def test_where_finds(toys: Place, where: str, found: list[str]) -> None:
    assert await names(toys, where) == found


async def test_an_empty_where_is_refused_and_stands_in_the_log(toys: Place) -> None:
    for where in ("{ id = nil }", "core.NULL", "{ {} }", "''"):
        expression = f"db.update('shop', {{ tbl = 'toys', values = {{ stock = 9 }}, where = {where} }})"
        await toys.fails(expression, "where is empty", 804)
    assert await names(toys, "{ stock = 9 }") == []
    assert any(line.startswith("warn: ") and "where is empty" in line for line in toys.lab.log)


async def test_a_value_never_becomes_sql(toys: Place) -> None:
    evil = "x' OR '1'='1"
    assert await toys.one(f'#db.select("shop", {{ tbl = "toys", where = {{ name = "{evil}" }} }})') == 0
    text = r"""[==[\' " ` %s %% ? $1 ; -- ü 😀 \]==]"""
    await toys.one(f"db.insert('shop', {{ tbl = 'toys', values = {{ name = {text} }} }})")
    assert await toys.one(
        f"db.selectOne('shop', {{ tbl = 'toys', where = {{ name = {text} }} }}).name == {text}"
    )


async def test_a_name_never_becomes_sql(toys: Place) -> None:
    for options in (
        "{ tbl = 'toys` WHERE 1=1 -- ' }",
        "{ tbl = 'toys\" WHERE 1=1 -- ' }",
        "{ tbl = 'toys', columns = { 'id; DROP TABLE toys' } }",
        "{ tbl = 'toys', orderby = { ['id`'] = 'ASC' } }",
        "{ tbl = 'toys', where = { [\"id'\"] = 1 } }",
        "{ tbl = '' }",
    ):
        await toys.fails(f"db.select('shop', {options})", "cannot be named", 801)
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_percent_and_question_marks_in_written_sql_stay_as_they_are(toys: Place) -> None:
    where = "name LIKE 'b%' AND name <> '?'"
    changed = await toys.one(
        f'db.update("shop", {{ tbl = "toys", values = {{ stock = 7 }}, where = "{where}" }})'
    )
    assert changed == 2


async def test_select_one_gives_the_row_itself(toys: Place) -> None:
    assert await toys.one("db.selectOne('shop', { tbl = 'toys', where = { name = 'ball' } }).stock") == 5


async def test_select_one_without_a_match_gives_nil_and_800(toys: Place) -> None:
    await toys.fails("db.selectOne('shop', { tbl = 'toys', where = { id = 99 } })", "no row of toys", 800)


async def test_select_one_without_where_is_refused(toys: Place) -> None:
    await toys.fails("db.selectOne('shop', { tbl = 'toys' })", "options.where is required", 804)


async def test_select_count_gives_a_number(toys: Place) -> None:
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3
    assert (
        await toys.one("db.selectCount('shop', { tbl = 'toys', column = '*', where = { stock = 0 } })") == 2
    )


async def test_insert_gives_the_new_id(toys: Place) -> None:
    new = await toys.one("db.insert('shop', { tbl = 'toys', values = { name = 'top', stock = 1 } })")
    assert new == 4
    assert await names(toys, "{ id = 4 }") == ["top"]


async def test_null_is_written_with_core_null_and_read_as_nil(toys: Place) -> None:
    changed = await toys.one(
        "db.update('shop', { tbl = 'toys', values = { stock = core.NULL }, where = { name = 'ball' } })"
    )
    assert changed == 1
    assert await toys.one("db.selectOne('shop', { tbl = 'toys', where = { id = 1 } }).stock == nil") is True
    assert await names(toys, "{ stock = core.NULL }") == ["ball"]


async def test_the_word_null_is_a_string(toys: Place) -> None:
    await toys.one("db.update('shop', { tbl = 'toys', values = { name = 'NULL' }, where = { id = 1 } })")
    assert await names(toys, "{ id = 1 }") == ["NULL"]


async def test_update_counts_matching_rows_even_if_nothing_changes(toys: Place) -> None:
    update = "db.update('shop', { tbl = 'toys', values = { stock = 0 }, where = { stock = 0 } })"
    assert await toys.one(update) == 2


async def test_update_without_where_changes_every_row(toys: Place) -> None:
    assert await toys.one("db.update('shop', { tbl = 'toys', values = { sold = true } })") == 3


async def test_empty_values_are_refused(toys: Place) -> None:
    await toys.fails("db.insert('shop', { tbl = 'toys', values = { a = nil } })", "values is empty", 804)
    await toys.fails("db.update('shop', { tbl = 'toys', values = {} })", "values is empty", 804)


async def test_a_table_as_a_value_is_refused(toys: Place) -> None:
    await toys.fails(
        "db.insert('shop', { tbl = 'toys', values = { name = { 1 } } })", "values.name must be", 801
    )


async def test_delete_wants_where_or_force(toys: Place) -> None:
    await toys.fails("db.delete('shop', { tbl = 'toys' })", "force = true", 804)
    assert await toys.one("db.delete('shop', { tbl = 'toys', where = { stock = 0 } })") == 2
    assert await toys.one("db.delete('shop', { tbl = 'toys', force = true })") == 1


async def test_insert_many_tries_each_record(toys: Place) -> None:
    records = "{ name = 'top' }, { name = 'ball' }, { name = 'car' }"
    done = await toys.one(f"db.insertMany('shop', {{ tbl = 'toys', records = {{ {records} }} }})")
    assert [set(one) for one in done] == [{"id"}, {"error", "code"}, {"id"}]
    assert await names(toys, "{ name = { 'top', 'car' } }") == ["car", "top"]


async def test_batches_go_on_after_a_failure(toys: Place) -> None:
    done = await toys.one(
        "db.insertBatch('shop', { { tbl = 'none', values = { a = 1 } },"
        " { tbl = 'toys', values = { name = 'top' } } })"
    )
    assert [set(one) for one in done] == [{"error", "code"}, {"id"}]
    done = await toys.one(
        "db.updateBatch('shop', { { tbl = 'toys', values = { stock = 1 }, where = {} },"
        " { tbl = 'toys', values = { stock = 1 }, where = { id = 1 } } })"
    )
    assert done[0]["code"] == 804
    assert done[1] == {"updated": 1}
    done = await toys.one(
        "db.deleteBatch('shop', { { tbl = 'toys' }, { tbl = 'toys', where = { id = 1 } } })"
    )
    assert done[0]["code"] == 804
    assert done[1] == {"deleted": 1}


async def test_update_many_and_delete_many_answer_in_order(toys: Place) -> None:
    changes = (
        "{ values = { stock = 1 }, where = { stock = 0 } }, { values = { nope = 1 }, where = { id = 1 } }"
    )
    done = await toys.one(f"db.updateMany('shop', {{ tbl = 'toys', update = {{ {changes} }} }})")
    assert done[0] == {"updated": 2}
    assert "error" in done[1]
    removals = "{ where = { id = 77 } }, { where = { stock = 1 } }"
    done = await toys.one(f"db.deleteMany('shop', {{ tbl = 'toys', delete = {{ {removals} }} }})")
    assert done == [{"deleted": 0}, {"deleted": 2}]


async def test_select_batch_answers_by_key(toys: Place) -> None:
    found = await toys.one(
        "db.selectBatch('shop', {"
        " { tbl = 'toys', key = 'all' }, { tbl = 'toys', where = { id = 2 }, limit = 1 }, { tbl = 'none' } })"
    )
    assert len(found["all"]) == 3
    assert found["toys"]["name"] == "kite"
    assert set(found["none"]) == {"error", "code"}


async def test_select_merge_keeps_the_good_keys(toys: Place) -> None:
    found = await toys.one(
        "db.selectMerge({ { db = 'shop', tbl = 'toys', key = 'toys' },"
        " { db = 'small', tbl = 'none', key = 'b' },"
        " { db = 'elsewhere', tbl = 'c', key = 'c' } })"
    )
    assert len(found["toys"]) == 3
    assert [(one["db"], one["index"]) for one in found["errors"]] == [("small", 2), ("elsewhere", 3)]
    assert found["errors"][1]["status"] == 901


async def test_query_answers_by_the_kind_of_statement(toys: Place) -> None:
    assert await toys.one("db.query('shop', 'SELECT name FROM toys WHERE id = 2')") == [{"name": "kite"}]
    assert await toys.one("#db.q('shop', 'SELECT name FROM toys WHERE id = 99')") == 0
    assert await toys.one("db.query('shop', 'UPDATE toys SET stock = 3 WHERE id < 3')") == 2
    assert await toys.one("db.query('shop', '-- gone\\n DELETE FROM toys WHERE id = 3')") == 1
    assert await toys.one("type(db.query('shop', 'CREATE TABLE IF NOT EXISTS toys (id INT)'))") == "table"


async def test_one_call_carries_out_one_statement(toys: Place) -> None:
    first, *_ = await toys.value("db.query('shop', 'DELETE FROM toys; DELETE FROM toys')")
    assert first is None
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_an_unknown_database_is_named_with_901(toys: Place) -> None:
    words = f"database 'nowhere' is not configured; add [{toys.module}.NAME]"
    await toys.fails("db.select('nowhere', { tbl = 'toys' })", words, 901)
    await toys.fails("db.select({ database = 'nowhere', timeout = 100 }, { tbl = 'toys' })", words, 901)
    assert await toys.one("#db.select({ database = 'shop' }, { tbl = 'toys' })") == 3


async def test_wrong_and_missing_arguments_are_told(toys: Place) -> None:
    await toys.fails("db.select('shop', {})", f"core.{toys.module}.select: options.tbl is required", 804)
    await toys.fails("db.select('shop', { tbl = 5 })", "options.tbl must be a string, got a number", 801)
    await toys.fails("db.select('shop', { tbl = 'toys', sort = 1 })", "options.sort is not known", 801)
    await toys.fails("db.select()", "db must be", 804)
    await toys.fails("db.query('shop', ' ')", "the SQL text is empty", 804)
    await toys.fails("db.select('shop', { tbl = 'toys', limit = -1 })", "limit must be", 801)
    await toys.fails(
        "db.select('shop', { tbl = 'toys', orderby = { id = 'up' } })", "orderby.id must be", 801
    )


async def test_too_many_rows_are_an_error_and_the_database_still_works(toys: Place) -> None:
    await toys.one("db.insert('shop', { tbl = 'toys', values = { name = 'top' } })")
    await toys.fails(
        "db.select('small', { tbl = 'toys' })", "more than 3 rows; ask for fewer with limit", 810
    )
    assert await toys.one("#db.select('small', { tbl = 'toys', limit = 3 })") == 3


async def test_rows_larger_than_a_value_may_be_are_an_error(toys: Place) -> None:
    kind = "LONGTEXT" if toys.module == "mysql" else "TEXT"
    await toys.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS texts'))\n"
        f"assert(db.query('shop', 'CREATE TABLE texts (body {kind})'))\n"
        "local values = { body = ('x'):rep(400000) }\n"
        "for i = 1, 3 do assert(db.insert('shop', { tbl = 'texts', values = values })) end"
    )
    await toys.fails("db.select('shop', { tbl = 'texts' })", "larger than 1 MB", 810)
    assert await toys.one("#db.select('shop', { tbl = 'texts', limit = 2 })[2].body") == 400_000


async def test_a_transaction_on_a_connection_can_be_undone(toys: Place) -> None:
    counts = await toys.lua(
        "local connection = assert(db.dbConnect('shop'))\n"
        "assert(db.dbQuery(connection, 'BEGIN'))\n"
        "assert(db.delete(connection, { tbl = 'toys', force = true }) == 3)\n"
        "local inside = db.selectCount(connection, { tbl = 'toys' })\n"
        "assert(db.dbQuery(connection, 'ROLLBACK'))\n"
        "assert(db.dbClose(connection))\n"
        "return job.OK, { inside, db.selectCount('shop', { tbl = 'toys' }) }"
    )
    assert counts == [0, 3]


async def test_what_an_open_connection_did_not_commit_is_undone_at_the_end_of_the_run(toys: Place) -> None:
    await toys.lua(
        "local connection = assert(db.dbConnect('shop'))\n"
        "assert(db.dbQuery(connection, 'BEGIN'))\n"
        "assert(db.delete(connection, { tbl = 'toys', force = true }) == 3)"
    )
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3
    assert await toys.one("db.update('shop', { tbl = 'toys', values = { stock = 1 } })") == 3


async def test_a_transaction_does_not_outlive_its_query(toys: Place) -> None:
    await toys.one("db.query('shop', 'BEGIN')")
    await toys.one("db.delete('shop', { tbl = 'toys', force = true })")
    await toys.value("db.query('shop', 'ROLLBACK')")
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 0


async def test_a_closed_connection_is_of_no_more_use(toys: Place) -> None:
    found = await toys.lua(
        "local connection = assert(db.dbConnect('shop'))\n"
        "assert(db.dbClose(connection) and db.dbClose(connection))\n"
        "local rows, problem = db.dbQuery(connection, 'SELECT 1')\n"
        "return job.OK, { rows == nil, problem }"
    )
    assert found[0] is True
    assert "closed" in found[1]


async def test_more_connections_than_the_setting_are_refused_in_words(toys: Place) -> None:
    most = {"mysql": 10, "pg": 10, "sqlite": 4}[toys.module]
    text = await toys.lua(
        f"for i = 1, {most} do assert(db.dbConnect('small')) end\n"
        "return job.OK, select(2, db.dbConnect('small'))"
    )
    assert f"all {most} connections of database 'small' stayed in use" in text


async def test_queries_are_logged_while_asked_for(toys: Place) -> None:
    await toys.lua(
        "db.logQueries()\n"
        "db.select('shop', { tbl = 'toys', where = { id = 2 } })\n"
        "db.logQueries(false)\n"
        "db.select('shop', { tbl = 'toys', where = { id = 3 } })"
    )
    quote = '"' if toys.module == "pg" else "`"
    expected = "info: SELECT * FROM `toys` WHERE `id`=2;".replace("`", quote)
    assert [line for line in toys.lab.log if "SELECT" in line] == [expected]


async def test_escape_gives_a_literal_that_the_database_reads_back(toys: Place) -> None:
    text = r"""[==[it's \ "q" ; %]==]"""
    assert (
        await toys.one(f"db.query('shop', 'SELECT ' .. db.escape({text}) .. ' AS t')[1].t == {text}") is True
    )


async def test_escape_all_leaves_other_values_alone(toys: Place) -> None:
    assert await toys.one("db.escapeAll({ 'a', 1, true })") == ["'a'", 1, True]
    assert await toys.one("db.escapeAll({ a = 'b', n = 2 })") == {"a": "'b'", "n": 2}


async def test_times_are_written_and_read_as_databases_do(toys: Place) -> None:
    assert await toys.value("db.timestamp(86399), db.date(86400)") == ["1970-01-01 23:59:59", "1970-01-02"]
    assert await toys.one("db.parseTimestamp('1970-01-02 00:00:01')") == 86_401
    assert await toys.one("db.parseTimestamp(db.timestamp()) - os.time() < 2") is True
    await toys.fails("db.parseTimestamp('yesterday')", "wants a time like", 801)
    await toys.fails("db.timestamp(1e18)", "years 1 to 9999", 801)


async def test_local_times_are_those_of_the_jobs_time_zone(toys: Place) -> None:
    found = await toys.lua(
        "return job.OK, { db.localTimestamp(86399), db.localDate(86399) }", 'timezone = "Asia/Tokyo"'
    )
    assert found == ["1970-01-02 08:59:59", "1970-01-02"]


async def test_bytes_come_back_as_they_went(toys: Place) -> None:
    kind = "BYTEA" if toys.module == "pg" else "BLOB"
    await toys.lua(
        "assert(db.query('shop', 'DROP TABLE IF EXISTS files'))\n"
        f"assert(db.query('shop', 'CREATE TABLE files (body {kind})'))"
    )
    body = r"'\0\1\255\254%\'\\'"
    await toys.one(f"db.insert('shop', {{ tbl = 'files', values = {{ body = {body} }} }})")
    assert await toys.one(f"db.query('shop', 'SELECT body FROM files')[1].body == {body}") is True
