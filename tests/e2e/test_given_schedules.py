"""Schedules given at run time: at the command line, by programs, by jobs, and in engines that are killed."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.errors import JobFileError, Refused, ScheduleNotFound
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

ECHO = job("return job.OK, { data = run.data, user = run.user_id }")
GUIDE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text("utf-8")


def listed(home: Home, *options: str) -> list[Any]:
    found: list[Any] = home.moontide("schedule", "list", "--json", *options).json
    return found


def test_operators_give_list_and_remove_schedules(engine: Served) -> None:
    home = engine.home
    engine.add("report", ECHO)
    given = home.moontide(
        *("schedule", "add", "report", "--cron", "0 9 * * MON-FRI", "--tz", "Europe/Berlin"),
        *("--user-id", "7", "--data", '{"shop": 3}'),
    )
    assert given.code == 0, given.err
    assert given.out.startswith("schedule 1 of report: cron 0 9 * * MON-FRI (Europe/Berlin), next ")
    later = home.moontide("schedule", "add", "report", "--in", "1h", "--retries", "3", "--json").json
    assert (later["id"], later["retries"], later["repeats"]) == (2, 3, False)
    assert [(one["id"], one["data"]) for one in listed(home, "--user-id", "7")] == [(1, {"shop": 3})]
    assert "1\treport\tACTIVE\tcron 0 9" in home.moontide("schedule", "list", "--job", "report").out
    coming = home.moontide("next", "report", "--json").json
    assert {one["schedule_id"] for one in coming} == {1, 2}
    assert "given\t2 more" in home.moontide("show", "report").out
    removed = home.moontide("schedule", "remove", "1")
    assert (removed.code, removed.out) == (0, "schedule 1 of report is CANCELLED\n")
    assert [one["id"] for one in listed(home)] == [2]
    assert [(one["id"], one["status"]) for one in listed(home, "--all")] == [(2, "ACTIVE"), (1, "CANCELLED")]


def test_a_plugins_kind_of_schedule_is_given_at_the_command_line_and_by_jobs(engine: Served) -> None:
    engine.add("report", ECHO)
    lua = """
    local id = core.jobs.schedule("report", { monthly = "first monday", run_skipped = false, user_id = 7 })
    return id and job.OK
    """
    engine.add("gives", job(lua))
    given = engine.home.moontide(
        "schedule", "add", "report", "--by", "monthly=last friday 17:00", "--run-skipped"
    )
    assert given.out.startswith("schedule 1 of report: monthly last friday 17:00 (UTC), next ")
    assert engine.run("gives").status == "COMPLETE"
    found = [(one["schedule"], one["run_skipped"]) for one in listed(engine.home)]
    assert found == [("monthly first monday (UTC)", False), ("monthly last friday 17:00 (UTC)", True)]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("add", "report"), 2, "say when: --cron, --every, --by, --at or --in"),
        (("add", "report", "--by", "monthly"), 2, "--by takes a kind and its value"),
        (("add", "report", "--by", "moonly=x"), 1, "unknown option 'moonly'; did you mean monthly?"),
        (("add", "report", "--in", "1h", "--no-run-skipped"), 2, "--run-skipped go with --cron"),
        (("add", "report", "--in", "1h", "--every", "1h"), 2, "give only one of"),
        (("add", "report", "--in", "1h", "--data", "{"), 2, "it is not JSON"),
        (("add", "report", "--cron", "99 * * * *"), 1, 'cron = "99 * * * *"'),
        (("add", "report", "--in", "1h", "--retries", "x"), 1, 'retries = "x": must be a whole number'),
        (("add", "report", "--in", "1h", "--starts", "2026-01-01T00:00:00"), 2, "--starts"),
        (("add", "reprot", "--in", "1h"), 1, "did you mean report?"),
        (("remove", "99"), 1, "no schedule 99"),
        (("remove", "x"), 2, "Invalid value for 'ID'"),
    ],
)
def test_bad_requests_are_told(shared: Served, options: tuple[str, ...], code: int, words: str) -> None:
    shared.add("report", ECHO)
    result = shared.home.moontide("schedule", *options)
    assert result.code == code
    assert words in re.sub(r"[\s│]+", " ", result.err)


def test_without_an_engine_it_says_so(home: Home) -> None:
    assert home.moontide("schedule", "list").code == 3


def test_a_chain_and_a_single_run_survive_a_kill(home: Home) -> None:
    home.write("echo", ECHO)
    with home.serving() as engine:
        single = engine.client.schedule_job("echo", delay="2s", data="s", user_id=7)
        chain = engine.client.schedule_cron_job("echo", "* * * * * *", data="c", user_id=7)
        engine.ends("echo", 1)
        engine.kill()
    with home.serving() as engine:
        run = engine.finished(single.last_run_id or 0)
        assert (run.status, run.result) == ("COMPLETE", {"data": "s", "user": 7})
        seen = len(engine.ends("echo", 1))
        engine.ends("echo", seen + 2)
        assert engine.client.schedule(chain.id).status == "ACTIVE"
        runs = [one for one in engine.client.runs(job="echo") if one.schedule_id == chain.id]
        assert len({one.due for one in runs}) == len(runs)
        assert [one.id for one in engine.client.runs(job="echo") if one.schedule_id == single.id] == [run.id]


def test_programs_give_schedules_with_and_without_a_loop(engine: Served) -> None:
    engine.add("report", ECHO)
    (program,) = re.findall(r"(?ms)^```python test\n(.*?)^```$", GUIDE)
    names: dict[str, Any] = {}
    exec(compile(program, "schedules.md", "exec"), names)  # noqa: S102 (the guide's own program)
    in_force = names["give_schedules"](engine.home.path)
    assert [words.partition(" ")[0] for words in in_force] == ["cron", "once"]
    assert engine.client.schedules() == []

    async def with_a_loop() -> None:
        async with AsyncClient(socket_in(engine.home.path)) as client:
            at = datetime.now(UTC) + timedelta(hours=1)
            single = await client.schedule_job("report", due=at, tag="a")
            chain = await client.schedule_cron_job("report", every="1h", tag="a")
            assert single.due == at
            assert await client.schedules(job="report") == [chain, single]
            with pytest.raises(JobFileError, match="it is never due"):
                await client.schedule_cron_job("report", every="1h", expires="2001-01-01T00:00:00")
            assert (await client.remove_schedule(chain.id)).status == "CANCELLED"
            with pytest.raises(Refused, match="has ended already"):
                await client.remove_schedule(chain.id)
            with pytest.raises(ScheduleNotFound):
                await client.schedule(99)

    asyncio.run(with_a_loop())


def test_a_job_gives_lists_and_removes_schedules(engine: Served) -> None:
    engine.add("echo", ECHO)
    engine.add(
        "asks",
        job(
            """
            local id, run_id = core.jobs.schedule("echo", { after = "1h", data = { n = 1 } })
            local chain = core.jobs.schedule("echo", { cron = { "0 3 * * *", "0 4 * * *" }, user_id = 8 })
            local _, problem, code = core.jobs.schedule("echo", { every = "0.1s" })
            local _, unknown, missing = core.jobs.schedule("ecko", { every = "1h" })
            local given = core.jobs.schedules("echo")
            local of_user = core.jobs.schedules("echo", 8)
            return job.OK, {
              status = core.jobs.status(run_id), count = #given, chain = of_user[1].schedule,
              problem = problem, code = code, missing = missing, id = id,
              first = core.jobs.unschedule(chain), second = core.jobs.unschedule(chain),
              user = given[2].user_id,
            }
            """
        ),
    )
    accepted = engine.client.run_job("asks", user_id=5)
    run = engine.finished(accepted.id)
    assert run.status == "COMPLETE", run.error
    result = run.result
    assert result["problem"].startswith('core.jobs.schedule: every = "0.1s"')
    assert (result["status"], result["count"], result["code"], result["missing"]) == ("PLANNED", 2, 801, 804)
    assert result["chain"] == "cron 0 3 * * * (UTC); cron 0 4 * * * (UTC)"
    assert (result["first"], result["second"], result["user"]) == (True, False, 5)
    (left,) = engine.client.schedules()
    assert (left.id, left.data, left.called_by) == (result["id"], {"n": 1}, run.id)
    assert left.created_by == f"job asks in its run {run.id}"


def test_declared_permissions_name_the_jobs_that_may_be_scheduled(home: Home) -> None:
    home.settings('permissions = "declared"\n')
    home.write("echo", ECHO)
    home.write("other", ECHO)
    home.write(
        "asks",
        job(
            'local _, problem = core.jobs.schedule("other", { every = "1h" }) '
            "local _, second = core.jobs.unschedule(1) "
            'return job.OK, { problem, second, core.jobs.schedule("echo", { every = "1h" }) }',
            'allow = { jobs = { "echo" } }',
        ),
    )
    with home.serving() as engine:
        engine.client.schedule_cron_job("other", every="1h")
        words = "job asks may not reach other by core.jobs; its allow does not list it"
        assert engine.run("asks").result == [words, words, 2]


def test_a_run_to_come_is_cancelled_like_any_other(engine: Served) -> None:
    engine.add("echo", ECHO)
    given = engine.client.schedule_job("echo", delay="1h")
    assert engine.client.cancel(given.last_run_id or 0).status == "CANCELLED"
    until(lambda: engine.client.schedule(given.id).status == "OVER")


def test_only_a_given_schedules_own_runs_are_removed_after_their_time(engine: Served) -> None:
    engine.add("echo", ECHO)
    given = engine.client.schedule_job("echo", remove_after="1h")
    run = engine.finished(given.last_run_id or 0)
    assert run.finished is not None
    assert run.remove_at == run.finished + timedelta(hours=1)
    assert engine.run("echo").remove_at is None
