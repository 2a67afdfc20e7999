"""Settings that operators give while the engine runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.errors import JobFileError, JobNotFound, Refused
from engine.events import JobsReloaded
from engine.views import AuditView, JobView
from tests.engine.conftest import ACTOR, Bench, OpenBench


def job(settings: str, body: str = "return job.OK") -> str:
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


async def change(bench: Bench, **typed: str) -> JobView:
    return await bench.desk.overrides.set("a", {}, typed, actor=ACTOR)


async def last_action(bench: Bench) -> AuditView:
    return (await bench.desk.audit.entries(limit=1))[0]


async def test_a_schedule_takes_effect_at_once_and_outlives_reload_and_restart(open_bench: OpenBench) -> None:
    text = job('cron = "0 3 1 1 *", timeout = "2m"')
    async with open_bench({"a": text}) as bench:
        view = await change(bench, every="5m", timeout="30s")
        assert (view.schedule, view.settings["timeout"]) == ("every 5m", 30)
        assert view.origins == {"every": "operator", "timeout": "operator"}
        assert view.replaced == {"cron": "0 3 1 1 *", "timeout": "2m"}
        assert view.next_run is not None
        assert view.next_run - datetime.now(UTC) <= timedelta(minutes=5)
        bench.write("a", job('cron = "0 4 1 1 *"'))
        await bench.reload()
        again = bench.desk.job("a")
        assert (again.schedule, again.next_run) == ("every 5m", view.next_run)
        assert again.replaced == {"cron": "0 4 1 1 *"}
    async with open_bench() as bench:
        restarted = bench.desk.job("a")
        assert (restarted.schedule, restarted.next_run) == ("every 5m", view.next_run)
        assert restarted.origins["every"] == "operator"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("cron", "61 * * * *", "minute"),
        ("timeout", "99h", "operator's limit"),
        ("evry", "5m", "did you mean every?"),
        ("starts", "2030-01-01T00:00:00", "starts needs"),
        ("on_error", "panic", "must be one of"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(
    open_bench: OpenBench, setting: str, value: str, words: str
) -> None:
    async with open_bench({"a": job("")}) as bench:
        before = bench.desk.job("a")
        with pytest.raises(JobFileError, match=words):
            await change(bench, **{setting: value})
        assert bench.desk.job("a") == before
        assert await bench.desk.audit.entries() == []


@pytest.mark.parametrize(
    ("values", "words"),
    [({}, "which setting"), ({"active": False}, "moontide deactivate a")],
)
async def test_what_is_asked_for_in_another_way_is_told(
    open_bench: OpenBench, values: dict[str, Any], words: str
) -> None:
    async with open_bench({"a": job("")}) as bench:
        with pytest.raises(Refused, match=words):
            await bench.desk.overrides.set("a", values, {}, actor=ACTOR)
        with pytest.raises(JobNotFound):
            await bench.desk.overrides.set("nobody", values, {}, actor=ACTOR)


async def test_a_job_that_waits_for_a_reload_goes_on_waiting(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"', "return job.STOP")}) as bench:
        await bench.run("a")
        assert (await change(bench, every="2m")).status == "STOPPED"
        await bench.reload()
        assert (bench.desk.job("a").status, bench.desk.job("a").schedule) == ("WAITING", "every 2m")
        await bench.desk.deactivate("a", actor=ACTOR)
        assert (await change(bench, every="3m")).status == "INACTIVE"


async def test_a_later_end_brings_an_expired_job_back(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h", expires = "2020-01-01T00:00:00"')}) as bench:
        assert bench.desk.job("a").status == "EXPIRED"
        view = await change(bench, expires="")
        assert (view.status, view.settings["expires"]) == ("WAITING", None)
        assert view.origins["expires"] == "operator"


async def test_a_run_uses_what_the_operator_gave(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("", "core.sleep(60)")}) as bench:
        await change(bench, timeout="0.2s", on_error="continue")
        assert (await bench.run("a")).status == "TIMEOUT"


async def test_unset_lets_the_file_count_again(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"')}) as bench:
        await change(bench, every="5m", retries="3")
        one = await bench.desk.overrides.unset("a", ["every"], actor=ACTOR)
        assert (one.schedule, one.origins) == ("every 1h", {"every": "file", "retries": "operator"})
        assert (await bench.desk.overrides.unset("a", [], actor=ACTOR)).origins == {"every": "file"}
        with pytest.raises(Refused, match="nothing to unset"):
            await bench.desk.overrides.unset("a", [], actor=ACTOR)
        with pytest.raises(Refused, match="nobody set retries"):
            await bench.desk.overrides.unset("a", ["retries"], actor=ACTOR)
    async with open_bench() as bench:
        assert bench.desk.job("a").origins == {"every": "file"}


async def test_what_would_leave_wrong_settings_is_not_unset(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("")}) as bench:
        await change(bench, every="5m", jitter="10s")
        with pytest.raises(JobFileError, match=r"without every .* jitter needs"):
            await bench.desk.overrides.unset("a", ["every"], actor=ACTOR)
        assert bench.desk.job("a").schedule.startswith("every 5m")


async def test_settings_that_fit_the_file_no_longer_are_told_and_can_be_unset(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"')}) as bench:
        await change(bench, expires="2040-01-01T00:00:00")
        bench.write("a", job("timeout = 5"))
        await bench.reload()
        invalid = bench.desk.job("a")
        assert invalid.status == "INVALID"
        assert "an operator gave expires: `moontide unset a`" in invalid.reason
        assert (await bench.desk.overrides.unset("a", [], actor=ACTOR)).status == "WAITING"


async def test_what_is_wrong_with_the_file_itself_is_told_as_such(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"')}) as bench:
        await change(bench, retries="2")
        bench.write("a", job('every = "never"'))
        await bench.reload()
        assert "operator" not in bench.desk.job("a").reason
        assert (await change(bench, every="5m")).status == "WAITING"
        bench.write("a", "local job =")
        await bench.reload()
        with pytest.raises(Refused, match="mend the file first"):
            await change(bench, every="6m")
        bench.write("a", job(""))
        await bench.reload()
        assert bench.desk.job("a").schedule == "every 5m"


async def test_an_overriding_reload_takes_the_files_values_and_switch(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"'), "b": job('every = "1h"', "return job.EXIT")}) as bench:
        await change(bench, every="5m")
        await bench.desk.deactivate("a", actor=ACTOR)
        assert bench.desk.job("a").origins["active"] == "operator"
        await bench.run("b")
        view = await bench.desk.reload(override=True, actor=ACTOR)
        assert (view.dropped, view.changed, view.revived) == ({"a": {"every": "5m"}}, ["a"], ["a"])
        a, b = bench.desk.job("a"), bench.desk.job("b")
        assert (a.status, a.schedule, a.origins) == ("WAITING", "every 1h", {"every": "file"})
        assert (b.status, b.active) == ("INACTIVE", False)
        assert (await last_action(bench)).before == {"a": {"every": "5m"}}
    async with open_bench() as bench:
        assert bench.desk.job("a").origins == {"every": "file"}


async def test_changes_are_audited_with_old_and_new_and_told(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('cron = "@daily"')}) as bench:
        bench.heard.clear()
        await change(bench, every="5m", retries="2")
        entry = await last_action(bench)
        assert (entry.action, entry.target, entry.actor) == ("set settings", "a", "tester@here")
        assert entry.before == {"cron": "@daily", "every": None, "retries": None}
        assert entry.after == {"cron": None, "every": "5m", "retries": 2}
        assert [one.changed for one in bench.heard if isinstance(one, JobsReloaded)] == [("a",)]
        await bench.desk.overrides.unset("a", ["retries"], actor=ACTOR)
        entry = await last_action(bench)
        assert (entry.action, entry.before, entry.after) == (
            "unset settings",
            {"retries": 2},
            {"retries": None},
        )


async def test_a_file_that_was_away_comes_back_with_them_but_not_after_a_delete(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"a": job("")}) as bench:
        await change(bench, every="5m")
        (bench.jobs_folder / "a.lua").unlink()
        await bench.reload()
        bench.write("a", job(""))
        await bench.reload()
        assert bench.desk.job("a").schedule == "every 5m"
        await bench.desk.delete_job("a", actor=ACTOR)
        bench.write("a", job(""))
        await bench.reload()
        assert bench.desk.job("a").schedule == "on demand"


async def test_a_draft_shows_the_file_alone(open_bench: OpenBench) -> None:
    text = job('every = "1h"')
    async with open_bench({"a": text}) as bench:
        await change(bench, every="5m")
        assert (await bench.desk.drafts.draft("a", text, {}, {})).schedule == "every 1h"
