"""What only core.sqlite does, on files in the files folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from tests.lab import open_lab
from tests.plugins.sql.conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")

MODULE = "sqlite"
SETTINGS = (
    '[sqlite.tiny]\nfile = "deep/tiny.db"\nmax_size = "64KB"\n[sqlite.linked]\nfile = "link/other.db"\n'
)

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"


async def test_the_file_lies_in_the_files_folder(toys: Place) -> None:
    assert (toys.home / "files" / "shop.db").exists()


async def test_values_arrive_as_they_were_kept(place: Place) -> None:
    row = await place.one(
        "db.query('shop', \"SELECT 9223372036854775807 AS big, 0.5 AS r, 'ü' AS t, NULL AS n\")[1]"
    )
    assert row == {"big": 2**63 - 1, "r": 0.5, "t": "ü"}


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE 'other.db' AS other",
        "DETACH DATABASE main",
        "VACUUM INTO 'copy.db'",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "CREATE TEMP TABLE secret_notes (id INT)",
        "SELECT load_extension('/lib/x.so')",
        "SELECT writefile('x', 'y')",
    ],
)
async def test_what_reaches_other_files_is_refused(toys: Place, sql: str) -> None:
    first, _, code = await toys.value(f'db.query("shop", "{sql}")')
    assert (first, code) == (None, 800)
    files = sorted(path.name for path in (toys.home / "files").iterdir())
    assert [name for name in files if not name.startswith("shop.db")] == []


@pytest.mark.parametrize("arguments", ["'simple'", "'simple', x'4141414141414141'"])
async def test_no_address_of_code_is_taken_or_told(toys: Place, arguments: str) -> None:
    await toys.fails(f'db.query("shop", "SELECT fts3_tokenizer({arguments})")', "fts3_tokenizer", 800)


@pytest.mark.parametrize("name", ["printf", "format"])
async def test_no_call_fills_memory_sign_by_sign(toys: Place, name: str) -> None:
    sql = f"SELECT {name}('%.*c', 2000000000, 'x')"
    await toys.fails(f'db.query("shop", "{sql}")', "not authorized to use function", 800)


async def test_pragmas_that_only_tell_are_allowed(toys: Place) -> None:
    rows = await toys.one("db.query('shop', 'PRAGMA table_info(toys)')")
    assert [row["name"] for row in rows] == ["id", "name", "stock", "sold"]


async def test_text_is_searched_in_a_full_text_table(toys: Place) -> None:
    await toys.one("db.query('shop', 'CREATE VIRTUAL TABLE words USING fts5(line)')")
    await toys.one("db.insert('shop', { tbl = 'words', values = { line = 'a red kite' } })")
    rows = await toys.one("db.query('shop', 'SELECT line FROM words WHERE words MATCH \"kite\"')")
    assert rows == [{"line": "a red kite"}]


async def test_an_unknown_column_is_an_error_and_no_text(toys: Place) -> None:
    await toys.fails("db.select('shop', { tbl = 'toys', columns = { 'typo' } })", "no such column: typo", 800)


async def test_an_endless_statement_is_stopped_and_the_database_still_works(toys: Place) -> None:
    await toys.fails(f"db.query('small', '{ENDLESS}')", "took longer than 0.3 s and was stopped", 810)
    assert await toys.one("db.selectCount('small', { tbl = 'toys' })") == 3


async def test_a_statement_ends_with_its_run(toys: Place) -> None:
    outcome = await toys.run(f"db.query('shop', '{ENDLESS}')", 'timeout = "1s"')
    assert outcome.status == "TIMEOUT"
    assert await toys.one("db.selectCount('shop', { tbl = 'toys' })") == 3


async def test_a_huge_value_is_refused_at_once(toys: Place) -> None:
    await toys.fails("db.query('shop', 'SELECT zeroblob(100000000) AS b')", "too big", 800)


async def test_a_file_does_not_grow_beyond_its_limit(place: Place) -> None:
    text = await place.lua(
        "assert(db.query('tiny', 'CREATE TABLE t (body TEXT)'))\n"
        "local values, problem = { body = ('x'):rep(20000) }\n"
        "for i = 1, 10 do\n"
        "  local ok, err = db.insert('tiny', { tbl = 't', values = values })\n"
        "  problem = problem or (not ok and err)\n"
        "end\n"
        "return job.OK, problem"
    )
    assert "full" in text


async def test_a_link_does_not_lead_out_of_the_files_folder(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (place.home / "files").mkdir(exist_ok=True)
    os.symlink(outside, place.home / "files" / "link")
    await place.fails("db.query('linked', 'CREATE TABLE t (a INT)')", "cannot be opened", 820)
    assert list(outside.iterdir()) == []
    os.symlink(outside / "x.db", place.home / "files" / "shop.db")
    await place.fails("db.query('shop', 'CREATE TABLE t (a INT)')", "cannot be opened", 820)


async def test_a_job_cannot_name_a_file_itself(place: Place) -> None:
    table = "{ database = '/etc/x.db', host = 'example.com' }"
    await place.fails(f"db.query({table}, 'SELECT 1')", "must be the name of a configured database", 801)


@pytest.mark.parametrize("file", ["/etc/x.db", "../x.db", "a/../../x.db", ""])
async def test_settings_with_a_file_elsewhere_are_refused(
    workers: tuple[WorkerPool, Plugins], tmp_path: Path, file: str
) -> None:
    (tmp_path / "moontide.toml").write_text(f'[sqlite.x]\nfile = "{file}"\n')
    settings = load_settings(tmp_path)
    with pytest.raises(SettingsError, match="file must be a path in the files folder"):
        async with open_lab(*workers, tmp_path, tmp_path, settings=settings):
            pass
