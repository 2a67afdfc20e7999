"""Servers that die in the middle of calls: each run ends and says so, and later calls work again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pytest

from tests.faults import cutter
from tests.faults.cutter import Cutter
from tests.faults.scene import PATIENCE_SECONDS, Scene, job_file, opened
from tests.plugins.mailserver import Sink, open_sink
from tests.services import Server, mysql_database, mysql_do

T = TypeVar("T")

#: What jobs do with each server; they are COMPLETE only if it has confirmed.
_WEB = """
  core.sleep(0.02)
  witness.tell("web", run, {port})
"""
_MAIL = """
  local msg = core.email.new()
  msg:to("ops@shop.example")
  msg:subject(run.data.token)
  msg:text("a word")
  assert(msg:send())
"""
_SQL = """
  assert(core.mysql.query("shop", "SELECT SLEEP(0.05)"))
  assert(core.mysql.insert("shop", { tbl = "told", values = { token = run.data.token } }))
"""
_MAIL_SETTINGS = """
[email]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "jobs@shop.example"
timeout = "{seconds}s"
"""
_SQL_SETTINGS = """
[mysql.shop]
url = "mysql://{login}@127.0.0.1:{port}/{database}"
query_timeout = "{seconds}s"
"""


#: A server that dies breaks its connections off, so that nothing waits for so long but on a machine that is
#: busy with other things: there a shorter time would end calls that nobody has cut.
_CALL_SECONDS = 60
_JOB_SETTINGS = f'overlap = "allow", timeout = "{_CALL_SECONDS + 30}s"'


@dataclass(frozen=True, slots=True)
class Service:
    """A server behind a relay that dies.

    Attributes:
        confirmed: returns the tokens of what it has taken.
    """

    job: str
    cutter: Cutter
    confirmed: Callable[[], list[str]]


@contextmanager
def served(seed: int) -> Iterator[tuple[Scene, list[Service]]]:
    """Give a scene with jobs that use a web server, a mail server and, where there is one, MariaDB."""
    with ExitStack() as stack:
        sink = stack.enter_context(_mail_server())
        mail = stack.enter_context(cutter.before(sink.port))
        settings = _MAIL_SETTINGS.format(port=mail.port, seconds=_CALL_SECONDS)
        services = [Service("mail", mail, lambda: [str(one["subject"]) for one in sink.messages])]
        database = stack.enter_context(_told_database())
        if database is not None:
            sql = stack.enter_context(cutter.before(database.port))
            login = f"{database.user}:{database.password}" if database.password else database.user
            settings += _SQL_SETTINGS.format(
                login=login, port=sql.port, database=database.database, seconds=_CALL_SECONDS
            )
            services.append(Service("sql", sql, partial(_told, database)))
        scene = stack.enter_context(opened(seed, settings=settings))
        web = stack.enter_context(cutter.before(scene.witness.port))
        services.append(
            Service("web", web, lambda: [str(one.token) for one in scene.seen() if one.what == "web"])
        )
        bodies = {"mail": _MAIL, "sql": _SQL, "web": _WEB.format(port=web.port)}
        for service in services:
            scene.home.write(service.job, job_file(bodies[service.job], _JOB_SETTINGS))
        scene.served.client.reload()
        yield scene, services


def kill_servers(scene: Scene, services: list[Service], times: int) -> int:
    """Let servers die in the middle of calls, and live again; return how many connections that has cut.

    Raises:
        AssertionError: no call comes to a good end any more.
    """
    with scene.load(jobs=[service.job for service in services]):
        for _ in scene.progress.through("servers struck", range(times), times):
            victim = scene.chance.choice(services)
            scene.pass_time(scene.chance.uniform(0.1, 0.5))
            victim.cutter.die()
            scene.pass_time(scene.chance.uniform(0.0, 0.3))
            victim.cutter.live()
            scene.serves(victim.job)
    return sum(service.cutter.cut for service in services)


def effects(scene: Scene, services: list[Service]) -> list[str]:
    """Return what servers have taken otherwise than the runs say: a run is COMPLETE only with its effect."""
    found = []
    for service in services:
        confirmed = service.confirmed()
        tokens = [str(run.token) for run in scene.records().runs if run.job == service.job]
        complete = {
            str(run.token)
            for run in scene.records().runs
            if run.job == service.job and run.status == "COMPLETE"
        }
        found += [f"lost: the {service.job} server never had {one}" for one in complete - set(confirmed)]
        found += [
            f"doubled: the {service.job} server has {one} twice"
            for one in set(confirmed)
            if confirmed.count(one) > 1
        ]
        found += [f"invented: the {service.job} server has {one}" for one in set(confirmed) - set(tokens)]
    return found


@contextmanager
def _mail_server() -> Iterator[Sink]:
    with _within_a_loop() as carry_out:
        opening = open_sink()
        sink = carry_out(opening.__aenter__())
        try:
            yield sink
        finally:
            carry_out(opening.__aexit__(None, None, None))


@contextmanager
def _within_a_loop() -> Iterator[Callable[[Coroutine[Any, Any, T]], T]]:
    """Give what carries work out on a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _told_database() -> Iterator[Server | None]:
    with ExitStack() as stack:
        try:
            database = stack.enter_context(mysql_database())
        except pytest.skip.Exception:
            yield None
            return
        mysql_do(database, "CREATE TABLE told (id INT PRIMARY KEY AUTO_INCREMENT, token TEXT)")
        yield database


def _told(database: Server) -> list[str]:
    return mysql_do(database, "SELECT token FROM told").split()
