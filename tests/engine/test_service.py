"""The engine as a whole, in this process: from a request to a committed row."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import DatabaseInUse, HomeInUse, JobNotFound, Refused, SettingsError
from engine.events import EngineStateChanged, RunFinished, RunLogged, RunQueued, RunStarted
from engine.service import Engine
from engine.settings import load_settings
from tests.engine.conftest import ACTOR, Bench, OpenBench, until


def job(body: str, settings: str = "") -> str:
    """Return a job file with this body."""
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


OK = job("return job.OK")


async def test_a_run_is_recorded_with_its_result_and_log(open_bench: OpenBench) -> None:
    async with open_bench(
        {"a": job('core.log("hello", { 1, 2 })\nreturn job.OK, { answer = run.data.n + 1 }')}
    ) as bench:
        run = await bench.run("a", {"n": 41})
        log = await bench.desk.log(run.id)
    assert (run.status, run.returned, run.result, run.trigger) == ("COMPLETE", "OK", {"answer": 42}, "manual")
    assert run.started is not None
    assert run.finished is not None
    assert [line.text for line in log] == ["hello {1, 2}"]
    assert run.log_lines == 1


async def test_events_tell_a_run_from_its_start_to_its_end(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('core.log("x") return job.OK')}) as bench:
        run = await bench.run("a")
        await until(lambda: any(isinstance(event, RunFinished) for event in bench.heard))
    kinds = [type(event) for event in bench.heard if getattr(event, "run", None) == run.id]
    assert kinds == [RunStarted, RunLogged, RunFinished]


async def test_a_schedule_makes_runs_and_the_next_due_time_moves_on(open_bench: OpenBench) -> None:
    async with open_bench({"tick": job("return job.OK", 'every = "1s"')}) as bench:
        await until(lambda: len(bench.ends("tick")) >= 2)
        runs = await bench.desk.runs(job="tick")
    first, second = sorted(run.due for run in runs)[:2]
    assert (second - first).total_seconds() == 1
    assert {run.trigger for run in runs} == {"schedule"}


async def test_run_at_start_runs_at_once(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.OK", 'every = "1h", run_at_start = true')}) as bench:
        await until(lambda: len(bench.ends("a")) == 1)
        run = (await bench.desk.runs(job="a"))[0]
    assert (run.trigger, run.status) == ("start", "COMPLETE")


async def test_a_later_start_writes_the_rows_of_changed_jobs_only(open_bench: OpenBench) -> None:
    settings = 'cron = { "0 5 1 1 *", "0 6 1 1 *" }, tags = { team = "shop" }, groups = { "night" }'
    texts = {"changed": OK, "idle": OK, "every": job("return job.OK", 'every = "12h"'), "gone": OK}
    async with open_bench(texts | {"full": job("return job.OK", settings), "ran": OK}) as bench:
        await bench.run("ran")
        before = rows_written(bench)
    (bench.jobs_folder / "gone.lua").unlink()
    async with open_bench({"changed": job("return job.OK", 'every = "6h"')}) as bench:
        after = rows_written(bench)
        assert {bench.desk.job(name).status for name in ("changed", "every", "full")} == {"WAITING"}
    ours = {name for name in before if not name.startswith("moontide/")}
    assert ours == {*texts, "full", "ran"}
    assert {name for name in ours if after[name] != before[name]} == {"changed", "gone"}


def rows_written(bench: Bench) -> dict[str, object]:
    """Return when each job's row was written last."""
    return dict(bench.base.rows("SELECT name, updated FROM job"))


async def test_runs_beyond_the_pool_wait_and_are_visible(open_bench: OpenBench) -> None:
    sleeper = job("core.sleep(5) return job.OK")
    async with open_bench({"a": sleeper, "b": sleeper}, toml="pool.size = 1") as bench:
        first = await bench.desk.run_job("a", actor=ACTOR)
        second = await bench.desk.run_job("b", actor=ACTOR)
        status = bench.desk.status()
        assert (status.running, status.queued) == (1, 1)
        assert (await bench.desk.run(second.id)).status == "QUEUED"
        assert bench.desk.job("b").activity == "queued"
        await bench.desk.cancel(first.id, actor=ACTOR)
        await until(lambda: bench.desk.job("b").activity == "running")
        await bench.desk.cancel(second.id, actor=ACTOR)
    assert any(isinstance(event, RunQueued) and event.run == second.id for event in bench.heard)


async def test_cancelling_a_queued_run_ends_it_without_running(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("core.sleep(5) return job.OK")}) as bench:
        first = await bench.desk.run_job("a", actor=ACTOR)
        second = await bench.desk.run_job("a", actor=ACTOR)
        cancelled = await bench.desk.cancel(second.id, actor=ACTOR)
        await bench.desk.cancel(first.id, actor=ACTOR)
    assert (cancelled.status, cancelled.started) == ("CANCELLED", None)
    assert cancelled.error == f"cancelled by {ACTOR}"


async def test_cancelling_an_ended_run_is_refused(open_bench: OpenBench) -> None:
    async with open_bench({"a": OK}) as bench:
        run = await bench.run("a")
        with pytest.raises(Refused, match="has ended already"):
            await bench.desk.cancel(run.id, actor=ACTOR)


async def test_a_cancelled_run_is_not_the_jobs_failure(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("core.sleep(5) return job.OK", 'every = "1h"')}) as bench:
        before = bench.desk.job("a")
        run = await bench.desk.run_job("a", actor=ACTOR)
        await bench.desk.cancel(run.id, actor=ACTOR)
        after = bench.desk.job("a")
    assert (after.status, after.next_run, after.active) == ("WAITING", before.next_run, True)


async def test_an_error_deactivates_only_the_job_that_made_it(open_bench: OpenBench) -> None:
    async with open_bench({"bad": job("local x = nil; return x.y", 'every = "1h"'), "good": OK}) as bench:
        run = await bench.run("bad")
        bad, good = bench.desk.job("bad"), bench.desk.job("good")
    assert run.status == "ERROR"
    assert "bad.lua:3:" in (run.error or "")
    assert (bad.status, bad.active, bad.next_run) == ("INACTIVE", False, None)
    assert bad.error == run.error
    assert good.status == "WAITING"


async def test_reactivation_needs_a_reload(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.EXIT", 'every = "1h"')}) as bench:
        await bench.run("a")
        activated = await bench.desk.activate("a", actor=ACTOR)
        assert (activated.status, activated.active, activated.next_run) == ("INACTIVE", True, None)
        view = await bench.reload()
        assert view.revived == ["a"]
        assert bench.desk.job("a").status == "WAITING"
        assert bench.desk.job("a").next_run is not None


async def test_stop_is_revived_by_a_reload(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.STOP", 'every = "1h"')}) as bench:
        await bench.run("a")
        stopped = bench.desk.job("a")
        assert (stopped.status, stopped.active, stopped.next_run) == ("STOPPED", True, None)
        await bench.reload()
        assert bench.desk.job("a").status == "WAITING"


async def test_a_reload_keeps_the_remaining_time_and_a_restart_too(open_bench: OpenBench) -> None:
    text = job("return job.OK", 'every = "1h"')
    async with open_bench({"a": text}) as bench:
        first = bench.desk.job("a").next_run
        await bench.reload()
        assert bench.desk.job("a").next_run == first
    async with open_bench({"a": text}) as bench:
        assert bench.desk.job("a").next_run == first


async def test_a_bad_file_is_invalid_until_a_reload_finds_it_good(open_bench: OpenBench) -> None:
    async with open_bench({"a": "local job = core.job {", "b": OK}) as bench:
        invalid = bench.desk.job("a")
        assert invalid.status == "INVALID"
        assert "a.lua:1:" in invalid.reason
        with pytest.raises(Refused):
            await bench.desk.run_job("a", actor=ACTOR)
        bench.write("a", OK)
        await bench.reload("a")
        assert bench.desk.job("a").status == "WAITING"
        assert (await bench.run("a")).status == "COMPLETE"


async def test_code_is_taken_from_the_file_at_each_run(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.OK, 1")}) as bench:
        first = await bench.run("a")
        bench.write("a", job("return job.OK, 22"))
        second = await bench.run("a")
    assert (first.result, second.result) == (1, 22)
    assert first.source_hash != second.source_hash


async def test_a_file_that_is_gone_when_due_deactivates_the_job(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.OK", 'every = "1h"')}) as bench:
        (bench.jobs_folder / "a.lua").unlink()
        run = await bench.run("a")
        gone = bench.desk.job("a")
        assert (run.status, gone.status) == ("ERROR", "INACTIVE")
        assert "missing" in (gone.error or "")
        view = await bench.reload()
        assert view.removed == ["a"]
        with pytest.raises(JobNotFound):
            bench.desk.job("a")


async def test_saved_data_is_there_for_the_next_run(open_bench: OpenBench) -> None:
    body = """
      local store = core.data("counter")
      local found = store:get({ name = "a" }) or { name = "a", count = 0 }
      found.count = found.count + 1
      assert(store:save(found))
      return job.OK, found.count"""
    async with open_bench({"a": job(body)}) as bench:
        results = [(await bench.run("a")).result for _ in range(3)]
    assert results == [1, 2, 3]


async def test_stopping_ends_runs_that_take_too_long_as_cancelled(open_bench: OpenBench) -> None:
    async with open_bench(
        {"a": job("core.sleep(60) return job.OK")}, toml='engine.stop_after = "1s"'
    ) as bench:
        run = await bench.desk.run_job("a", actor=ACTOR)
    async with open_bench() as bench:
        ended = await bench.desk.run(run.id)
        assert (ended.status, ended.error) == ("CANCELLED", "the engine was stopped")
        assert bench.desk.job("a").status == "WAITING"


async def test_a_second_engine_on_the_same_home_is_refused(open_bench: OpenBench) -> None:
    async with open_bench() as bench:
        second = Engine(load_settings(bench.engine.home), home=bench.engine.home)
        with pytest.raises(HomeInUse, match="already runs"):
            await second.start()
        assert bench.desk.status().state == "Running"


# The file's name, by whichever way; engines on one server have tests of their own in `engine/store`.
@pytest.mark.sqlite_only
async def test_an_engine_of_another_home_on_the_same_file_is_refused(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    async with open_bench() as bench:
        database, other = bench.engine.home / "moontide.db", tmp_path / "other"
        (other / "jobs").mkdir(parents=True)
        (tmp_path / "link.db").symlink_to(database)
        for path in (database, tmp_path / "link.db"):
            (other / "moontide.toml").write_text(f'database = "sqlite:///{path}"')
            second = Engine(load_settings(other), home=other)
            with pytest.raises(DatabaseInUse) as refused:
                await second.start()
            assert f"{database} (process {os.getpid()} in {bench.engine.home})" in str(refused.value)
        assert bench.desk.status().state == "Running"
    await second.start()
    assert second.desk.status().state == "Running"
    await second.stop()


async def test_a_waiting_scheduled_run_is_skipped_when_its_job_stops(open_bench: OpenBench) -> None:
    text = job("core.sleep(2.5) return job.STOP", 'every = "1s"')
    async with open_bench({"a": text}) as bench:
        await until(lambda: len(bench.ends("a")) >= 2)
        statuses = [(event.status, event.error) for event in bench.ends("a")]
    reason = (
        "the job went STOPPED while this run waited: job.STOP returned; runs again after a reload or restart"
    )
    assert ("SKIPPED", reason) in statuses


async def test_operators_actions_are_audited(open_bench: OpenBench) -> None:
    async with open_bench({"a": OK}) as bench:
        await bench.desk.deactivate("a", actor=ACTOR)
        entries = await bench.desk.audit.entries(target="a")
    assert [(e.actor, e.origin, e.action, e.before, e.after) for e in entries] == [
        ("tester@here", "test", "deactivate", "WAITING", "INACTIVE")
    ]


async def test_the_engine_tells_its_states_in_order(open_bench: OpenBench) -> None:
    async with open_bench() as bench:
        await bench.reload()
    states = [event.state for event in bench.heard if isinstance(event, EngineStateChanged)]
    assert states == ["Running", "Reloading", "Running", "Draining", "Stopped"]


async def test_a_wall_that_does_not_exist_cannot_be_allowed_to_be_missing(open_bench: OpenBench) -> None:
    with pytest.raises(SettingsError, match=r"no wall is called moat; there are .*seccomp"):
        async with open_bench(toml='sandbox.allow_missing = ["moat"]'):
            pass


async def test_what_comes_is_told_by_the_engine(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.OK", 'every = "1h"'), "b": OK}) as bench:
        coming = bench.desk.coming(job=None, since=None, count=3)
        assert sorted(view.job for view in coming[:2]) == ["a", "moontide/cleanup"]
        assert next(view.due for view in coming if view.job == "a") == bench.desk.job("a").next_run
        with pytest.raises(JobNotFound):
            bench.desk.coming(job="c", since=None, count=2)


async def test_a_run_that_is_replaced_is_cancelled_and_the_later_one_runs(open_bench: OpenBench) -> None:
    text = job("core.sleep(30) return job.OK", 'every = "1s", overlap = "replace"')
    async with open_bench({"a": text}) as bench:
        await until(lambda: len(bench.ends("a")) >= 2)
        ends = {(event.status, event.error) for event in bench.ends("a")}
        assert bench.desk.job("a").status == "WAITING"
    assert ends == {("CANCELLED", "replaced by a later run of the job")}


async def test_jobs_that_may_overlap_run_beside_themselves(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("core.sleep(30) return job.OK", 'overlap = "allow"')}) as bench:
        runs = [await bench.desk.run_job("a", actor=ACTOR) for _ in range(3)]
        assert bench.desk.status().running == 3
        for run in runs:
            await bench.desk.cancel(run.id, actor=ACTOR)


async def test_a_tag_may_limit_how_many_runs_go_on_at_once(open_bench: OpenBench) -> None:
    text = job("core.sleep(30) return job.OK", 'tags = { team = "shop" }')
    async with open_bench(dict.fromkeys("abc", text), toml="limits.tags.shop = 2") as bench:
        runs = [await bench.desk.run_job(name, actor=ACTOR) for name in "abc"]
        assert (bench.desk.status().running, bench.desk.status().queued) == (2, 1)
        for run in runs:
            await bench.desk.cancel(run.id, actor=ACTOR)


async def test_a_higher_priority_goes_first_among_those_that_wait(open_bench: OpenBench) -> None:
    slow, quick = job("core.sleep(30) return job.OK"), job("return job.OK")
    jobs = {"slow": slow, "low": quick, "high": job("return job.OK", "priority = 5")}
    async with open_bench(jobs, toml="pool.size = 1") as bench:
        first = await bench.desk.run_job("slow", actor=ACTOR)
        low = await bench.desk.run_job("low", actor=ACTOR)
        high = await bench.desk.run_job("high", actor=ACTOR)
        await bench.desk.cancel(first.id, actor=ACTOR)
        ended = [await bench.finished(run.id) for run in (low, high)]
    low_started, high_started = (run.started for run in ended)
    assert high_started is not None
    assert low_started is not None
    assert high_started < low_started


async def test_an_error_in_a_file_with_a_long_name_still_has_its_line(open_bench: OpenBench) -> None:
    name = "/".join(["a_folder_with_quite_a_long_name"] * 3) + "/report"
    async with open_bench({name: "local job = core.job()\n\nlocal x = = 1\n"}) as bench:
        problem = (await bench.desk.check(None))[0]
        reason = bench.desk.job(name).reason
    assert problem.line == 3
    assert "report.lua:3:" in reason


async def test_a_job_that_takes_its_globals_away_can_still_use_modules(open_bench: OpenBench) -> None:
    body = """
      for name in pairs(_G) do if name ~= "core" and name ~= "_G" then _G[name] = nil end end
      core.log("still", { 1 }, "here")
      return job.OK, (core.data("notes"):save({ text = "kept" }))"""
    async with open_bench({"a": job(body)}) as bench:
        run = await bench.run("a")
        log = await bench.desk.log(run.id)
    assert run.status == "COMPLETE", run.error
    assert len(run.result) == 24
    assert [line.text for line in log] == ["still {1} here"]
