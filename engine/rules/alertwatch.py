"""When an alert of a job begins, goes on and ends. Pure, and the specification of alerts.

| kind          | begins                                                  | ends                           |
| ------------- | ------------------------------------------------------- | ------------------------------ |
| `failing`     | a run failed for good, `after_failures` times in a row  | with the next COMPLETE         |
| `missed`      | due times passed while no engine ran                    | with the next COMPLETE         |
| `overdue`     | no run was COMPLETE for `expect_every`                  | with the next COMPLETE         |
| `missing`     | no run `missing_after` a due time, whatever the reason  | with the next COMPLETE         |
| `slow`        | a run takes longer than it may                          | with the next COMPLETE in time |
| `fast`        | a run was COMPLETE sooner than it can be                | with the next that is not      |
| `late`        | a run starts, or still waits, `late_after` its due time | with the next start in time    |
| `flapping`    | `flap_changes` changes between failing and working      | at half as many                |
| `inactive`    | the job went INACTIVE by itself                         | when it takes part again       |
| `quarantined` | three attempts of one run crashed their worker          | when it takes part again       |
| `invalid`     | the job's file cannot be used                           | when it can be used            |

A failed run that is tried again is no failure yet. Cancelled and skipped runs say nothing. All alerts of a
job end when it is switched off by a person, or its file goes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from engine.jobs.alertrules import AlertRules
from engine.rules.lifecycle import QUARANTINED
from engine.states import FAILED, JobStatus, RunStatus
from engine.times.quantities import format_duration

#: A job's usual time counts as at least so much where `slow_times` multiplies it.
LEAST_USUAL_SECONDS = 1.0

LONGEST_ERROR = 300


class AlertKind(StrEnum):
    """What is wrong with a job."""

    FAILING = "failing"
    MISSED = "missed"
    OVERDUE = "overdue"
    MISSING = "missing"
    SLOW = "slow"
    FAST = "fast"
    LATE = "late"
    FLAPPING = "flapping"
    INACTIVE = "inactive"
    QUARANTINED = "quarantined"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of a job for its alerts.

    Attributes:
        ongoing: the alerts that have begun and not ended.
        failures: failed runs since the last COMPLETE one.
        failed: how the last run ended, None before there was one.
        changes: when the job changed between failing and working, as far as that still counts.
    """

    ongoing: frozenset[AlertKind] = frozenset()
    failures: int = 0
    failed: bool | None = None
    changes: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A reason for an alert was seen: the alert begins, or goes on."""

    kind: AlertKind
    reason: str
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """An alert is over."""

    kind: AlertKind
    reason: str


#: Kinds that end with any COMPLETE run.
_UNTIL_COMPLETE = (AlertKind.FAILING, AlertKind.MISSED, AlertKind.OVERDUE, AlertKind.MISSING)

Change = Shown | Ended
Step = tuple[Watch, list[Change]]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """How a run ended, as far as alerts ask.

    Attributes:
        retried: it is tried again.
    """

    run: int
    at: datetime
    status: RunStatus
    seconds: float | None = None
    error: str | None = None
    retried: bool = False


def run_ended(watch: Watch, rules: AlertRules, end: RunEnded, usual_seconds: float | None) -> Step:
    """Return what the end of a run changes.

    Args:
        usual_seconds: what the job's runs usually take, None if that is not known.
    """
    failed = end.status in FAILED
    if not failed and end.status is not RunStatus.COMPLETE:
        return watch, []
    if failed and end.retried:
        return watch, []
    watch = _with_end(watch, rules, end.at, failed)
    changes = _flapping(watch, rules, end)
    changes += _failed(watch, rules, end) if failed else _complete(watch, rules, end, usual_seconds)
    return _stepped(watch, rules, changes)


def run_started(watch: Watch, rules: AlertRules, run: int, late_seconds: float) -> Step:
    """Return what the start of a run changes."""
    if rules.late_after and late_seconds > rules.late_after:
        reason = f"run {run} started {format_duration(round(late_seconds))} after it was due"
        return _stepped(watch, rules, [Shown(AlertKind.LATE, reason, run)])
    return _stepped(watch, rules, [Ended(AlertKind.LATE, f"run {run} started in time")])


def still_waits(watch: Watch, rules: AlertRules, run: int, seconds: float) -> Step:
    """Return what it changes that a run waits longer than `late_after`."""
    reason = f"run {run} waits for {format_duration(round(seconds))} already and has not started"
    return _stepped(watch, rules, [Shown(AlertKind.LATE, reason, run)])


def still_runs(watch: Watch, rules: AlertRules, run: int, limit_seconds: float) -> Step:
    """Return what it changes that a run takes longer than its limit, while it goes on."""
    reason = f"run {run} goes on for longer than {format_duration(limit_seconds)}"
    return _stepped(watch, rules, [Shown(AlertKind.SLOW, reason, run)])


def runs_missed(watch: Watch, rules: AlertRules, count: int) -> Step:
    """Return what it changes that due times passed while no engine ran."""
    if not rules.missed:
        return watch, []
    times = "a due time" if count == 1 else f"{count} due times"
    return _stepped(watch, rules, [Shown(AlertKind.MISSED, f"{times} passed while no engine ran")])


def none_complete(watch: Watch, rules: AlertRules) -> Step:
    """Return what it changes that no run was COMPLETE for `expect_every`."""
    reason = f"no run was COMPLETE for {format_duration(rules.expect_every)}"
    return _stepped(watch, rules, [Shown(AlertKind.OVERDUE, reason)])


def not_run(watch: Watch, rules: AlertRules, due: datetime) -> Step:
    """Return what it changes that a job has not run `missing_after` it was due."""
    when = f"{due:%Y-%m-%d %H:%M:%S} UTC"
    reason = f"it was due at {when}, and has not run for {format_duration(rules.missing_after)} since"
    return _stepped(watch, rules, [Shown(AlertKind.MISSING, reason)])


def job_stands(
    watch: Watch, rules: AlertRules, status: JobStatus, reason: str, *, switched_off: bool
) -> Step:
    """Return what the job's status changes.

    Args:
        switched_off: a person, or the file itself, wants the job INACTIVE.
    """
    if switched_off:
        return gone(watch, "the job was switched off")
    if status is JobStatus.INVALID:
        return _stepped(watch, rules, _stands_badly(watch, rules, Shown(AlertKind.INVALID, _short(reason))))
    changes: list[Change] = [Ended(AlertKind.INVALID, "the file can be used again")]
    if status is not JobStatus.INACTIVE:
        over = f"the job is {status.value}"
        changes += [Ended(AlertKind.INACTIVE, over), Ended(AlertKind.QUARANTINED, over)]
    elif reason == QUARANTINED:
        changes += _stands_badly(watch, rules, Shown(AlertKind.QUARANTINED, reason))
    elif AlertKind.FAILING not in watch.ongoing:
        # A failure that made the job inactive is told once, as what it is.
        shown = Shown(AlertKind.INACTIVE, f"the job went INACTIVE: {_short(reason)}")
        changes += _stands_badly(watch, rules, shown)
    return _stepped(watch, rules, changes)


def rules_changed(watch: Watch, rules: AlertRules) -> Step:
    """Return what it changes that a job has other rules: alerts that nobody asks for any more end."""
    if not watch.ongoing:
        return _stepped(watch, rules, [])
    wanted = {
        AlertKind.MISSED: rules.missed,
        AlertKind.OVERDUE: rules.expect_every,
        AlertKind.MISSING: rules.missing_after,
        AlertKind.SLOW: rules.slow_after or rules.slow_times,
        AlertKind.FAST: rules.fast_under,
        AlertKind.LATE: rules.late_after,
        AlertKind.FLAPPING: rules.flap_changes,
        AlertKind.INACTIVE: rules.inactive,
        AlertKind.QUARANTINED: rules.inactive,
        AlertKind.INVALID: rules.inactive,
    }
    return _stepped(
        watch, rules, [Ended(kind, "the rule was switched off") for kind in wanted if not wanted[kind]]
    )


def gone(watch: Watch, reason: str) -> Step:
    """Return what it changes that a job takes no part any more."""
    return Watch(), [Ended(kind, reason) for kind in sorted(watch.ongoing)]


def slow_limit(rules: AlertRules, usual_seconds: float | None) -> float | None:
    """Return the seconds after which a run is slow, or None for no limit."""
    limits = [rules.slow_after] if rules.slow_after else []
    if rules.slow_times and usual_seconds is not None:
        limits.append(rules.slow_times * max(usual_seconds, LEAST_USUAL_SECONDS))
    return min(limits, default=None)


def _stands_badly(watch: Watch, rules: AlertRules, shown: Shown) -> list[Change]:
    """Return what shows a bad status, once: that it lasts is nothing new."""
    return [shown] if rules.inactive and shown.kind not in watch.ongoing else []


def _with_end(watch: Watch, rules: AlertRules, at: datetime, failed: bool) -> Watch:
    changed = watch.failed is not None and watch.failed != failed
    changes: tuple[datetime, ...] = ()
    if rules.flap_changes:
        since = at - timedelta(seconds=rules.flap_within)
        seen = (*watch.changes, at) if changed else watch.changes
        changes = tuple(one for one in seen if one > since)[-rules.flap_changes :]
    return replace(watch, failed=failed, failures=watch.failures + 1 if failed else 0, changes=changes)


def _flapping(watch: Watch, rules: AlertRules, end: RunEnded) -> list[Change]:
    count = len(watch.changes)
    if rules.flap_changes and count >= rules.flap_changes:
        within = format_duration(rules.flap_within)
        reason = f"the job changed {count} times within {within} between failing and working"
        return [Shown(AlertKind.FLAPPING, reason, end.run)]
    if count <= rules.flap_changes // 2:
        return [Ended(AlertKind.FLAPPING, "the job has calmed down")]
    return []


def _failed(watch: Watch, rules: AlertRules, end: RunEnded) -> list[Change]:
    if AlertKind.FAILING not in watch.ongoing and watch.failures < rules.after_failures:
        return []
    reason = f"run {end.run} ended {end.status.value}"
    return [Shown(AlertKind.FAILING, f"{reason}: {_short(end.error)}" if end.error else reason, end.run)]


def _complete(watch: Watch, rules: AlertRules, end: RunEnded, usual_seconds: float | None) -> list[Change]:
    complete = f"run {end.run} is COMPLETE"
    changes: list[Change] = [Ended(kind, complete) for kind in _UNTIL_COMPLETE]
    seconds = end.seconds or 0.0
    limit = slow_limit(rules, usual_seconds)
    if limit is not None and seconds > limit:
        took = f"run {end.run} took {format_duration(seconds)}, longer than {format_duration(limit)}"
        changes.append(Shown(AlertKind.SLOW, took, end.run))
    else:
        changes.append(Ended(AlertKind.SLOW, f"{complete} in time"))
    if rules.fast_under and seconds < rules.fast_under:
        took = f"run {end.run} took {format_duration(seconds)}, less than {format_duration(rules.fast_under)}"
        changes.append(Shown(AlertKind.FAST, took, end.run))
    else:
        changes.append(Ended(AlertKind.FAST, f"{complete} and took its time"))
    return changes


def _stepped(watch: Watch, rules: AlertRules, changes: list[Change]) -> Step:
    """Return the watch after some changes, without those that end what has not begun."""
    if not rules.enabled:
        off, ended = gone(watch, "alerts are switched off")
        return replace(off, failed=watch.failed, failures=watch.failures), ended
    ongoing, real = set(watch.ongoing), list[Change]()
    for change in changes:
        if isinstance(change, Shown):
            ongoing.add(change.kind)
        elif change.kind in ongoing:
            ongoing.remove(change.kind)
        else:
            continue
        real.append(change)
    if not real:
        return watch, real
    return replace(watch, ongoing=frozenset(ongoing)), real


def _short(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 3] + "..."
