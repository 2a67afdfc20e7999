"""Whole jobs as the guide has them, on a real MariaDB server: stock, weekly sales, a daily total, an end."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from engine.run import Outcome
from engine.states import Returned, RunStatus
from tests.plugins.sql.conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")

MODULE = "mysql"

RECURRING = """
local job = core.job { every = "2m", description = "Take what is sold out off the shelf" }

function job.run()
  local unicycle, err, code = core.mysql.selectOne("shop", {
    tbl = "toys",
    columns = { "id", "stock" },
    where = { name = "red unicycle" },
  })

  if unicycle.stock == 0 then
    local changed = core.mysql.update("shop", {
      tbl = "toys",
      values = { sold_out = true },
      where = { id = unicycle.id },
    })
    return job.OK, changed
  end
  return job.OK
end

return job
"""

FORGOTTEN_COLUMN = RECURRING.replace('columns = { "id", "stock" }', 'columns = { "stock" }')

SLEEP = """
local job = core.job { every = "1h" }

function job.run(run)
  if job.day() == run.data.day then
    local changed, err, code = core.mysql.update("shop", {
      tbl = "status",
      values = { no_sales = true },
      where = { no_sales = false },
    })
    return job.SLEEP, changed
  end
  return job.SLEEP
end

return job
"""

STOP = """
local job = core.job { every = "24h" }

function job.run(run)
  local row, err, code = core.mysql.selectOne("shop", {
    tbl = "status",
    columns = { total },
    where = { month = run.data.month },
  })

  if job.month() == run.data.month then
    core.log("Sold so far: $" .. row.total)
    return job.SLEEP
  end
  return job.STOP
end

return job
"""

EXIT = """
local job = core.job { every = "30s" }

function job.run(run)
  local mixer, err, code = core.mysql.selectOne("shop", { tbl = run.data.tbl, where = { name = "mixer" } })
  if not mixer then
    core.log(err)
    return job.EXIT, code
  end
  return job.OK
end

return job
"""


@pytest_asyncio.fixture(loop_scope="package")
async def shop(place: Place) -> Place:
    """A shop with a sold-out unicycle and a mixer, and the totals of each month."""
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    totals = ", ".join(f"(false, '{month}', 1250)" for month in months)
    for sql in (
        "DROP TABLE IF EXISTS toys",
        "DROP TABLE IF EXISTS status",
        "CREATE TABLE toys (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), stock INT,"
        " sold_out BOOLEAN DEFAULT false)",
        "INSERT INTO toys (name, stock) VALUES ('red unicycle', 0), ('mixer', 3)",
        "CREATE TABLE status (no_sales BOOLEAN, month CHAR(3), total DECIMAL(10,2))",
        f"INSERT INTO status VALUES {totals}",
    ):
        await place.one(f'db.query("shop", "{sql}")')
    return place


async def ran(place: Place, text: str, data: Any = None) -> Outcome:
    outcome = await place.lab.run("guide", text, data)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    return outcome


async def today(place: Place, helper: str) -> str:
    return str(await place.lua(f"return job.OK, job.{helper}()"))


async def test_the_recurring_job_marks_what_is_sold_out(shop: Place) -> None:
    outcome = await ran(shop, RECURRING)
    assert (outcome.returned, outcome.result) == (Returned.OK, 1)
    assert await shop.one("db.query('shop', 'SELECT name FROM toys WHERE sold_out')") == [
        {"name": "red unicycle"}
    ]


async def test_a_column_that_was_not_asked_for_does_not_change_every_row(shop: Place) -> None:
    outcome = await ran(shop, FORGOTTEN_COLUMN)
    assert (outcome.returned, outcome.result) == (Returned.OK, None)
    assert await shop.one("db.selectCount('shop', { tbl = 'toys', where = { sold_out = true } })") == 0
    assert any("where is empty" in line for line in shop.lab.log)


async def test_the_sleeping_job_changes_what_was_false_on_its_day(shop: Place) -> None:
    outcome = await ran(shop, SLEEP, {"day": await today(shop, "day")})
    assert (outcome.returned, outcome.result) == (Returned.SLEEP, 12)
    assert (await ran(shop, SLEEP, {"day": "never"})).result is None


async def test_the_stopping_job_reports_in_its_month_and_stops_after_it(shop: Place) -> None:
    month = await today(shop, "month")
    assert (await ran(shop, STOP, {"month": month})).returned is Returned.SLEEP
    assert "info: Sold so far: $1250" in shop.lab.log
    other = "Jan" if month != "Jan" else "Feb"
    assert (await ran(shop, STOP, {"month": other})).returned is Returned.STOP


async def test_the_exiting_job_ends_with_the_error_of_its_query(shop: Place) -> None:
    assert (await ran(shop, EXIT, {"tbl": "toys"})).returned is Returned.OK
    outcome = await ran(shop, EXIT, {"tbl": "tools"})
    assert (outcome.returned, outcome.result) == (Returned.EXIT, 1146)
    assert any("tools' doesn't exist" in line for line in shop.lab.log)
