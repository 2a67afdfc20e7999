"""When a failed run is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import RunFinished
from engine.jobs.jobfile import JobSettings, parse_settings
from engine.rules.retry import crashes_with, in_words, next_attempt
from engine.run import Outcome
from engine.states import Returned, RunStatus
from tests.engine.conftest import OpenBench, until

FAILED = Outcome(RunStatus.ERROR, error="no")


def settings(**raw: object) -> JobSettings:
    return parse_settings({"retry_jitter": 0, **raw})


def waits(job: JobSettings, count: int) -> list[float | None]:
    delays = (next_attempt(job, FAILED, attempt=attempt, run_id=7) for attempt in range(1, count + 1))
    return [None if delay is None else delay.total_seconds() for delay in delays]


def test_without_retries_nothing_is_tried_again() -> None:
    assert waits(settings(), 1) == [None]


def test_waits_grow_up_to_the_longest() -> None:
    assert waits(settings(retries=5, retry_delay=10, retry_max_delay=50), 6) == [10, 20, 40, 50, 50, None]


def test_unlimited_retries_never_end() -> None:
    assert waits(settings(retries="unlimited", retry_delay=10, retry_max_delay=50), 500)[-1] == 50


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.TIMEOUT, RunStatus.CRASHED])
def test_every_failure_is_tried_again(status: RunStatus) -> None:
    assert next_attempt(settings(retries=1), Outcome(status), attempt=1, run_id=1) is not None


@pytest.mark.parametrize(
    "outcome",
    [Outcome(RunStatus.COMPLETE, Returned.EXIT), Outcome(RunStatus.CANCELLED), Outcome(RunStatus.SKIPPED)],
)
def test_what_did_not_fail_is_not_tried_again(outcome: Outcome) -> None:
    assert next_attempt(settings(retries=9), outcome, attempt=1, run_id=1) is None


@given(st.floats(0.1, 1e6), st.integers(1, 5), st.integers(0, 5))
def test_a_delay_that_the_run_asks_for_is_taken_as_it_is(seconds: float, attempt: int, retries: int) -> None:
    outcome = Outcome(RunStatus.ERROR, Returned.RETRY, retry_seconds=seconds)
    job = settings(retries=retries, retry_jitter=1)
    delay = next_attempt(job, outcome, attempt=attempt, run_id=1)
    assert delay == (timedelta(seconds=seconds) if attempt <= retries else None)


@given(st.integers(1, 9))
def test_the_third_crash_is_the_last(crashes: int) -> None:
    job = settings(retries="unlimited")
    delay = next_attempt(job, Outcome(RunStatus.CRASHED), attempt=crashes, run_id=1, crashes=crashes)
    assert (delay is None) is (crashes >= 3)


@pytest.mark.parametrize(
    ("retries", "delay", "words"),
    [
        (3, timedelta(minutes=5), "job.RETRY returned; tried again in 5 min"),
        (3, None, "job.RETRY returned, but the job is switched off"),
        (1, None, "job.RETRY returned, but no retries are left: retries = 1 in core.job"),
    ],
)
def test_the_error_says_what_becomes_of_a_retry(retries: int, delay: timedelta | None, words: str) -> None:
    outcome = Outcome(RunStatus.ERROR, Returned.RETRY, error="job.RETRY returned")
    assert in_words(outcome, settings(retries=retries), attempt=2, delay=delay).error == words


@given(st.integers(1, 2**62), st.floats(0, 1), st.integers(1, 40))
def test_jitter_adds_at_most_its_part_and_is_the_same_for_the_same_run(
    run_id: int, part: float, attempt: int
) -> None:
    job = settings(retries="unlimited", retry_delay=60, retry_jitter=part)
    delay = next_attempt(job, FAILED, attempt=attempt, run_id=run_id)
    plain = next_attempt(
        settings(retries="unlimited", retry_delay=60), FAILED, attempt=attempt, run_id=run_id
    )
    assert delay == next_attempt(job, FAILED, attempt=attempt, run_id=run_id)
    assert delay is not None
    assert plain is not None
    assert plain <= delay <= plain * (1 + part) + timedelta(microseconds=1)


FLAKY = """
local job = core.job { every = "1h", retries = 2, retry_delay = "100ms", retry_jitter = 0 }
function job.run(run)
  if run.attempt < 3 then error("attempt " .. run.attempt .. " of " .. run.data.what) end
  return job.OK, run.attempt
end
return job
"""


async def test_a_run_is_tried_again_with_its_data_until_it_is_good(open_bench: OpenBench) -> None:
    async with open_bench({"flaky": FLAKY}) as bench:
        first = await bench.run("flaky", {"what": "tea"})
        await until(lambda: len(bench.ends("flaky")) == 3)
        third, second, _ = await bench.desk.runs(job="flaky")
        job = bench.desk.job("flaky")
    assert "attempt 1 of tea" in (first.error or "")
    assert (second.trigger, second.attempt, second.rescheduled_from) == ("retry", 2, first.id)
    assert (third.status, third.result, third.rescheduled_from) == ("COMPLETE", 3, second.id)
    assert (job.status, job.error) == ("WAITING", None)


async def test_a_job_is_deactivated_only_when_its_last_attempt_failed(open_bench: OpenBench) -> None:
    bad = FLAKY.replace("run.attempt < 3", "true")
    async with open_bench({"bad": bad}) as bench:
        await bench.run("bad", {"what": "tea"})
        assert (bench.desk.job("bad").status, bench.desk.job("bad").active) == ("WAITING", True)
        assert "attempt 1 of tea" in (bench.desk.job("bad").error or "")
        await until(lambda: bench.desk.job("bad").status == "INACTIVE")
        assert "attempt 3 of tea" in (bench.desk.job("bad").error or "")
        assert len(await bench.desk.runs(job="bad")) == 3


async def test_a_planned_retry_survives_a_restart(open_bench: OpenBench) -> None:
    text = FLAKY.replace("100ms", "2s")
    async with open_bench({"flaky": text}) as bench:
        first = await bench.run("flaky", {"what": "tea"})
    async with open_bench() as bench:
        await until(lambda: any(isinstance(event, RunFinished) for event in bench.heard))
        second = next(run for run in await bench.desk.runs(job="flaky") if run.rescheduled_from == first.id)
    assert (second.attempt, second.trigger) == (2, "retry")


async def test_a_retry_of_a_job_that_was_switched_off_is_skipped(open_bench: OpenBench) -> None:
    async with open_bench({"flaky": FLAKY.replace("100ms", "500ms")}) as bench:
        await bench.run("flaky", {"what": "tea"})
        await bench.desk.deactivate("flaky", actor="tester via test")
        await until(lambda: len(bench.ends("flaky")) == 2)
    assert bench.ends("flaky")[-1].status == "SKIPPED"
    assert "was switched off" in (bench.ends("flaky")[-1].error or "")


STUBBORN = """
local job = core.job { every = "1s", on_error = "continue" }
function job.run() error("no") end
return job
"""


async def test_a_job_may_go_on_after_a_failure(open_bench: OpenBench) -> None:
    async with open_bench({"a": STUBBORN}) as bench:
        await until(lambda: len(bench.ends("a")) >= 2)
        job = bench.desk.job("a")
    assert (job.status, job.active) == ("WAITING", True)
    assert "no" in (job.error or "")


def test_crashes_that_are_none_of_the_jobs_doing_lead_to_no_quarantine() -> None:
    assert crashes_with(Outcome(RunStatus.CRASHED), 1) == 2
    assert crashes_with(Outcome(RunStatus.CRASHED, blameless=True), 1) == 1
