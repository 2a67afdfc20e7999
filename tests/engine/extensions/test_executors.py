"""Executors carry runs out; whatever a plugin's one does, each run ends with an outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from engine import service
from engine.errors import PluginError, SettingsError
from engine.extensions import executors
from engine.extensions.plugins import Plugins, find_plugins, load_plugins
from engine.service import Engine
from engine.settings import settings_from
from engine.views import RunView
from tests.engine.conftest import ACTOR, Bench, until
from tests.engine.extensions.test_plugins import stranger
from tests.engine.strangers.executors import CLOSED

JOB = """
local job = core.job { every = "1h", on_error = "continue", timeout = "%s" }
function job.run(run)
  core.log("hello")
  if run.data.sleep then core.sleep(60) end
  return job.OK, { got = run.data }
end
return job
"""

Open = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def open_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Start an engine whose settings choose an executor, with the stranger's ones among its plugins."""

    def load(*args: object, **more: object) -> Plugins:
        return load_plugins(candidates=[*find_plugins(), stranger("executors")])

    monkeypatch.setattr(service, "load_plugins", load)

    @asynccontextmanager
    async def opened(executor: str, limit: str = "1h") -> AsyncIterator[Bench]:
        (tmp_path / "jobs").mkdir()
        (tmp_path / "jobs/report.lua").write_text(JOB % limit, "utf-8")
        engine = Engine(settings_from({"executor": executor}), home=tmp_path)
        bench = Bench(engine)
        await engine.start()
        try:
            yield bench
        finally:
            await engine.stop()

    return opened


async def ended(open_with: Open, executor: str, limit: str = "1h") -> RunView:
    async with open_with(executor, limit) as bench:
        return await bench.run("report", {"n": [1, 2.5, "x"]})


async def test_a_request_and_its_outcome_can_be_sent_elsewhere(open_with: Open) -> None:
    async with open_with("wire") as bench:
        run = await bench.run("report", {"n": [1, 2.5, "x"]})
        log = [line.text for line in await bench.desk.log(run.id)]
    assert (run.status, run.returned, run.result) == ("COMPLETE", "OK", {"got": {"n": [1, 2.5, "x"]}})
    assert log == ["sent", "hello"]
    assert CLOSED[-1] == "wire"


async def test_a_run_elsewhere_is_cancelled(open_with: Open) -> None:
    async with open_with("wire") as bench:
        run = await bench.desk.run_job("report", data={"sleep": True}, actor=ACTOR)
        await until(lambda: bench.desk.job("report").activity == "running")
        cancelled = await bench.desk.cancel(run.id, actor=ACTOR)
    assert cancelled.status == "CANCELLED"


@pytest.mark.parametrize(
    ("executor", "words"),
    [
        ("raising", "failed; the engine's log says more"),
        ("nothing", "no outcome"),
        ("unfinished", "no outcome"),
    ],
)
async def test_what_is_no_outcome_is_a_crash_that_names_the_plugin(
    open_with: Open, executor: str, words: str
) -> None:
    run = await ended(open_with, executor)
    assert run.status == "CRASHED"
    assert f"the executor {executor} of plugin executors" in (run.error or "")
    assert words in (run.error or "")


async def test_a_result_that_is_no_plain_data_is_replaced_by_a_note(open_with: Open) -> None:
    run = await ended(open_with, "odd")
    assert (run.status, run.result) == ("COMPLETE", None)
    assert "no plain data" in (run.result_note or "")


async def test_a_run_that_is_not_ended_is_ended_at_its_limit(
    open_with: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "GRACE_SECONDS", 0.1)
    run = await ended(open_with, "stuck", limit="100ms")
    assert run.status == "TIMEOUT"
    assert "did not end the run at its limit" in (run.error or "")


async def test_a_run_that_does_not_heed_its_cancelling_is_cancelled(
    open_with: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "GRACE_SECONDS", 0.1)
    async with open_with("stuck") as bench:
        run = await bench.desk.run_job("report", actor=ACTOR)
        await until(lambda: bench.desk.job("report").activity == "running")
        cancelled = await bench.desk.cancel(run.id, actor=ACTOR)
    assert (cancelled.status, cancelled.error) == ("CANCELLED", f"cancelled by {ACTOR}")


async def test_the_engines_own_executor_keeps_its_name(open_with: Open) -> None:
    async with open_with("local") as bench:
        run = await bench.run("report")
        [view] = [view for view in bench.desk.plugins() if view.name == "executors"]
    assert run.status == "COMPLETE"
    assert view.reason == "the executor local is taken already; this plugin's one is not used"


async def test_an_unknown_executor_stops_the_start_with_the_known_ones(open_with: Open) -> None:
    with pytest.raises(SettingsError, match=r'executor = "moon": no loaded plugin .* local, nothing, odd'):
        await ended(open_with, "moon")


async def test_an_executor_that_does_not_open_stops_the_start(open_with: Open) -> None:
    with pytest.raises(PluginError, match="absent of plugin executors could not be opened: RuntimeError: no"):
        await ended(open_with, "absent")
