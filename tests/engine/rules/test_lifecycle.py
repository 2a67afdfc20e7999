"""Starts, reloads, due times and switches of a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.jobs.jobfile import JobSettings, parse_settings
from engine.rules.lifecycle import (
    Armed,
    JobState,
    activate,
    at_reload,
    at_start,
    chose_next,
    deactivate,
    fired,
    found_invalid,
    why_not_next,
)
from engine.rules.outcome import after_run
from engine.run import Outcome
from engine.states import JobStatus, Returned, RunStatus, Trigger
from engine.times.schedule import parse_cron

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWO_MINUTES = JobSettings(every=120.0)
ON_DEMAND = JobSettings()


def started(
    settings: JobSettings, state: JobState | None = None, at: datetime = NOW, session: int = 1
) -> Armed:
    return at_start(state, settings, settings.schedule(), now=at, session=session)


def reloaded(settings: JobSettings, state: JobState | None, at: datetime = NOW, session: int = 1) -> JobState:
    return at_reload(state, settings, settings.schedule(), now=at, session=session)


def new(settings: JobSettings = TWO_MINUTES) -> JobState:
    return started(settings).state


def ran(
    state: JobState,
    settings: JobSettings,
    returned: Returned | None = Returned.OK,
    status: RunStatus = RunStatus.COMPLETE,
    at: datetime = NOW,
    trigger: Trigger = Trigger.SCHEDULE,
    error: str | None = None,
) -> JobState:
    return after_run(
        state,
        settings,
        settings.schedule(),
        Outcome(status, returned, error=error),
        started=at,
        finished=at + timedelta(seconds=3),
        session=1,
        trigger=trigger,
    )


def failed(state: JobState, settings: JobSettings = TWO_MINUTES) -> JobState:
    return ran(state, settings, None, RunStatus.ERROR, error="report.lua:3: boom\nstack traceback:")


class TestNewJobs:
    def test_a_new_job_is_first_due_after_one_interval(self) -> None:
        state = new()
        assert (state.status, state.due) == (JobStatus.WAITING, NOW + 2 * MINUTE)

    def test_a_job_without_a_schedule_waits_for_somebody_to_run_it(self) -> None:
        state = new(ON_DEMAND)
        assert (state.status, state.reason, state.due) == (JobStatus.WAITING, "on demand", None)

    def test_a_job_that_its_file_switches_off_is_inactive_and_says_so(self) -> None:
        state = new(JobSettings(every=60.0, active=False))
        assert (state.status, state.reason) == (JobStatus.INACTIVE, "active = false in its file")
        assert state.next_due is None

    def test_a_job_found_at_a_reload_is_armed_like_one_found_at_the_start(self) -> None:
        assert reloaded(TWO_MINUTES, None) == new()

    def test_run_at_start_asks_for_a_run_besides_the_schedule(self) -> None:
        armed = started(JobSettings(every=120.0, run_at_start=True))
        assert armed.start_now
        assert armed.state.due == NOW + 2 * MINUTE

    def test_run_at_start_of_an_inactive_job_asks_for_nothing(self) -> None:
        assert not started(JobSettings(run_at_start=True, active=False)).start_now


class TestRemainingTime:
    def test_a_reload_keeps_it(self) -> None:
        assert reloaded(TWO_MINUTES, new(), NOW + MINUTE).due == NOW + 2 * MINUTE

    def test_a_restart_keeps_it(self) -> None:
        armed = started(TWO_MINUTES, new(), NOW + MINUTE, session=2)
        assert armed == Armed(new())

    def test_another_interval_starts_afresh(self) -> None:
        assert reloaded(JobSettings(every=300.0), new(), NOW + MINUTE).due == NOW + 6 * MINUTE

    def test_another_time_zone_starts_afresh(self) -> None:
        utc, berlin = (JobSettings(cron="0 9 * * *", timezone=zone) for zone in ("UTC", "Europe/Berlin"))
        assert reloaded(berlin, new(utc)).due == datetime(2026, 3, 3, 8, 0, tzinfo=UTC)

    def test_taking_the_schedule_away_leaves_a_job_on_demand(self) -> None:
        state = reloaded(ON_DEMAND, new())
        assert (state.reason, state.due) == ("on demand", None)

    def test_a_due_time_that_has_just_come_is_not_lost_by_a_reload(self) -> None:
        assert reloaded(TWO_MINUTES, new(), NOW + 2 * MINUTE).due == NOW + 2 * MINUTE

    def test_due_times_that_passed_while_the_engine_was_down_are_counted(self) -> None:
        armed = started(TWO_MINUTES, new(), NOW + 7 * MINUTE, session=2)
        assert armed.missed is not None
        assert (armed.missed.count, armed.missed.last_due) == (3, NOW + 6 * MINUTE)

    def test_a_due_time_that_comes_at_the_very_start_counts_as_missed(self) -> None:
        armed = started(TWO_MINUTES, new(), NOW + 2 * MINUTE, session=2)
        assert armed.missed is not None
        assert (armed.missed.count, armed.state.due) == (1, NOW + 4 * MINUTE)

    def test_after_missed_due_times_the_job_goes_on_in_its_old_rhythm(self) -> None:
        assert started(TWO_MINUTES, new(), NOW + 7 * MINUTE, session=2).state.due == NOW + 8 * MINUTE


class TestDueTimes:
    def test_a_job_is_armed_for_its_next_due_time_when_it_is_fired(self) -> None:
        state = fired(new(), TWO_MINUTES.schedule(), NOW + 2 * MINUTE, NOW + 2 * MINUTE)
        assert state.due == NOW + 4 * MINUTE

    def test_a_late_firing_skips_the_due_times_that_passed(self) -> None:
        state = fired(new(), TWO_MINUTES.schedule(), NOW + 2 * MINUTE, NOW + 7 * MINUTE)
        assert state.due == NOW + 8 * MINUTE

    def test_a_run_once_job_is_due_no_more_once_it_is_fired(self) -> None:
        once = JobSettings(every=120.0, run_once=True)
        state = fired(new(once), once.schedule(), NOW + 2 * MINUTE, NOW + 2 * MINUTE)
        assert (state.status, state.due) == (JobStatus.ONCE, None)

    def test_firing_an_inactive_job_changes_nothing(self) -> None:
        state = deactivate(new())
        assert fired(state, TWO_MINUTES.schedule(), NOW, NOW) == state

    def test_a_schedule_that_is_never_due_again_is_told(self) -> None:
        cron = parse_cron("0 0 1 1 *")
        late = datetime(9998, 6, 1, tzinfo=UTC)
        state = at_start(None, JobSettings(cron="0 0 1 1 *"), cron, now=late, session=1).state
        assert state.status is JobStatus.EXPIRED
        assert state.reason.endswith("never due again")

    def test_a_job_whose_last_date_is_fired_is_expired_and_a_reload_leaves_it_so(self) -> None:
        settings = parse_settings({"at": "2026-03-02T12:00:00"})
        schedule = settings.schedule()
        date = datetime(2026, 3, 2, 12, tzinfo=UTC)
        state = at_start(None, settings, schedule, now=date - MINUTE, session=1).state
        assert (state.status, state.due) == (JobStatus.WAITING, date)
        over = fired(state, schedule, date, date)
        assert (over.status, over.due) == (JobStatus.EXPIRED, None)
        reloaded = at_reload(over, settings, schedule, now=date + MINUTE, session=1)
        assert (reloaded.status, reloaded.due) == (JobStatus.EXPIRED, None)


class TestStopped:
    STOPPED = ran(new(), TWO_MINUTES, Returned.STOP)

    def test_a_reload_revives_it_with_a_fresh_interval(self) -> None:
        state = reloaded(TWO_MINUTES, self.STOPPED, NOW + MINUTE)
        assert (state.status, state.due) == (JobStatus.WAITING, NOW + 3 * MINUTE)

    def test_a_restart_revives_it_with_a_fresh_interval(self) -> None:
        state = started(TWO_MINUTES, self.STOPPED, NOW + MINUTE, session=2).state
        assert (state.status, state.due) == (JobStatus.WAITING, NOW + 3 * MINUTE)


class TestInactive:
    EXITED = ran(new(), TWO_MINUTES, Returned.EXIT)

    @pytest.mark.parametrize("at", [NOW, NOW + timedelta(days=3)])
    def test_it_stays_so_over_reloads_and_restarts(self, at: datetime) -> None:
        assert reloaded(TWO_MINUTES, self.EXITED, at) == self.EXITED
        assert started(TWO_MINUTES, self.EXITED, at, session=2) == Armed(self.EXITED)

    def test_activating_alone_does_not_make_it_due(self) -> None:
        state = activate(self.EXITED)
        assert (state.active, state.status, state.due) == (True, JobStatus.INACTIVE, None)
        assert "reload" in state.reason

    def test_activating_and_reloading_arms_it_afresh(self) -> None:
        state = reloaded(TWO_MINUTES, activate(self.EXITED), NOW + 5 * MINUTE)
        assert (state.status, state.due) == (JobStatus.WAITING, NOW + 7 * MINUTE)

    def test_its_error_is_kept_until_a_good_run(self) -> None:
        state = reloaded(TWO_MINUTES, activate(failed(new())))
        assert state.error is not None
        assert ran(state, TWO_MINUTES).error is None

    def test_activating_an_active_job_changes_nothing(self) -> None:
        assert activate(new()) == new()

    def test_deactivating_takes_the_due_time_away_and_says_who_did_it(self) -> None:
        state = deactivate(new())
        assert (state.status, state.reason, state.next_due) == (JobStatus.INACTIVE, "by operator", None)

    def test_deactivating_an_inactive_job_keeps_the_first_reason(self) -> None:
        assert deactivate(self.EXITED).reason == self.EXITED.reason


class TestSwitchInTheFile:
    OFF = JobSettings(every=120.0, active=False)

    def test_the_operators_switch_wins_while_the_file_stays_the_same(self) -> None:
        state = reloaded(self.OFF, activate(new(self.OFF)))
        assert (state.status, state.active) == (JobStatus.WAITING, True)
        assert reloaded(self.OFF, state) == state

    def test_an_operator_who_deactivated_is_not_overruled_by_a_file_that_always_said_true(self) -> None:
        assert reloaded(TWO_MINUTES, deactivate(new())).status is JobStatus.INACTIVE

    def test_a_file_that_changes_to_false_deactivates_at_the_reload(self) -> None:
        state = reloaded(self.OFF, new())
        assert (state.status, state.reason) == (JobStatus.INACTIVE, "active = false in its file")

    def test_a_file_that_changes_to_true_activates_at_the_reload(self) -> None:
        state = reloaded(TWO_MINUTES, new(self.OFF), NOW + MINUTE)
        assert (state.status, state.due) == (JobStatus.WAITING, NOW + 3 * MINUTE)


class TestRunOnce:
    ONCE = JobSettings(every=120.0, run_once=True)

    def test_it_is_due_one_interval_after_the_start(self) -> None:
        state = new(self.ONCE)
        assert (state.status, state.due) == (JobStatus.ONCE, NOW + 2 * MINUTE)

    def test_with_run_at_start_it_is_due_at_once_and_only_once(self) -> None:
        armed = started(replace(self.ONCE, run_at_start=True))
        assert (armed.state.due, armed.start_now) == (NOW, False)

    def test_a_reload_keeps_its_remaining_time(self) -> None:
        assert reloaded(self.ONCE, new(self.ONCE), NOW + MINUTE).due == NOW + 2 * MINUTE

    def test_a_reload_does_not_run_it_again(self) -> None:
        done = ran(new(self.ONCE), self.ONCE)
        assert done.status is JobStatus.ONCE_DONE
        assert reloaded(self.ONCE, done) == done

    def test_a_reload_with_another_schedule_does_not_run_it_again(self) -> None:
        done = ran(new(self.ONCE), self.ONCE)
        assert reloaded(replace(self.ONCE, every=60.0), done).status is JobStatus.ONCE_DONE

    def test_a_reload_during_its_run_does_not_make_a_second(self) -> None:
        under_way = fired(new(self.ONCE), self.ONCE.schedule(), NOW, NOW)
        assert reloaded(replace(self.ONCE, every=60.0), under_way).due is None

    def test_a_restart_makes_it_due_again_after_its_interval(self) -> None:
        done = ran(new(self.ONCE), self.ONCE)
        state = started(self.ONCE, done, NOW + 9 * MINUTE, session=2).state
        assert (state.status, state.due) == (JobStatus.ONCE, NOW + 11 * MINUTE)

    def test_a_restart_before_it_ran_counts_its_interval_afresh(self) -> None:
        armed = started(self.ONCE, new(self.ONCE), NOW + 9 * MINUTE, session=2)
        assert (armed.state.due, armed.missed) == (NOW + 11 * MINUTE, None)

    def test_without_a_schedule_one_found_at_a_reload_waits_for_the_next_start(self) -> None:
        state = reloaded(JobSettings(run_once=True, run_at_start=True), None)
        assert (state.status, state.due) == (JobStatus.ONCE, None)
        assert "next start" in state.reason

    def test_after_a_failure_activating_and_reloading_lets_it_run_in_the_same_session(self) -> None:
        state = reloaded(self.ONCE, activate(failed(new(self.ONCE), self.ONCE)))
        assert (state.status, state.due) == (JobStatus.ONCE, NOW + 2 * MINUTE)

    def test_a_job_that_is_no_longer_run_once_takes_up_its_schedule(self) -> None:
        done = ran(new(self.ONCE), self.ONCE)
        assert reloaded(TWO_MINUTES, done).due == NOW + 2 * MINUTE


class TestSleeping:
    ASLEEP = ran(new(), TWO_MINUTES, Returned.SLEEP)
    WAKES = NOW + timedelta(hours=24)

    def test_it_sleeps_on_over_a_reload(self) -> None:
        assert reloaded(TWO_MINUTES, self.ASLEEP, NOW + MINUTE) == self.ASLEEP

    def test_it_sleeps_on_over_a_restart(self) -> None:
        assert started(TWO_MINUTES, self.ASLEEP, NOW + MINUTE, session=2) == Armed(self.ASLEEP)

    def test_it_sleeps_on_when_its_schedule_is_changed(self) -> None:
        state = reloaded(JobSettings(every=60.0), self.ASLEEP)
        assert (state.status, state.due) == (JobStatus.SLEEPING, self.WAKES)

    def test_run_at_start_does_not_wake_it(self) -> None:
        assert not started(replace(TWO_MINUTES, run_at_start=True), self.ASLEEP, session=2).start_now

    def test_one_that_should_have_woken_while_the_engine_was_down_goes_on_at_its_schedule(self) -> None:
        armed = started(TWO_MINUTES, self.ASLEEP, self.WAKES + 3 * MINUTE, session=2)
        assert (armed.state.status, armed.state.due) == (JobStatus.WAITING, self.WAKES + 4 * MINUTE)
        assert armed.missed is not None
        assert (armed.missed.count, armed.missed.last_due) == (1, self.WAKES)

    def test_a_job_on_demand_sleeps_and_runs_24_hours_later(self) -> None:
        asleep = ran(new(ON_DEMAND), ON_DEMAND, Returned.SLEEP, trigger=Trigger.MANUAL)
        assert (asleep.status, asleep.due) == (JobStatus.SLEEPING, self.WAKES)
        woken = fired(asleep, None, self.WAKES, self.WAKES)
        assert (woken.status, woken.reason, woken.due) == (JobStatus.WAITING, "on demand", None)

    def test_waking_up_arms_it_for_its_schedule(self) -> None:
        woken = fired(self.ASLEEP, TWO_MINUTES.schedule(), self.WAKES, self.WAKES)
        assert (woken.status, woken.due) == (JobStatus.WAITING, self.WAKES + 2 * MINUTE)


class TestInvalid:
    ERROR = "report.lua:1: unexpected symbol\nmore"

    def test_it_tells_the_first_line_as_its_reason_and_is_not_due(self) -> None:
        state = found_invalid(new(), self.ERROR, now=NOW)
        assert (state.status, state.reason) == (JobStatus.INVALID, "report.lua:1: unexpected symbol")
        assert (state.error, state.due) == (self.ERROR, None)

    def test_a_good_file_gives_the_remaining_time_back(self) -> None:
        state = reloaded(TWO_MINUTES, found_invalid(new(), self.ERROR, now=NOW), NOW + MINUTE)
        assert state == new()

    def test_a_good_file_after_the_due_time_passed_starts_afresh(self) -> None:
        state = reloaded(TWO_MINUTES, found_invalid(new(), self.ERROR, now=NOW), NOW + 5 * MINUTE)
        assert state.due == NOW + 7 * MINUTE

    def test_a_job_that_slept_sleeps_on(self) -> None:
        invalid = found_invalid(TestSleeping.ASLEEP, self.ERROR, now=NOW)
        assert reloaded(TWO_MINUTES, invalid, NOW + MINUTE) == TestSleeping.ASLEEP

    def test_a_job_that_was_inactive_is_inactive_again(self) -> None:
        state = reloaded(TWO_MINUTES, found_invalid(deactivate(new()), self.ERROR, now=NOW))
        assert (state.status, state.error) == (JobStatus.INACTIVE, None)

    def test_a_job_never_seen_good_starts_afresh(self) -> None:
        state = reloaded(TWO_MINUTES, found_invalid(None, self.ERROR, now=NOW), NOW + MINUTE)
        assert (state.status, state.due, state.error) == (JobStatus.WAITING, NOW + 3 * MINUTE, None)

    def test_a_run_once_job_that_ran_is_still_done(self) -> None:
        once = TestRunOnce.ONCE
        invalid = found_invalid(ran(new(once), once), self.ERROR, now=NOW)
        assert reloaded(once, invalid).status is JobStatus.ONCE_DONE

    def test_the_switch_can_be_moved_meanwhile(self) -> None:
        invalid = found_invalid(new(), self.ERROR, now=NOW)
        off = deactivate(invalid)
        assert (off.status, off.active, off.reason) == (JobStatus.INVALID, False, invalid.reason)
        assert reloaded(TWO_MINUTES, off).status is JobStatus.INACTIVE
        assert reloaded(TWO_MINUTES, activate(off)).status is JobStatus.WAITING


settings_of_any_kind = st.builds(
    JobSettings,
    every=st.sampled_from([None, 1.0, 120.0, 86_400.0]),
    run_once=st.booleans(),
    run_at_start=st.booleans(),
    active=st.booleans(),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reload"), settings_of_any_kind),
        st.tuples(st.just("restart"), settings_of_any_kind),
        st.tuples(st.just("run"), st.sampled_from([*Returned, None])),
        st.tuples(st.just("manual"), st.sampled_from([*Returned, None])),
        st.tuples(st.sampled_from(["fire", "cancel", "invalid", "activate", "deactivate"]), st.none()),
    ),
    max_size=12,
)


def histories() -> st.SearchStrategy[tuple[JobSettings, JobState, datetime, int]]:
    """A job after some life: its settings, its state, the time, the session."""
    return st.builds(live, settings_of_any_kind, steps, st.integers(0, 90_000))


def live(
    settings: JobSettings, happened: list[tuple[str, object]], pace: int
) -> tuple[JobSettings, JobState, datetime, int]:
    now, session = NOW, 1
    state = at_start(None, settings, settings.schedule(), now=now, session=session).state
    for what, with_what in happened:
        now += timedelta(seconds=pace)
        if isinstance(with_what, JobSettings):
            settings, session = with_what, session + (what == "restart")
        state = after_step(state, settings, what, with_what, now, session)
        check(state)
    return settings, state, now, session


def after_step(
    state: JobState, settings: JobSettings, what: str, returned: object, now: datetime, session: int
) -> JobState:
    schedule = settings.schedule()
    match what:
        case "reload":
            return at_reload(state, settings, schedule, now=now, session=session)
        case "restart":
            return at_start(state, settings, schedule, now=now, session=session).state
        case "fire":
            return fired(state, schedule, state.due or now, now)
        case "invalid":
            return found_invalid(state, "bad", now=now)
        case "activate":
            return activate(state)
        case "deactivate":
            return deactivate(state)
    status = RunStatus.CANCELLED if what == "cancel" else RunStatus.COMPLETE
    outcome = Outcome(status, returned if isinstance(returned, Returned) else None)
    if what != "cancel" and returned is None:
        outcome = Outcome(RunStatus.ERROR, error="boom")
    trigger = Trigger.MANUAL if what == "manual" else Trigger.SCHEDULE
    return after_run(
        state, settings, schedule, outcome, started=now, finished=now, session=session, trigger=trigger
    )


def check(state: JobState) -> None:
    if state.status is JobStatus.INACTIVE:
        assert not state.armed
    if not state.armed:
        assert state.next_due is None
    if state.status in (JobStatus.STOPPED, JobStatus.ONCE_DONE):
        assert state.next_due is None
    if not state.active:
        assert state.status in (JobStatus.INACTIVE, JobStatus.INVALID)
        assert state.due is None
    if state.status is JobStatus.SLEEPING:
        assert state.due is not None
    assert state.reason


@settings(deadline=None)
@given(histories())
def test_reloading_twice_is_reloading_once(life: tuple[JobSettings, JobState, datetime, int]) -> None:
    settings, state, now, session = life
    once = reloaded(settings, state, now, session)
    assert reloaded(settings, once, now, session) == once


@settings(deadline=None)
@given(histories())
def test_a_reload_moves_no_due_time_of_an_unchanged_job(
    life: tuple[JobSettings, JobState, datetime, int],
) -> None:
    settings, state, now, session = life
    settled = reloaded(settings, state, now, session)
    later = reloaded(settings, settled, now + timedelta(seconds=30), session)
    assert (later.status, later.due) == (settled.status, settled.due)


@settings(deadline=None)
@given(histories())
def test_a_restart_leaves_no_due_time_in_the_past(life: tuple[JobSettings, JobState, datetime, int]) -> None:
    settings, state, now, session = life
    state = started(settings, state, now, session + 1).state
    assert state.due is None or state.due > now or state.status is JobStatus.ONCE


@settings(deadline=None)
@given(histories())
def test_an_active_job_with_an_interval_is_due_or_stopped_after_a_reload(
    life: tuple[JobSettings, JobState, datetime, int],
) -> None:
    settings, state, now, session = life
    state = reloaded(settings, state, now, session)
    if state.active and settings.every and not settings.run_once:
        assert state.status in (JobStatus.WAITING, JobStatus.SLEEPING)
        assert state.due is not None


@given(st.integers(-300, 300))
def test_a_job_may_choose_a_time_to_come_that_is_before_its_next_one(seconds: int) -> None:
    state, due = new(), NOW + timedelta(seconds=seconds)
    assert state.next_due == NOW + timedelta(seconds=120)
    allowed = why_not_next(state, due, NOW) is None
    assert allowed is (0 < seconds < 120)


def test_after_the_chosen_time_the_schedule_goes_on() -> None:
    daily = JobSettings(cron="0 18 * * *")
    state = chose_next(chose_next(new(daily), NOW + 2 * MINUTE), NOW + MINUTE)
    assert state.reason.count("job.next") == 1
    assert reloaded(daily, state).next_due == NOW + MINUTE
    after = fired(state, daily.schedule(), NOW + MINUTE, NOW + MINUTE)
    assert (after.next_due, after.reason) == (NOW + timedelta(hours=6), new(daily).reason)


def test_an_interval_counts_from_the_chosen_time() -> None:
    state = fired(chose_next(new(), NOW + MINUTE), TWO_MINUTES.schedule(), NOW + MINUTE, NOW + MINUTE)
    assert state.next_due == NOW + 3 * MINUTE


@pytest.mark.parametrize("returned", [Returned.SLEEP, Returned.STOP, Returned.EXIT])
def test_a_job_that_does_not_wait_has_no_next_time_to_choose(returned: Returned) -> None:
    state = ran(new(), TWO_MINUTES, returned)
    assert state.status.value in (why_not_next(state, NOW + MINUTE, NOW) or "")
