"""A job that mails sales from a database in some months, and stops in the others, on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from engine.settings import load_settings
from engine.states import Returned, RunStatus
from tests.lab import Lab, open_lab, open_pool, plugins_with
from tests.plugins.mailserver import HOST, Sink, open_sink
from tests.services import Server, mysql_database, mysql_do

JOB = """
local job = core.job { every = "1d" }

function job.run(run)
  if not run.data[job.month()] then return job.STOP end

  local sales, problem = core.mysql.selectOne("shop", {
    tbl = "sales",
    columns = { total },
    where = { closed = false },
  })
  if not sales then
    core.log(problem)
    return job.EXIT
  end

  local letter = core.email.new()
  letter:to("boss@shop.example")
  letter:from("jobs@shop.example")
  letter:subject("Sold this month")
  letter:body("Sold for $" .. sales.total)

  local sent, reason = letter:send()
  if not sent then
    core.log(reason)
    return job.OK
  end
  return job.SLEEP
end

return job
"""

ALL_MONTHS = {date(2025, month, 1).strftime("%b"): True for month in range(1, 13)}


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with mysql_database() as server:
        mysql_do(server, "CREATE TABLE sales (id INT PRIMARY KEY, total INT, closed BOOLEAN)")
        mysql_do(server, "INSERT INTO sales VALUES (1, 99, TRUE), (2, 4200, FALSE)")
        yield server


@pytest_asyncio.fixture
async def sink() -> AsyncIterator[Sink]:
    async with open_sink() as sink:
        yield sink


@pytest_asyncio.fixture
async def lab(shop: Server, sink: Sink, tmp_path: Path) -> AsyncIterator[Lab]:
    mail = f'host = "{HOST}"\nport = {sink.port}\ntls = "none"\ntimeout = "200ms"\nretry_delay = "20ms"\n'
    (tmp_path / "moontide.toml").write_text(f'[mysql.shop]\nurl = "{shop.url}"\n[email]\n{mail}', "utf-8")
    plugins = plugins_with()
    async with (
        open_pool(plugins) as pool,
        open_lab(pool, plugins, tmp_path, tmp_path, settings=load_settings(tmp_path)) as lab,
    ):
        yield lab


async def test_the_sum_is_mailed_and_the_job_sleeps_a_day(lab: Lab, sink: Sink) -> None:
    outcome = await lab.run("sales", JOB, ALL_MONTHS)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    assert outcome.returned is Returned.SLEEP, lab.log
    (message,) = sink.messages
    assert (message["To"], message["Subject"]) == ("boss@shop.example", "Sold this month")
    assert message.get_content() == "Sold for $4200\r\n"


async def test_in_the_other_months_nothing_is_mailed_and_the_job_stops(lab: Lab, sink: Sink) -> None:
    outcome = await lab.run("sales", JOB, {})
    assert outcome.returned is Returned.STOP
    assert sink.connections == 0


async def test_a_mail_that_is_not_sent_is_logged_and_the_job_goes_on(lab: Lab, sink: Sink) -> None:
    sink.replies["boss@shop.example"] = ["550 Nobody here"]
    outcome = await lab.run("sales", JOB, ALL_MONTHS)
    assert outcome.returned is Returned.OK
    assert any("550 Nobody here" in line for line in lab.log)
    assert sink.envelopes == []
