"""Jobs on real databases: MariaDB, PostgreSQL and SQLite, each test with fresh tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.extensions.plugins import Plugins
from engine.run import Outcome
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from engine.states import RunStatus
from tests.lab import Lab, open_lab, open_pool, plugins_with
from tests.services import Server, mysql_database, pg_database

MODULES = ("mysql", "pg", "sqlite")

TOYS = {
    "mysql": "id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) UNIQUE, stock INT, sold BOOLEAN",
    "pg": "id SERIAL PRIMARY KEY, name VARCHAR(100) UNIQUE, stock INT, sold BOOLEAN",
    "sqlite": "id INTEGER PRIMARY KEY, name VARCHAR(100) UNIQUE, stock INT, sold BOOLEAN",
}


@dataclass
class Place:
    """Jobs that see one database module as `db`, and in it the database `shop`."""

    module: str
    lab: Lab
    home: Path

    async def run(self, body: str, settings: str = "") -> Outcome:
        """Run a job with this body."""
        head = f"local job = core.job {{ {settings} }}\nfunction job.run()\n"
        text = f"{head}local db = core.{self.module}\ndo\n{body}\nend\nreturn job.OK\nend\nreturn job\n"
        return await self.lab.run("query", text)

    async def lua(self, body: str, settings: str = "") -> Any:
        """Run a job that must end well, whose body ends in `return job.OK, value`; return the value."""
        outcome = await self.run(body, settings)
        assert outcome.status is RunStatus.COMPLETE, outcome.error
        assert outcome.result_note is None
        return outcome.result

    async def value(self, expression: str) -> Any:
        """Return what an expression gives, its values as a list (nil as None)."""
        return await self.lua(
            f"local values = table.pack({expression})\n"
            "local list = {}\n"
            "for i = 1, math.max(values.n, 1) do\n"
            "  list[i] = values[i] == nil and core.NULL or values[i]\n"
            "end\n"
            "return job.OK, list"
        )

    async def one(self, expression: str) -> Any:
        """Return the first value of an expression; there may be no error."""
        values = await self.value(expression)
        assert values[1:] == [] or values[0] is not None, values
        return values[0]

    async def fails(self, expression: str, words: str, code: int | None = None) -> None:
        """Make sure that an expression gives nil, a message with these words, and a code."""
        first, message, found = await self.value(expression)
        assert first is None
        assert words in message
        assert code in (None, found), message


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Server]:
    with mysql_database() as server:
        yield server


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Server]:
    with pg_database() as server:
        yield server


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


def settings_of(module: str, request: pytest.FixtureRequest) -> str:
    """Return what stands in moontide.toml below the name of a database."""
    if module == "sqlite":
        return 'file = "shop.db"'
    server: Server = request.getfixturevalue(f"{module}_server")
    return f'url = "{server.url}"'


@pytest_asyncio.fixture(loop_scope="package")
async def place(
    request: pytest.FixtureRequest, workers: tuple[WorkerPool, Plugins], tmp_path: Path
) -> AsyncIterator[Place]:
    """The module that the test is parametrised with; without, its file's own (`MODULE`)."""
    module = getattr(request, "param", None) or request.module.MODULE
    more = getattr(request.module, "SETTINGS", "")
    home = tmp_path / "home"
    home.mkdir()
    own = settings_of(module, request)
    text = f"[{module}.shop]\n{own}\n[{module}.small]\n{own}\nmax_rows = 3\nquery_timeout = 0.3\n{more}"
    (home / "moontide.toml").write_text(text, "utf-8")
    pool, plugins = workers
    async with open_lab(pool, plugins, tmp_path, tmp_path, home=home, settings=load_settings(home)) as lab:
        yield Place(module, lab, home)


@pytest_asyncio.fixture(loop_scope="package")
async def toys(place: Place) -> Place:
    """A place with three toys: ball (5, not sold), kite (0, sold), bear (0, not sold)."""
    await place.lua(
        f"assert(db.query('shop', 'DROP TABLE IF EXISTS toys'))\n"
        f"assert(db.query('shop', 'CREATE TABLE toys ({TOYS[place.module]})'))\n"
        "assert(#db.insertMany('shop', { tbl = 'toys', records = {\n"
        "  { name = 'ball', stock = 5, sold = false },\n"
        "  { name = 'kite', stock = 0, sold = true },\n"
        "  { name = 'bear', stock = 0, sold = false },\n"
        "}}) == 3)"
    )
    return place
