"""What a run that ended does to its job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.jobs.jobfile import JobSettings
from engine.rules.lifecycle import JobState, activate, at_reload, at_start, deactivate, fired, found_invalid
from engine.rules.outcome import after_run
from engine.run import Outcome
from engine.states import JobStatus, Returned, RunStatus, Trigger

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FINISHED = NOW + timedelta(seconds=40)
EVERY_MINUTE = JobSettings(every=60.0)
ONCE = JobSettings(every=60.0, run_once=True)
BY_CLOCK = [Trigger.SCHEDULE, Trigger.START, Trigger.RETRY, Trigger.MISSED]
BY_REQUEST = [Trigger.MANUAL, Trigger.CALL]


def new(settings: JobSettings = EVERY_MINUTE) -> JobState:
    return at_start(None, settings, settings.schedule(), now=NOW, session=7).state


def ended(
    state: JobState,
    outcome: Outcome | Returned,
    settings: JobSettings = EVERY_MINUTE,
    trigger: Trigger = Trigger.SCHEDULE,
) -> JobState:
    if isinstance(outcome, Returned):
        outcome = Outcome(RunStatus.COMPLETE, outcome)
    return after_run(
        state,
        settings,
        settings.schedule(),
        outcome,
        started=NOW,
        finished=FINISHED,
        session=7,
        trigger=trigger,
    )


def failure(status: RunStatus = RunStatus.ERROR, error: str | None = "a.lua:2: boom\ntraceback") -> Outcome:
    return Outcome(status, error=error)


@pytest.mark.parametrize("settings", [EVERY_MINUTE, JobSettings(every=60.0, on_error="continue")])
def test_a_failure_that_is_none_of_its_doing_leaves_a_job_on_its_schedule(settings: JobSettings) -> None:
    lost = Outcome(RunStatus.CRASHED, error="worker crashed: lost", blameless=True)
    after = ended(new(settings), lost, settings)
    assert (after.status, after.active, after.next_due) == (JobStatus.WAITING, True, new(settings).next_due)
    assert after.error == "worker crashed: lost"


def test_a_run_once_job_has_had_its_run_also_where_its_worker_was_lost() -> None:
    lost = Outcome(RunStatus.CRASHED, error="worker crashed: lost", blameless=True)
    assert ended(new(ONCE), lost, ONCE).status is JobStatus.ONCE_DONE


@pytest.mark.parametrize(
    ("returned", "status", "due", "active"),
    [
        (Returned.OK, JobStatus.WAITING, NOW + timedelta(seconds=60), True),
        (Returned.SLEEP, JobStatus.SLEEPING, NOW + timedelta(hours=24), True),
        (Returned.STOP, JobStatus.STOPPED, None, True),
        (Returned.EXIT, JobStatus.INACTIVE, None, False),
    ],
)
@pytest.mark.parametrize("trigger", BY_CLOCK + BY_REQUEST)
def test_each_return_decides_the_next_run_whoever_asked_for_this_one(
    returned: Returned, status: JobStatus, due: datetime | None, active: bool, trigger: Trigger
) -> None:
    state = ended(new(), returned, trigger=trigger)
    assert (state.status, state.due, state.active) == (status, due, active)


@pytest.mark.parametrize("on_error", ["deactivate", "continue"])
def test_quarantine_deactivates_whatever_the_job_wants_after_errors(on_error: str) -> None:
    settings = JobSettings(every=60.0, on_error=on_error)
    after = after_run(
        new(settings),
        settings,
        settings.schedule(),
        failure(RunStatus.CRASHED, "worker crashed"),
        started=NOW,
        finished=FINISHED,
        session=7,
        trigger=Trigger.RETRY,
        quarantined=True,
    )
    assert (after.status, after.active, after.next_due) == (JobStatus.INACTIVE, False, None)
    assert after.error == "worker crashed"
    assert "quarantine" in after.reason


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.TIMEOUT, RunStatus.CRASHED])
def test_a_failure_deactivates_and_keeps_its_error(status: RunStatus) -> None:
    state = ended(new(), failure(status))
    assert (state.status, state.active, state.due) == (JobStatus.INACTIVE, False, None)
    assert (state.reason, state.error) == ("a.lua:2: boom", "a.lua:2: boom\ntraceback")


def test_a_failure_without_words_is_still_explained() -> None:
    assert ended(new(), failure(RunStatus.CRASHED, None)).reason == "the run ended CRASHED"


def test_a_run_that_returned_none_of_the_four_counts_as_failed() -> None:
    assert ended(new(), Outcome(RunStatus.COMPLETE)).status is JobStatus.INACTIVE


def test_an_exit_is_no_error_and_clears_the_last_one() -> None:
    failed = activate(ended(new(), failure()))
    revived = at_reload(failed, EVERY_MINUTE, EVERY_MINUTE.schedule(), now=NOW, session=7)
    state = ended(revived, Returned.EXIT)
    assert (state.reason, state.error) == ("job.EXIT returned", None)


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.SKIPPED])
def test_a_cancelled_or_skipped_run_changes_nothing(status: RunStatus) -> None:
    assert ended(new(), Outcome(status)) == new()


def test_ok_leaves_the_due_time_that_was_set_when_the_run_was_fired() -> None:
    armed = fired(new(), EVERY_MINUTE.schedule(), NOW + timedelta(seconds=60), NOW + timedelta(seconds=60))
    assert ended(armed, Returned.OK).due == NOW + timedelta(seconds=120)


def test_ok_of_a_run_by_hand_wakes_a_sleeping_job() -> None:
    asleep = ended(new(), Returned.SLEEP)
    state = ended(asleep, Returned.OK, trigger=Trigger.MANUAL)
    assert (state.status, state.due) == (JobStatus.WAITING, NOW + timedelta(seconds=60))


@pytest.mark.parametrize("returned", [Returned.OK, Returned.SLEEP, Returned.STOP])
def test_no_run_revives_a_stopped_job(returned: Returned) -> None:
    stopped = ended(new(), Returned.STOP)
    assert ended(stopped, returned, trigger=Trigger.MANUAL) == stopped


@pytest.mark.parametrize("returned", list(Returned))
def test_no_run_revives_an_inactive_job(returned: Returned) -> None:
    inactive = deactivate(new())
    assert ended(inactive, returned, trigger=Trigger.MANUAL) == inactive


def test_a_failed_run_by_hand_shows_its_error_on_an_inactive_job() -> None:
    assert ended(deactivate(new()), failure(), trigger=Trigger.MANUAL).error == "a.lua:2: boom\ntraceback"


@pytest.mark.parametrize("outcome", [Outcome(RunStatus.COMPLETE, Returned.EXIT), failure()])
def test_a_bad_run_before_the_reload_takes_an_activation_back(outcome: Outcome) -> None:
    assert not ended(activate(deactivate(new())), outcome, trigger=Trigger.MANUAL).active


@pytest.mark.parametrize("returned", [Returned.OK, Returned.SLEEP, Returned.STOP])
@pytest.mark.parametrize("trigger", BY_CLOCK)
def test_a_run_once_job_is_done_after_its_own_run(returned: Returned, trigger: Trigger) -> None:
    state = ended(new(ONCE), returned, ONCE, trigger)
    assert (state.status, state.due, state.once_session) == (JobStatus.ONCE_DONE, None, 7)
    assert state.active


@pytest.mark.parametrize("trigger", BY_REQUEST)
def test_a_run_by_hand_is_not_the_run_of_a_run_once_job(trigger: Trigger) -> None:
    assert ended(new(ONCE), Returned.STOP, ONCE, trigger) == new(ONCE)


@pytest.mark.parametrize("outcome", [Outcome(RunStatus.COMPLETE, Returned.EXIT), failure()])
def test_exit_and_failure_deactivate_a_run_once_job(outcome: Outcome) -> None:
    assert ended(new(ONCE), outcome, ONCE).status is JobStatus.INACTIVE


def test_a_cancelled_run_of_a_run_once_job_is_behind_it() -> None:
    under_way = fired(new(ONCE), ONCE.schedule(), NOW, NOW)
    assert ended(under_way, Outcome(RunStatus.CANCELLED), ONCE).status is JobStatus.ONCE_DONE


class TestWhoseFileWentBadDuringTheRun:
    INVALID = found_invalid(new(), "bad", now=NOW)

    @pytest.mark.parametrize("returned", list(Returned))
    def test_the_job_stays_invalid(self, returned: Returned) -> None:
        state = ended(self.INVALID, returned)
        assert (state.status, state.error) == (JobStatus.INVALID, "bad")

    @pytest.mark.parametrize("outcome", [Outcome(RunStatus.COMPLETE, Returned.EXIT), failure()])
    def test_exit_and_failure_are_remembered(self, outcome: Outcome) -> None:
        assert not ended(self.INVALID, outcome).active

    def test_a_sleep_is_remembered(self) -> None:
        assert ended(self.INVALID, Returned.SLEEP).next_due == NOW + timedelta(hours=24)

    def test_the_run_of_a_run_once_job_is_remembered(self) -> None:
        state = ended(found_invalid(new(ONCE), "bad", now=NOW), Returned.OK, ONCE)
        assert (state.status, state.once_session) == (JobStatus.INVALID, 7)
