"""A pool with three small core modules, and a host that remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from engine.calls.core import ModuleManifest
from engine.errors import CoreError, JobFileError
from engine.run import Limits
from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import Ending, Program

LOG_FACADE = """
local native, sandbox = ...
return function(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = sandbox.text((select(i, ...))) end
  native.write("info", table.concat(parts, " "))
end
"""

MODULES = (
    ModuleManifest("log", (), ("write",), LOG_FACADE),
    ModuleManifest(
        "test", ("echo", "fail", "break_down", "wait", "answer", "keep", "hold"), (), None, ("keep", "hold")
    ),
)


class RememberingHost:
    """Answers the calls of the module `test` and keeps everything that it hears."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any]]] = []
        self.notices: list[tuple[str, list[Any]]] = []
        self.libraries: dict[str, bytes] = {}
        self.answer: Any = None
        self.waiting = asyncio.Event()
        self.abandoned = False

    @property
    def lines(self) -> list[str]:
        return [args[1] for method, args in self.notices if method == "log.write"]

    async def call(self, method: str, args: list[Any]) -> list[Any]:
        self.calls.append((method, args))
        match method:
            case "test.echo":
                return args
            case "test.answer":
                return [self.answer]
            case "test.fail":
                raise CoreError("core.test.fail: it is Monday", 815)
            case "test.keep":
                return []
            case "test.hold" | "test.wait":
                return await self._wait_for_ever()
        raise RuntimeError("a secret of the engine")

    async def _wait_for_ever(self) -> list[Any]:
        self.waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.abandoned = True
            raise
        return []

    def notify(self, method: str, args: list[Any]) -> None:
        self.notices.append((method, args))

    async def require(self, module: str) -> bytes:
        if module not in self.libraries:
            raise JobFileError(f"{module}: there is no such file in jobs/lib")
        return self.libraries[module]


def make_pool(**settings: Any) -> WorkerPool:
    given = {"modules": MODULES, "memory_ceiling_bytes": 2**28, "cpu_ceiling_seconds": 60.0, "warm": 1}
    return WorkerPool(**{**given, **settings})


def program(source: str | bytes, *, timezone: str = "UTC", context: Any = None, **limits: Any) -> Program:
    text = source.encode() if isinstance(source, str) else source
    return Program("shop/report.lua", text, context or {}, timezone, Limits(**limits))


def job(body: str) -> str:
    """A whole job file around the body of `run`, in which line 1 is the body's first line."""
    return f"local job = core.job() function job.run(run) {body}\nend return job"


Run = Callable[..., Awaitable[Ending]]


@pytest.fixture
def host() -> RememberingHost:
    return RememberingHost()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = make_pool()
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
def run_file(pool: WorkerPool, host: RememberingHost) -> Run:
    """Run a whole job file."""

    async def run(source: str | bytes, **settings: Any) -> Ending:
        return await pool.run(program(source, **settings), host)

    return run


@pytest.fixture
def run(run_file: Run) -> Run:
    """Run a job of which only the body of `job.run` is given."""

    async def run_body(body: str, **settings: Any) -> Ending:
        return await run_file(job(body), **settings)

    return run_body


@pytest.fixture
def value_of(run: Run) -> Callable[[str], Awaitable[Any]]:
    """Evaluate a Lua expression inside of a run."""

    async def evaluate(expression: str, **settings: Any) -> Any:
        ending = await run(f"return job.OK, {{ ({expression}) }}", **settings)
        assert ending.error is None, ending.error
        assert ending.result_note is None, ending.result_note
        return ending.result[0] if ending.result else None

    return evaluate
