"""The five programs of the guide in a real engine: repeat, run once, sleep, stop, exit; on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.views import RunView
from tests.e2e.conftest import Home, Served, home
from tests.e2e.processes import until
from tests.plugins.mailserver import HOST, open_sink
from tests.plugins.sql.test_guide import EXIT, RECURRING, SLEEP
from tests.plugins.test_sales_mail import ALL_MONTHS
from tests.plugins.test_sales_mail import JOB as STOP
from tests.plugins.web import Seen, Send, Web, answer, serve
from tests.services import Server, mysql_database, mysql_do

__all__ = ["home"]

RUN_ONCE = """
local job = core.job { every = "1s", run_once = true, description = "Fetch the settings of the day" }

function job.run()
  local settings, err, code = core.network.getJson("URL")
  if not settings then
    core.log(err)
    return job.EXIT
  end

  local conf = core.data("config")
  settings._id = "today"
  local id, problem = conf:save(settings)
  if not id then
    core.log(problem)
    return job.EXIT
  end
  return job.OK, conf:get(id)
end

return job
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with mysql_database() as server:
        for sql in (
            "CREATE TABLE toys (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), stock INT,"
            " sold_out BOOLEAN DEFAULT false)",
            "INSERT INTO toys (name, stock) VALUES ('red unicycle', 0)",
            "CREATE TABLE status (no_sales BOOLEAN)",
            "INSERT INTO status VALUES (false), (false), (true)",
            "CREATE TABLE sales (id INT PRIMARY KEY, total INT, closed BOOLEAN)",
            "INSERT INTO sales VALUES (1, 4200, false)",
        ):
            mysql_do(server, sql)
        yield server


async def settings_of_the_day(seen: Seen, send: Send, web: Web) -> None:
    await send(answer(200, b'{"theme": "dark", "limit": 5}', Content_Type="application/json"))


async def test_the_five_programs_of_the_guide_end_as_the_guide_says(home: Home, shop: Server) -> None:
    async with open_sink() as sink, serve(settings_of_the_day) as web:
        home.settings(
            f'[mysql.shop]\nurl = "{shop.url}"\n[network]\nallow = ["{HOST}:{web.port}"]\n'
            f'[email]\nhost = "{HOST}"\nport = {sink.port}\ntls = "none"\n'
        )
        programs = {"recurring": RECURRING, "sleep": SLEEP, "stop": STOP, "exit": EXIT}
        for name, text in {**programs, "once": RUN_ONCE.replace("URL", web.url("/today"))}.items():
            home.write(name, text)
        await asyncio.to_thread(run_them, home)
        assert [seen.path for seen in web.seen] == ["/today"]
        assert [message.get_content() for message in sink.messages] == ["Sold for $4200\r\n"]
    assert mysql_do(shop, "SELECT sold_out FROM toys") == "1\n"
    assert mysql_do(shop, "SELECT COUNT(*) FROM status WHERE no_sales") == "3\n"


def run_them(home: Home) -> None:
    with home.serving() as engine:
        (once,) = engine.ends("once", 1)
        assert told(once) == ("COMPLETE", "OK", {"_id": "today", "theme": "dark", "limit": 5})
        until(lambda: engine.client.job("once").status == "ONCE DONE")
        assert ended(engine, "recurring") == ("COMPLETE", "OK", 1, "WAITING")
        today = datetime.now(UTC).strftime("%a")
        assert ended(engine, "sleep", {"day": today}) == ("COMPLETE", "SLEEP", 2, "SLEEPING")
        assert ended(engine, "stop", ALL_MONTHS) == ("COMPLETE", "SLEEP", None, "SLEEPING")
        assert ended(engine, "stop", {}) == ("COMPLETE", "STOP", None, "STOPPED")
        assert ended(engine, "exit", {"tbl": "tools"}) == ("COMPLETE", "EXIT", 1146, "INACTIVE")
        assert [run.id for run in engine.client.runs(job="once")] == [once.id]


def told(run: RunView) -> tuple[str, str | None, object]:
    assert run.error is None
    return run.status, run.returned, run.result


def ended(engine: Served, job: str, data: object = None) -> tuple[object, ...]:
    run = engine.run(job, data)
    return *told(run), engine.client.job(job).status
