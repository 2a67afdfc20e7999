"""Alerts in a working engine: from a run to a row, a notice, and what the next engine makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.alerts import announcer
from engine.alerts.announcer import due_to_tell, worth_telling
from engine.errors import NotFound, Refused
from engine.events import AlertEnded, AlertNotice, AlertRaised
from engine.jobs.alertrules import AlertRules
from engine.rules.holds import HoldScope
from engine.store.alertrows import AlertRow
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

MOODY = 'if run.data == "bad" then error("no connection") end\nreturn job.OK'
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def job(body: str = MOODY, settings: str = 'on_error = "continue"') -> str:
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


def never_now() -> str:
    """Return quiet hours that hold now and for long."""
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=2), now + timedelta(hours=12)
    return f'alerts.quiet = ["{begin:%H:%M}-{end:%H:%M}"]\n'


@pytest.fixture(autouse=True)
def tell_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcer, "GATHER_SECONDS", 0.02)


def told(bench: Bench) -> list[list[tuple[str, str, str]]]:
    """Return what the notices so far said: job, kind and state of each alert."""
    notices = [event for event in bench.heard if isinstance(event, AlertNotice)]
    return [[(item.job, item.kind, item.state) for item in notice.items] for notice in notices]


async def settled(bench: Bench) -> None:
    """Wait until nothing is left to be told."""

    async def done() -> bool:
        rows = await bench.desk.alerts.list(ended=True)
        return all(row.told and (row.end_told or row.ended is None) for row in rows)

    await until(done)


async def test_a_failure_is_told_once_and_so_is_its_end(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        for _ in range(3):
            await bench.run("a", "bad")
        await until(lambda: len(told(bench)) == 1)
        await until(lambda: [alert.count for alert in bench.desk.job("a").alerts] == [3])
        (ongoing,) = bench.desk.job("a").alerts
        assert ongoing.kind == "failing"
        assert bench.desk.status().alerts == 1
        assert b'moontide_alerts{kind="failing"} 1.0' in bench.desk.metrics()
        await settled(bench)
        await bench.run("a")
        await until(lambda: len(told(bench)) == 2)
        await settled(bench)
        (row,) = await bench.desk.alerts.list(ended=True)
        assert bench.desk.job("a").alerts == []
        assert await bench.desk.alerts.list() == []
    assert told(bench) == [[("a", "failing", "began")], [("a", "failing", "ended")]]
    assert row.lasted_seconds is not None
    assert row.end_reason is not None
    assert "COMPLETE" in row.end_reason
    assert [type(event) for event in bench.heard if isinstance(event, AlertRaised | AlertEnded)] == [
        AlertRaised,
        AlertEnded,
    ]


async def test_jobs_that_fail_together_are_one_notice(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"job{number}" for number in range(5)]
    monkeypatch.setattr(announcer, "GATHER_SECONDS", 3600.0)
    async with open_bench(dict.fromkeys(names, job())) as bench:
        for name in names:
            await bench.run(name, "bad")
        await until(lambda: sum(isinstance(event, AlertRaised) for event in bench.heard) == 5)
        assert told(bench) == []
    # What was gathered is told at the latest when the engine ends.
    assert told(bench) == [[(name, "failing", "began") for name in names]]


async def test_an_ongoing_alert_survives_a_restart_and_is_not_told_twice(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        await bench.run("a", "bad")
        await until(lambda: len(told(bench)) == 1)
        await settled(bench)
    async with open_bench() as bench:
        (ongoing,) = bench.desk.job("a").alerts
        await bench.run("a", "bad")
        await until(lambda: bench.desk.job("a").alerts[0].count == 2)
        assert bench.desk.job("a").alerts[0].id == ongoing.id
        await bench.run("a")
        await until(lambda: len(told(bench)) == 1)
    assert told(bench) == [[("a", "failing", "ended")]]


async def test_what_happened_in_quiet_hours_is_told_afterwards_as_one(open_bench: OpenBench) -> None:
    async with open_bench({"a": job(), "b": job()}, toml=never_now()) as bench:
        await bench.run("a", "bad")
        await bench.run("a")
        await bench.run("b", "bad")
        await until(lambda: sum(isinstance(event, AlertRaised) for event in bench.heard) == 2)
    assert told(bench) == []
    async with open_bench() as bench:
        await until(lambda: len(told(bench)) == 1)
        await settled(bench)
    assert told(bench) == [[("a", "failing", "ended"), ("b", "failing", "began")]]


async def test_a_sender_whose_module_is_disabled_keeps_nobody_waiting(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}, toml='plugins.disable = ["email", "network"]\n') as bench:
        await bench.run("a", "bad")
        await until(lambda: len(told(bench)) == 1)
        await settled(bench)
        assert bench.desk.alerts.problems() == []


async def test_a_job_can_have_rules_of_its_own(open_bench: OpenBench) -> None:
    jobs = {"loud": job(), "silent": job(settings='on_error = "continue", alerts = false')}
    async with open_bench(jobs, toml="alerts.after_failures = 2\n") as bench:
        await bench.run("silent", "bad")
        await bench.run("silent", "bad")
        await bench.run("loud", "bad")
        assert bench.desk.status().alerts == 0
        await bench.run("loud", "bad")
        await until(lambda: len(told(bench)) == 1)
    assert told(bench) == [[("loud", "failing", "began")]]


RECEIVERS = """
[email]
host = "127.0.0.1"
from = "moontide@shop.example"
receivers = { shop = ["ann@shop.example"] }
"""


async def test_a_job_may_name_who_is_told_of_it(open_bench: OpenBench) -> None:
    own = job(settings='on_error = "continue", alerts = { to = "shop" }')
    toml = RECEIVERS + '\n[plugins]\ndisable = ["alert_email"]\n'
    async with open_bench({"a": job(), "b": own, "c": own}, toml=toml) as bench:
        for name in ("a", "b", "c"):
            await bench.run(name, "bad")
        await until(lambda: sum(map(len, told(bench))) == 3)
        await settled(bench)
    notices = [event for event in bench.heard if isinstance(event, AlertNotice)]
    heard = {(notice.to, item.job) for notice in notices for item in notice.items}
    assert heard == {("", "a"), ("shop", "b"), ("shop", "c")}


async def test_a_job_that_names_a_receiver_who_is_not_there_is_invalid(open_bench: OpenBench) -> None:
    own = job(settings='alerts = { to = "shpo" }')
    async with open_bench({"a": own}, toml=RECEIVERS) as bench:
        view = bench.desk.job("a")
        await until(lambda: bool(bench.desk.job("a").alerts))
    assert view.status == "INVALID"
    assert 'alerts = { to = "shpo" }: moontide.toml has no such receiver' in view.reason
    assert "did you mean shop?" in view.reason


async def test_a_run_that_takes_too_long_is_told_while_it_goes_on(open_bench: OpenBench) -> None:
    slow = job("core.sleep(30) return job.OK", 'alerts = { slow_after = "200ms" }')
    async with open_bench({"a": slow}) as bench:
        run = await bench.desk.run_job("a", actor=ACTOR)
        await until(lambda: len(told(bench)) == 1)
        assert (await bench.desk.run(run.id)).status == "RUNNING"
        await bench.desk.cancel(run.id, actor=ACTOR)
    assert told(bench) == [[("a", "slow", "began")]]


async def test_a_run_that_waits_too_long_is_late_before_it_starts(open_bench: OpenBench) -> None:
    sleeper = job("core.sleep(30) return job.OK", 'alerts = { late_after = "100ms" }')
    async with open_bench({"a": sleeper}) as bench:
        first = await bench.desk.run_job("a", actor=ACTOR)
        await bench.desk.run_job("a", actor=ACTOR)
        await until(lambda: len(told(bench)) == 1)
        await bench.desk.cancel(first.id, actor=ACTOR)
    assert told(bench)[0] == [("a", "late", "began")]


async def test_a_job_that_is_never_complete_is_overdue(open_bench: OpenBench) -> None:
    async with open_bench({"a": job(settings='alerts = { expect_every = "300ms" }')}) as bench:
        await until(lambda: len(told(bench)) == 1)
        await bench.run("a")
        await until(lambda: len(told(bench)) >= 2)
    assert told(bench)[:2] == [[("a", "overdue", "began")], [("a", "overdue", "ended")]]


async def test_a_job_that_has_not_run_after_it_was_due_is_missing_whatever_the_reason(
    open_bench: OpenBench,
) -> None:
    text = job("return job.STOP", 'every = "1s", alerts = { missing_after = "300ms" }')
    async with open_bench({"a": text}) as bench:
        await until(lambda: len(told(bench)) == 1)
        assert bench.desk.job("a").status == "STOPPED"
        await settled(bench)
        await bench.run("a")
        await until(lambda: len(told(bench)) == 2)
    # It is due again a second later, which may be told together with the end.
    assert told(bench)[0] == [("a", "missing", "began")]
    assert told(bench)[1][0] == ("a", "missing", "ended")


async def test_the_due_times_of_a_given_schedule_are_missed_too(open_bench: OpenBench) -> None:
    text = job("return job.STOP", 'alerts = { missing_after = "300ms" }')
    async with open_bench({"a": text}) as bench:
        await bench.desk.schedules.add("a", {"every": "1s"}, actor=ACTOR)
        # A first run that came late has begun and ended one of its own.
        await until(lambda: [("a", "missing", "began")] in told(bench))
        await until(lambda: bench.desk.job("a").status == "STOPPED")
    assert {(name, kind) for letter in told(bench) for name, kind, _ in letter} == {("a", "missing")}


async def test_a_job_is_not_missing_in_a_pause_but_after_it(open_bench: OpenBench) -> None:
    async with open_bench({}) as bench:
        await bench.desk.holds.pause(HoldScope.ENGINE, "", until=None, actor=ACTOR)
        bench.write("a", job("return job.STOP", 'every = "1s", alerts = { missing_after = "100ms" }'))
        await bench.reload()

        async def passed() -> bool:
            return sum(slot.count or 0 for slot in await bench.desk.ledger.slots("a")) > 1

        await until(passed)
        assert await bench.desk.alerts.list(ended=True) == []
        await bench.desk.holds.resume(HoldScope.ENGINE, "", actor=ACTOR)
        await until(lambda: bool(told(bench)))
    assert told(bench)[0] == [("a", "missing", "began")]


async def test_the_last_complete_run_counts_over_a_restart(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        await bench.run("a")
    # With the setting, the job is overdue as soon as the engine is there, not an age after its start.
    text = job(settings='alerts = { expect_every = "1ms" }')
    async with open_bench({"a": text}) as bench:
        await until(lambda: len(told(bench)) == 1)
    assert told(bench) == [[("a", "overdue", "began")]]


async def test_slow_is_measured_by_the_usual_time_of_earlier_sessions(open_bench: OpenBench) -> None:
    settings = "alerts = { slow_times = 1.2 }"
    body = "core.sleep(run.data or 0) return job.OK"
    async with open_bench({"a": job(body, settings)}) as bench:
        for _ in range(5):
            await bench.run("a")
    async with open_bench() as bench:
        await bench.run("a", 0.1)
        assert bench.desk.status().alerts == 0
        await bench.run("a", 1.5)
        await until(lambda: len(told(bench)) == 1)
    assert told(bench) == [[("a", "slow", "began")]]


async def test_a_file_that_goes_bad_is_an_alert_until_it_is_mended(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        bench.write("a", "this is no Lua")
        await bench.reload("a")
        await until(lambda: len(told(bench)) == 1)
        await settled(bench)
        bench.write("a", job())
        await bench.reload("a")
        await until(lambda: len(told(bench)) == 2)
    assert told(bench) == [[("a", "invalid", "began")], [("a", "invalid", "ended")]]


async def test_a_job_that_leaves_for_good_is_told_unless_a_person_wants_it(open_bench: OpenBench) -> None:
    async with open_bench({"a": job("return job.EXIT"), "b": job()}) as bench:
        await bench.desk.deactivate("b", actor=ACTOR)
        await bench.run("a")
        await until(lambda: len(told(bench)) == 1)
    assert told(bench) == [[("a", "inactive", "began")]]


async def test_alerts_of_a_job_whose_file_goes_are_over(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        await bench.run("a", "bad")
        await until(lambda: bench.desk.status().alerts == 1)
        (bench.jobs_folder / "a.lua").unlink()
        await bench.reload()
        assert bench.desk.status().alerts == 0
        (row,) = await bench.desk.alerts.list(ended=True)
        assert row.end_reason == "the job's file is gone"


async def test_a_file_that_went_while_no_engine_ran_ends_its_alerts_too(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        await bench.run("a", "bad")
        await until(lambda: bench.desk.status().alerts == 1)
        (bench.jobs_folder / "a.lua").unlink()
    async with open_bench() as bench:
        assert bench.desk.status().alerts == 0


async def test_an_alert_is_acknowledged_with_a_note(open_bench: OpenBench) -> None:
    async with open_bench({"a": job()}) as bench:
        await bench.run("a", "bad")
        await until(lambda: bench.desk.status().alerts == 1)
        (alert,) = bench.desk.job("a").alerts
        view = await bench.desk.alerts.ack(alert.id, note="disk ordered", actor=ACTOR)
        assert (view.acked_by, view.note) == ("tester@here", "disk ordered")
        assert bench.desk.job("a").alerts[0].note == "disk ordered"
        with pytest.raises(NotFound, match="no alert 99"):
            await bench.desk.alerts.ack(99, note="", actor=ACTOR)
        await bench.run("a")
        await until(lambda: bench.desk.status().alerts == 0)
        with pytest.raises(Refused, match="is over already"):
            await bench.desk.alerts.ack(alert.id, note="", actor=ACTOR)


# When people are told, as a question of time alone

ROW = AlertRow(1, "a", "failing", "run 1 ended ERROR", 1, NOON, NOON)
TOLD = AlertRow(1, "a", "failing", "run 1 ended ERROR", 1, NOON, NOON, told=NOON)
HOUR = timedelta(hours=1)


def test_a_new_alert_is_told_at_once_and_in_quiet_hours_at_their_end() -> None:
    assert due_to_tell(ROW, AlertRules(), "UTC", NOON) == NOON
    quiet = AlertRules(quiet=("11:00-15:00",))
    assert due_to_tell(ROW, quiet, "UTC", NOON) == NOON + 3 * HOUR
    assert due_to_tell(ROW, quiet, "Asia/Tokyo", NOON) == NOON


def test_an_alert_that_goes_on_is_told_again_only_where_that_is_wanted() -> None:
    assert due_to_tell(TOLD, AlertRules(), "UTC", NOON) is None
    reminding = AlertRules(remind_every=7200.0)
    assert due_to_tell(TOLD, reminding, "UTC", NOON) == NOON + 2 * HOUR
    acked = AlertRow(1, "a", "failing", "", 1, NOON, NOON, told=NOON, acked=NOON)
    assert due_to_tell(acked, reminding, "UTC", NOON) is None


def test_a_reminder_in_quiet_hours_waits_for_their_end() -> None:
    rules = AlertRules(remind_every=7200.0, quiet=("13:30-16:00",))
    assert due_to_tell(TOLD, rules, "UTC", NOON) == NOON + 4 * HOUR


def test_the_end_alone_is_not_told_to_those_who_do_not_want_it() -> None:
    over = AlertRow(1, "a", "failing", "", 1, NOON, NOON, told=NOON, ended=NOON)
    assert worth_telling(over, AlertRules(), flapping=False)
    assert not worth_telling(over, AlertRules(recovered=False), flapping=False)
    assert not worth_telling(ROW, AlertRules(), flapping=True)
