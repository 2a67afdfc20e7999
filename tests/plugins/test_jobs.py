"""core.jobs: a job runs others, now and later, in a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.states import RunStatus
from engine.views import RunView
from tests.engine.conftest import ACTOR, Bench, OpenBench, open_bench, until

__all__ = ["open_bench"]

ECHO = """
local job = core.job()
function job.run(run)
  return job.OK, { data = run.data, trigger = run.trigger, user = run.user_id }
end
return job
"""

SLEEPER = "local job = core.job()\nfunction job.run() core.sleep(600) return job.OK end\nreturn job"


def caller(body: str, settings: str = "") -> str:
    """Return a job whose result is what `body` returns, and whose data is `run.data`."""
    return (
        f"local job = core.job {{ {settings} }}\n"
        f"local function work(run) {body} end\n"
        "function job.run(run) return job.OK, { work(run) } end\nreturn job"
    )


async def call(bench: Bench, body: str, data: Any = None, settings: str = "") -> Any:
    """Run some Lua in a job and return the values that it returned."""
    bench.write("caller", caller(body, settings))
    await bench.reload()
    run = await bench.run("caller", data)
    assert run.status == "COMPLETE", run.error
    return run.result


async def planned(bench: Bench) -> list[RunView]:
    return await bench.desk.runs(status=RunStatus.PLANNED)


async def test_now_runs_a_job_with_data_and_returns_the_runs_id(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        (run_id,) = await call(bench, 'return core.jobs.now("echo", { toy = "kite", sizes = { 1, 2 } })')
        run = await bench.finished(run_id)
        parent = (await bench.desk.runs(job="caller"))[0]
    assert run.result == {"data": {"toy": "kite", "sizes": [1, 2]}, "trigger": "call", "user": 0}
    assert (run.trigger, run.called_by, run.rescheduled_from) == ("call", parent.id, None)


async def test_the_user_of_a_run_is_that_of_the_runs_it_asks_for(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO, "caller": caller('return core.jobs.now("echo")')}) as bench:
        accepted = await bench.desk.run_job("caller", user_id=7, actor=ACTOR)
        run_id = (await bench.finished(accepted.id)).result[0]
        assert (await bench.finished(run_id)).result == {"data": {}, "trigger": "call", "user": 7}


async def test_a_job_that_runs_itself_does_not_wait_for_itself(open_bench: OpenBench) -> None:
    body = (
        'if run.data.left == 0 then return 0 end return core.jobs.now("caller", { left = run.data.left - 1 })'
    )
    async with open_bench({"caller": caller(body)}) as bench:
        run = await bench.run("caller", {"left": 3})
        for _ in range(3):
            run = await bench.finished(run.result[0])
        assert run.result == [0]


async def test_an_unknown_job_is_named_with_the_nearest(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        for function in ('now("ecco")', 'after(1, "ecco")', 'at(0, "ecco")'):
            answer = await call(bench, f"local a, b, c = core.jobs.{function} return tostring(a), b, c")
            assert answer == ["nil", "no job named 'ecco'; did you mean echo?", 804]


async def test_a_job_with_a_bad_file_is_refused_with_the_reason(open_bench: OpenBench) -> None:
    async with open_bench(
        {"bad": "local job = core.job { evry = 1 } function job.run() end return job"}
    ) as bench:
        answer = await call(bench, 'local a, b, c = core.jobs.now("bad") return tostring(a), b, c')
    assert "evry" in answer[1]
    assert answer[2] == 810


async def test_after_runs_a_job_when_the_time_has_passed(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        (run_id,) = await call(bench, 'return core.jobs.after("300ms", "echo", { n = 1 })')
        run = await bench.finished(run_id)
        caller_run = (await bench.desk.runs(job="caller"))[0]
        assert await planned(bench) == []
    assert run.started is not None
    assert caller_run.started is not None
    assert 0.25 <= (run.due - caller_run.started).total_seconds() < 5
    assert run.started >= run.due
    assert run.result["data"] == {"n": 1}
    assert (run.trigger, run.called_by) == ("call", caller_run.id)


async def test_a_planned_run_is_visible_until_it_begins(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        run_id, status = await call(
            bench,
            'local id = core.jobs.after("1h", "echo", { n = 1 }) return id, (core.jobs.status(id))',
        )
        (view,) = await planned(bench)
        assert view == await bench.desk.run(run_id)
        assert await bench.desk.runs(job="other", status=RunStatus.PLANNED) == []
        assert run_id not in [run.id for run in await bench.desk.runs()]
    assert status == "PLANNED"
    assert (view.status, view.job, view.data, view.trigger) == ("PLANNED", "echo", {"n": 1}, "call")
    assert timedelta(minutes=59) < view.due - datetime.now(UTC) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("time", "settings", "due"),
    [
        ('"2031-12-24T18:00:00"', "", "2031-12-24T18:00:00+00:00"),
        ('"2031-12-24 18:00"', 'timezone = "Europe/Berlin"', "2031-12-24T17:00:00+00:00"),
        ('"2031-12-24T18:00:00+05:00"', 'timezone = "Europe/Berlin"', "2031-12-24T13:00:00+00:00"),
        ('"2031-12-24T18:00:00Z"', "", "2031-12-24T18:00:00+00:00"),
        ("1955901600.5", "", "2031-12-24T18:00:00.500000+00:00"),
    ],
)
async def test_at_takes_times_of_the_jobs_zone_with_offset_or_since_1970(
    open_bench: OpenBench, time: str, settings: str, due: str
) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        (run_id,) = await call(bench, f'return core.jobs.at({time}, "echo")', settings=settings)
        assert (await bench.desk.run(run_id)).due == datetime.fromisoformat(due)


async def test_a_time_that_has_passed_means_now(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        (run_id,) = await call(bench, 'return core.jobs.at("2001-01-01T00:00:00", "echo")')
        run = await bench.finished(run_id)
    assert (run.status, run.due.year) == ("COMPLETE", 2001)


@pytest.mark.parametrize(
    ("function", "words", "code"),
    [
        ('at("tomorrow", "echo")', "time must be text such as", 801),
        ('at(1955901600000, "echo")', "more than ten years ahead", 801),
        ('at(-1e300, "echo")', "time must be text such as", 801),
        ('at({}, "echo")', "core.jobs.at: time must be a", 801),
        ('after("soon", "echo")', "'soon' is not a duration", 801),
        ('after(-1, "echo")', "between 0 and ten years", 801),
        ('after("20000d", "echo")', "between 0 and ten years", 801),
        ("after(1)", "core.jobs.after: name must be a string, got nil", 804),
        ("now()", "core.jobs.now: name must be a string, got nil", 804),
        ('now("echo", "\\xff")', "data holds text that is not UTF-8", 801),
        ('now("echo", { ["\\xff"] = 1 })', "data holds text that is not UTF-8", 801),
        ('now("echo", ("x"):rep(2^20 - 4000))', "data is larger than 1 MB", 801),
        ('after("1h", "echo", ("x"):rep(2^20 - 4000))', "data is larger than 1 MB", 801),
        ('now("echo", ("x"):rep(2^20))', "larger than 1 MB", 801),
        ("status(999)", "no run 999", 804),
        ("cancel(999)", "no run 999", 804),
        ('cancel("x")', "core.jobs.cancel: id must be a whole number", 801),
    ],
)
async def test_what_cannot_be_done_is_told(
    open_bench: OpenBench, function: str, words: str, code: int
) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        answer = await call(bench, f"local a, b, c = core.jobs.{function} return tostring(a), b, c")
        assert await planned(bench) == []
    assert answer[0] == "nil"
    assert words in answer[1]
    assert answer[2] == code


async def test_data_of_nearly_1_mb_arrives(open_bench: OpenBench) -> None:
    size = "local job = core.job() function job.run(run) return job.OK, #run.data.text end return job"
    async with open_bench({"size": size}) as bench:
        text = '{ text = ("x"):rep(2^20 - 5000) }'
        run_ids = await call(
            bench, f'return core.jobs.now("size", {text}), core.jobs.after(0.1, "size", {text})'
        )
        assert [(await bench.finished(run_id)).result for run_id in run_ids] == [2**20 - 5000] * 2


async def test_cancel_ends_a_planned_run_on_record(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        run_id, first, second, status = await call(
            bench,
            'local id = core.jobs.after("1h", "echo", { n = 1 }) '
            "return id, core.jobs.cancel(id), core.jobs.cancel(id), (core.jobs.status(id))",
        )
        run = await bench.desk.run(run_id)
        assert await planned(bench) == []
        assert [event.status for event in bench.ends("echo")] == ["CANCELLED"]
    assert (first, second, status) == (True, False, "CANCELLED")
    assert (run.status, run.started, run.data) == ("CANCELLED", None, {"n": 1})
    assert run.error is not None
    assert run.error.startswith("cancelled by job caller in its run")


async def test_cancel_ends_runs_that_wait_or_go_on(open_bench: OpenBench) -> None:
    async with open_bench({"sleeper": SLEEPER}) as bench:
        going = (await bench.desk.run_job("sleeper", actor=ACTOR)).id
        waiting = (await bench.desk.run_job("sleeper", actor=ACTOR)).id
        body = "return core.jobs.cancel(run.data[1]), core.jobs.cancel(run.data[2])"
        assert await call(bench, body, [waiting, going]) == [True, True]
        assert [(await bench.desk.run(run)).status for run in (going, waiting)] == ["CANCELLED"] * 2


async def test_a_run_that_cancels_itself_ends(open_bench: OpenBench) -> None:
    async with open_bench({"caller": caller("return core.jobs.cancel(run.id)")}) as bench:
        assert (await bench.run("caller")).status == "CANCELLED"


async def test_status_tells_how_a_run_ended(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        run = await bench.run("echo")
        status, about = await call(bench, f"return core.jobs.status({run.id})")
    assert status == "COMPLETE"
    assert run.finished is not None
    assert about["finished"] == run.finished.isoformat()
    assert {name: about.get(name) for name in ("id", "job", "trigger", "returned", "error")} == {
        "id": run.id,
        "job": "echo",
        "trigger": "manual",
        "returned": "OK",
        "error": None,
    }


async def test_an_operator_cancels_a_planned_run(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        (run_id,) = await call(bench, 'return core.jobs.after("1h", "echo")')
        view = await bench.desk.cancel(run_id, actor=ACTOR)
    assert (view.status, view.error) == ("CANCELLED", f"cancelled by {ACTOR}")


async def test_planned_runs_survive_a_restart_and_run_at_once_when_their_time_has_passed(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        soon, later = await call(
            bench, 'return core.jobs.after(1.5, "echo", "soon"), core.jobs.after("1h", "echo", "later")'
        )
        parent = (await bench.desk.runs(job="caller"))[0]
        due = (await bench.desk.run(soon)).due
    await until(lambda: datetime.now(UTC) > due)
    async with open_bench() as bench:
        run = await bench.finished(soon)
        assert (run.result["data"], run.trigger, run.called_by) == ("soon", "call", parent.id)
        assert (run.due, run.session) == (due, 2)
        assert [(view.id, view.data) for view in await planned(bench)] == [(later, "later")]
        fresh = await bench.run("echo")
        assert fresh.id > later
    async with open_bench() as bench:
        assert len(await bench.desk.runs(job="echo")) == 2


async def test_a_planned_run_whose_job_is_gone_or_bad_is_skipped_on_record(open_bench: OpenBench) -> None:
    async with open_bench({"gone": ECHO, "bad": ECHO}) as bench:
        ids = await call(bench, 'return core.jobs.after(0.5, "gone"), core.jobs.after(0.5, "bad")')
        (bench.jobs_folder / "gone.lua").unlink()
        bench.write("bad", "this is no Lua")
        await bench.reload()
        gone, bad = [await bench.finished(run_id) for run_id in ids]
        assert await planned(bench) == []
    assert (gone.status, gone.error) == ("SKIPPED", "there was no job gone any more when this run was due")
    assert bad.status == "SKIPPED"
    assert "could not run when this run was due" in (bad.error or "")


async def test_the_row_of_a_planned_run_makes_way_for_the_runs(open_bench: OpenBench) -> None:
    async with open_bench({"sleeper": SLEEPER}) as bench:
        ids = await call(bench, 'return core.jobs.after(0, "sleeper"), core.jobs.after(0, "sleeper")')

        async def begun() -> bool:
            runs = await bench.desk.runs(job="sleeper")
            return sorted((run.id, run.status) for run in runs) == [(ids[0], "RUNNING"), (ids[1], "QUEUED")]

        await until(begun)
        assert bench.base.rows("SELECT count(*) FROM planned_run") == [(0,)]
        for run_id in reversed(ids):
            await bench.desk.cancel(run_id, actor=ACTOR)


async def test_runs_that_one_job_may_plan_are_limited(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runs.planner.MOST_PLANNED", 3)
    body = (
        'local answers = {} for n = 1, 4 do answers[n] = { core.jobs.after("1h", "echo") } end return answers'
    )
    async with open_bench({"echo": ECHO}) as bench:
        ((*good, refused),) = await call(bench, body)
        assert len(await planned(bench)) == len(good) == 3
        assert "3 runs of echo are planned already" in str(refused)
        await bench.desk.cancel(good[0][0], actor=ACTOR)
        assert await call(bench, 'return type(core.jobs.after("1h", "echo"))') == ["number"]


async def test_runs_that_may_wait_by_calls_are_limited(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runs.runcalls.MOST_WAITING", 2)
    async with open_bench({"sleeper": SLEEPER}) as bench:
        going = await bench.desk.run_job("sleeper", actor=ACTOR)
        body = 'local a, b, c = core.jobs.now("sleeper") return tostring(a), b, c'
        answers = [await call(bench, body) for _ in range(3)]
        for run in [*await bench.desk.runs(status=RunStatus.QUEUED), going]:
            await bench.desk.cancel(run.id, actor=ACTOR)
    assert [answer[2:] for answer in answers] == [[], [], [810]]
    assert answers[2][1] == "2 runs of sleeper wait already; try again later"


async def test_declared_permissions_name_the_jobs_that_may_be_run(open_bench: OpenBench) -> None:
    declared = 'permissions = "declared"'
    body = """
      local good = core.jobs.after("1h", "echo")
      local _, first, code = core.jobs.now("sleeper")
      local _, second = core.jobs.cancel(run.data.id)
      local _, third = core.jobs.status(run.data.id)
      return type(good), first, second, third, code
    """
    async with open_bench({"echo": ECHO, "sleeper": SLEEPER}, toml=declared) as bench:
        other = await bench.desk.run_job("sleeper", actor=ACTOR)
        answer = await call(bench, body, {"id": other.id}, 'allow = { jobs = { "echo" } }')
        await bench.desk.cancel(other.id, actor=ACTOR)
    words = "job caller may not reach sleeper by core.jobs; its allow does not list it"
    assert answer == ["number", words, words, words, 801]
