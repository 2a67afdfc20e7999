"""A real engine in this process, on a home folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.desks.desk import Desk
from engine.events import Event, RunFinished
from engine.service import Engine
from engine.settings import load_settings
from engine.states import FINAL, RunStatus
from engine.times.clock import Clock
from engine.views import RunView
from tests.homebases import Homebase, make_homebase

ACTOR = "tester@here via test"


class Bench:
    """An engine with what tests ask of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.heard: list[Event] = []
        engine.events.subscribe(self.heard.append)

    @property
    def desk(self) -> Desk:
        return self.engine.desk

    @property
    def jobs_folder(self) -> Path:
        return self.engine.home / "jobs"

    @property
    def base(self) -> Homebase:
        """Where the engine keeps its runs."""
        return Homebase.at(self.database_url)

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return load_settings(self.engine.home).database_url(self.engine.home)

    def write(self, name: str, text: str) -> None:
        """Put a job file in its place."""
        path = self.jobs_folder / f"{name}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    async def run(self, name: str, data: Any = None) -> RunView:
        """Run a job and return its finished run."""
        accepted = await self.desk.run_job(name, data=data, actor=ACTOR)
        return await self.finished(accepted.id)

    async def finished(self, run_id: int) -> RunView:
        """Wait until a run has ended and return it."""

        async def ended() -> bool:
            return RunStatus((await self.desk.run(run_id)).status) in FINAL

        await until(ended)
        return await self.desk.run(run_id)

    async def reload(self, name: str | None = None) -> Any:
        """Reload as an operator does."""
        return await self.desk.reload(name, actor=ACTOR)

    def ends(self, job: str) -> list[RunFinished]:
        """Return the ends of a job's runs heard so far."""
        return [event for event in self.heard if isinstance(event, RunFinished) and event.job == job]


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 10) -> None:
    """Wait for a condition, and fail if it does not come true in time."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(0.01)


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def open_bench(tmp_path: Path, database_kind: str, monkeypatch: pytest.MonkeyPatch) -> OpenBench:
    """Start engines on one home, one after another: `async with open_bench({"a": TEXT}) as bench`."""
    for name, value in make_homebase(database_kind, tmp_path).environment.items():
        monkeypatch.setenv(name, value)

    @asynccontextmanager
    async def open_one(
        jobs: dict[str, str] | None = None, toml: str = "", *, clock: Clock | None = None
    ) -> AsyncIterator[Bench]:
        folder = tmp_path / "jobs"
        folder.mkdir(exist_ok=True)
        for name, text in (jobs or {}).items():
            path = folder / f"{name}.lua"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        (tmp_path / "moontide.toml").write_text(toml, "utf-8")
        settings = load_settings(tmp_path)
        engine = Engine(settings, home=tmp_path, clock=clock)
        bench = Bench(engine)
        await engine.start()
        try:
            yield bench
        finally:
            await engine.stop()

    return open_one
