"""The rules of alerts: what begins one, what ends it, and that none begins twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.alertrules import AlertRules, read_alerts
from engine.rules import alertwatch
from engine.rules.alertwatch import AlertKind, Change, Ended, RunEnded, Shown, Step, Watch
from engine.rules.lifecycle import QUARANTINED
from engine.states import JobStatus, RunStatus

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAIN = AlertRules()


def ended(
    status: RunStatus = RunStatus.COMPLETE,
    *,
    run: int = 1,
    minute: int = 0,
    seconds: float = 1.0,
    **more: object,
) -> RunEnded:
    at = NOON + timedelta(minutes=minute)
    return RunEnded(run, at, status, seconds, **more)  # type: ignore[arg-type]


def after(rules: AlertRules, *ends: RunEnded, watch: Watch | None = None, usual: float | None = None) -> Step:
    """Return the watch after some runs, and what the last one changed."""
    watch, changes = watch or Watch(), list[Change]()
    for end in ends:
        watch, changes = alertwatch.run_ended(watch, rules, end, usual)
    return watch, changes


def kinds(changes: list[Change], what: type[Change]) -> set[AlertKind]:
    return {change.kind for change in changes if isinstance(change, what)}


ERROR, COMPLETE = RunStatus.ERROR, RunStatus.COMPLETE


def test_the_first_failure_begins_an_alert_with_the_error_in_it() -> None:
    watch, changes = after(PLAIN, ended(ERROR, run=7, error="no connection\nstack traceback"))
    assert changes == [Shown(AlertKind.FAILING, "run 7 ended ERROR: no connection", 7)]
    assert watch.ongoing == {AlertKind.FAILING}


def test_the_next_complete_run_ends_it() -> None:
    watch, changes = after(PLAIN, ended(ERROR), ended(ERROR), ended(COMPLETE, run=3))
    assert changes == [Ended(AlertKind.FAILING, "run 3 is COMPLETE")]
    assert watch.ongoing == frozenset()


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.SKIPPED])
def test_a_cancelled_or_skipped_run_says_nothing(status: RunStatus) -> None:
    watch, _ = after(PLAIN, ended(ERROR))
    assert after(PLAIN, ended(status), watch=watch) == (watch, [])


def test_a_failed_run_that_is_tried_again_is_no_failure_yet() -> None:
    assert after(PLAIN, ended(ERROR, retried=True)) == (Watch(), [])


def test_an_alert_can_wait_for_several_failures_in_a_row() -> None:
    rules = AlertRules(after_failures=3)
    watch, changes = after(rules, ended(ERROR), ended(ERROR))
    assert changes == []
    _, changes = after(rules, ended(COMPLETE), ended(ERROR), ended(ERROR), watch=watch)
    assert changes == []
    _, changes = after(rules, ended(ERROR), watch=watch)
    assert kinds(changes, Shown) == {AlertKind.FAILING}


def test_a_run_longer_than_allowed_is_slow_until_one_is_in_time() -> None:
    rules = AlertRules(slow_after=60.0)
    watch, changes = after(rules, ended(seconds=61))
    assert kinds(changes, Shown) == {AlertKind.SLOW}
    _, changes = after(rules, ended(seconds=59), watch=watch)
    assert kinds(changes, Ended) == {AlertKind.SLOW}


def test_slow_can_be_a_multiple_of_the_usual_time() -> None:
    rules = AlertRules(slow_times=3.0)
    assert alertwatch.slow_limit(rules, None) is None
    assert alertwatch.slow_limit(rules, 20.0) == 60.0
    # A job of some milliseconds is not slow because one run took some more.
    assert alertwatch.slow_limit(rules, 0.002) == 3.0
    _, changes = after(rules, ended(seconds=61), usual=20.0)
    assert kinds(changes, Shown) == {AlertKind.SLOW}


def test_a_run_sooner_complete_than_it_can_be_is_fast() -> None:
    rules = AlertRules(fast_under=0.5)
    watch, changes = after(rules, ended(seconds=0.1))
    assert kinds(changes, Shown) == {AlertKind.FAST}
    _, changes = after(rules, ended(seconds=0.6), watch=watch)
    assert kinds(changes, Ended) == {AlertKind.FAST}


def test_a_late_start_begins_an_alert_and_one_in_time_ends_it() -> None:
    rules = AlertRules(late_after=10.0)
    watch, changes = alertwatch.run_started(Watch(), rules, 1, 11.0)
    assert changes == [Shown(AlertKind.LATE, "run 1 started 11 s after it was due", 1)]
    _, changes = alertwatch.run_started(watch, rules, 2, 0.01)
    assert changes == [Ended(AlertKind.LATE, "run 2 started in time")]


def test_many_changes_are_flapping_until_there_are_half_as_many() -> None:
    rules = AlertRules(flap_changes=4, flap_within=3600.0)
    ends = [ended(ERROR if minute % 2 else COMPLETE, minute=minute) for minute in range(5)]
    watch, changes = after(rules, *ends)
    assert AlertKind.FLAPPING in kinds(changes, Shown)
    watch, changes = after(rules, ended(COMPLETE, minute=6), watch=watch)
    assert AlertKind.FLAPPING not in kinds(changes, Ended)
    _, changes = after(rules, ended(COMPLETE, minute=70), watch=watch)
    assert AlertKind.FLAPPING in kinds(changes, Ended)


def test_missed_and_overdue_end_with_a_complete_run() -> None:
    rules = AlertRules(expect_every=3600.0)
    watch, changes = alertwatch.runs_missed(Watch(), rules, 3)
    assert changes == [Shown(AlertKind.MISSED, "3 due times passed while no engine ran")]
    watch, changes = alertwatch.none_complete(watch, rules)
    assert changes == [Shown(AlertKind.OVERDUE, "no run was COMPLETE for 1 h")]
    _, changes = after(rules, ended(COMPLETE), watch=watch)
    assert kinds(changes, Ended) == {AlertKind.MISSED, AlertKind.OVERDUE}


def test_a_job_that_has_not_run_is_missing_until_a_run_is_complete() -> None:
    rules = AlertRules(missing_after=900.0)
    watch, changes = alertwatch.not_run(Watch(), rules, NOON)
    words = "it was due at 2026-03-02 12:00:00 UTC, and has not run for 15 min since"
    assert changes == [Shown(AlertKind.MISSING, words)]
    watch, changes = after(rules, ended(ERROR), watch=watch)
    assert kinds(changes, Ended) == set()
    _, changes = after(rules, ended(COMPLETE), watch=watch)
    assert kinds(changes, Ended) == {AlertKind.MISSING, AlertKind.FAILING}


def test_quarantine_is_told_beside_the_failure_until_the_job_takes_part_again() -> None:
    watch, _ = after(PLAIN, ended(RunStatus.CRASHED))
    quarantine = partial(alertwatch.job_stands, rules=PLAIN, reason=QUARANTINED, switched_off=False)
    watch, changes = quarantine(watch, status=JobStatus.INACTIVE)
    assert changes == [Shown(AlertKind.QUARANTINED, QUARANTINED)]
    assert quarantine(watch, status=JobStatus.INACTIVE) == (watch, [])
    _, changes = stands(watch, JobStatus.WAITING)
    assert kinds(changes, Ended) == {AlertKind.QUARANTINED}


def stands(watch: Watch, status: JobStatus, *, off: bool = False, rules: AlertRules = PLAIN) -> Step:
    return alertwatch.job_stands(watch, rules, status, "job.EXIT returned", switched_off=off)


def test_a_job_that_goes_inactive_by_itself_is_told_once() -> None:
    watch, changes = stands(Watch(), JobStatus.INACTIVE)
    assert changes == [Shown(AlertKind.INACTIVE, "the job went INACTIVE: job.EXIT returned")]
    assert stands(watch, JobStatus.INACTIVE) == (watch, [])
    _, changes = stands(watch, JobStatus.WAITING)
    assert kinds(changes, Ended) == {AlertKind.INACTIVE}


def test_a_failure_that_makes_the_job_inactive_is_one_alert() -> None:
    watch, _ = after(PLAIN, ended(ERROR))
    assert stands(watch, JobStatus.INACTIVE) == (watch, [])


def test_an_invalid_file_is_an_alert_until_it_is_mended() -> None:
    watch, changes = stands(Watch(), JobStatus.INVALID)
    assert kinds(changes, Shown) == {AlertKind.INVALID}
    _, changes = stands(watch, JobStatus.WAITING)
    assert kinds(changes, Ended) == {AlertKind.INVALID}


def test_a_person_who_switches_a_job_off_ends_its_alerts() -> None:
    watch, _ = after(PLAIN, ended(ERROR))
    watch, changes = stands(watch, JobStatus.INACTIVE, off=True)
    assert changes == [Ended(AlertKind.FAILING, "the job was switched off")]
    assert watch.ongoing == frozenset()


def test_a_rule_that_is_switched_off_ends_its_alert() -> None:
    rules = AlertRules(fast_under=1.0)
    watch, _ = after(rules, ended(seconds=0.1))
    watch, changes = alertwatch.rules_changed(watch, PLAIN)
    assert kinds(changes, Ended) == {AlertKind.FAST}


def test_nothing_is_an_alert_where_alerts_are_off() -> None:
    off = AlertRules(enabled=False, slow_after=1.0)
    assert after(off, ended(ERROR), ended(seconds=9))[1] == []
    watch, _ = after(PLAIN, ended(ERROR))
    _, changes = after(off, ended(ERROR), watch=watch)
    assert kinds(changes, Ended) == {AlertKind.FAILING}


# Whatever happens

rules_of = st.builds(
    AlertRules,
    enabled=st.booleans() | st.just(True),
    after_failures=st.integers(1, 3),
    missed=st.booleans(),
    inactive=st.booleans(),
    late_after=st.sampled_from([0.0, 5.0]),
    slow_after=st.sampled_from([0.0, 5.0]),
    slow_times=st.sampled_from([0.0, 2.0]),
    fast_under=st.sampled_from([0.0, 0.5]),
    expect_every=st.sampled_from([0.0, 60.0]),
    missing_after=st.sampled_from([0.0, 60.0]),
    flap_changes=st.sampled_from([0, 3, 4]),
)
seconds = st.sampled_from([0.1, 1.0, 9.0])
happenings = st.one_of(
    st.tuples(st.just("end"), st.sampled_from(sorted(RunStatus)), seconds, st.booleans()),
    st.tuples(st.just("start"), seconds),
    st.tuples(st.sampled_from(["waits", "runs", "missed", "overdue", "missing", "rules"])),
    st.tuples(st.just("stands"), st.sampled_from(sorted(JobStatus)), st.booleans()),
)


def happen(watch: Watch, rules: AlertRules, what: tuple[object, ...], minute: int) -> Step:
    match what:
        case ("end", RunStatus() as status, float() as took, bool() as retried):
            end = ended(status, minute=minute, seconds=took, retried=retried)
            return alertwatch.run_ended(watch, rules, end, 1.0)
        case ("start", float() as late):
            return alertwatch.run_started(watch, rules, 1, late)
        case ("waits",):
            return alertwatch.still_waits(watch, rules, 1, 5.0)
        case ("runs",):
            return alertwatch.still_runs(watch, rules, 1, 5.0)
        case ("missed",):
            return alertwatch.runs_missed(watch, rules, 2)
        case ("missing",):
            return alertwatch.not_run(watch, rules, NOON)
        case ("overdue",):
            return alertwatch.none_complete(watch, rules)
        case ("stands", JobStatus() as status, bool() as off):
            return stands(watch, status, off=off, rules=rules)
        case _:
            return alertwatch.rules_changed(watch, rules)


@given(rules_of, st.lists(st.tuples(happenings, st.integers(0, 30)), max_size=40))
def test_alerts_are_what_their_changes_say(
    rules: AlertRules, story: list[tuple[tuple[object, ...], int]]
) -> None:
    watch, minute, known = Watch(), 0, set[AlertKind]()
    for what, pause in story:
        minute += pause
        watch, changes = happen(watch, rules, what, minute)
        for change in changes:
            if isinstance(change, Ended):
                known.remove(change.kind)
            else:
                known.add(change.kind)
        assert known == watch.ongoing
        assert rules.enabled or not known


@given(rules_of, st.lists(st.tuples(happenings, st.integers(0, 30)), max_size=20), seconds)
def test_after_a_good_run_only_what_it_shows_itself_goes_on(
    rules: AlertRules, story: list[tuple[tuple[object, ...], int]], took: float
) -> None:
    watch = Watch()
    for minute, (what, _) in enumerate(story):
        watch, _ = happen(watch, rules, what, minute)
    watch, _ = alertwatch.run_ended(watch, rules, ended(minute=100, seconds=took), 1.0)
    assert not watch.ongoing & {AlertKind.FAILING, AlertKind.MISSED, AlertKind.OVERDUE, AlertKind.MISSING}
    limit = alertwatch.slow_limit(rules, 1.0)
    if rules.enabled:
        assert (AlertKind.SLOW in watch.ongoing) == (limit is not None and took > limit)
        assert (AlertKind.FAST in watch.ongoing) == (rules.fast_under > 0 and took < rules.fast_under)


# What a job file may say


def test_a_job_gives_only_what_is_to_be_another() -> None:
    given_here = read_alerts({"slow_after": "5m", "quiet": "22:00-07:00"})
    rules = AlertRules(slow_after=1.0, fast_under=2.0).overridden(given_here)
    assert (rules.slow_after, rules.fast_under, rules.quiet) == (300.0, 2.0, ("22:00-07:00",))


def test_false_stands_for_no_alerts() -> None:
    assert read_alerts(False) == {"enabled": False}
    assert read_alerts([]) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"slow_afer": "5m"}, "did you mean slow_after"),
        ({"to": "https://away.example/?secret"}, "must be the name of a receiver in moontide.toml"),
        ({"to": "ann@shop.example"}, "no address"),
        ({"to": ["shop"]}, "no address"),
        ({"slow_after": "soon"}, "slow_after must be a duration"),
        ({"after_failures": 0}, "after_failures must be a whole number from 1"),
        ({"slow_times": 1}, "slow_times must be a number above 1"),
        ({"flap_changes": 2}, "flap_changes must be 3 or more"),
        ({"remind_every": "1s"}, "remind_every must be 1 min or longer"),
        ({"missed": "maybe"}, "missed must be true or false"),
        ("all", "must be a table"),
    ],
)
def test_what_a_job_may_not_say_is_named(wrong: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_alerts(wrong)
