"""What the API shows of jobs, runs and the engine: plain values, ready for JSON.

Times are aware datetimes; as JSON they are ISO 8601 with offset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AlertView:
    """Something that is, or was, wrong with a job.

    Attributes:
        kind: an `AlertKind` value; `reason` says it in words.
        run: the run that showed it first.
        last: when it was seen last, `count` times in all.
        told: when people were told of it last; None if they were not yet.
        end_told: when they were told that it is over.
        trouble: why it could not be told, where that was given up.
        acked: when somebody said that they know of it.
        lasted_seconds: how long it went on, once it is over.
    """

    id: int
    job: str
    kind: str
    reason: str
    run: int | None
    since: datetime
    last: datetime
    count: int
    told: datetime | None
    ended: datetime | None
    end_reason: str | None
    end_told: datetime | None
    trouble: str | None
    acked: datetime | None
    acked_by: str | None
    note: str | None
    lasted_seconds: float | None


@dataclass(frozen=True, slots=True)
class JobView:
    """One job as the list and its own page show it.

    Attributes:
        status: a `JobStatus` value; `reason` says in words why.
        activity: idle, queued or running.
        schedule: the schedule in words ("every 2m"), "on demand" without one.
        error: the last error with its Lua traceback, kept until the next good run.
        settings: the settings that count, with defaults filled in.
        permissions: "open" if the job may use every core module, "declared" if only what `allow` holds.
        allow: the core modules that the job lists: true for all that one can do, or patterns.
        groups: the groups that the file gives.
        paused: what is paused, by whom and why, if that keeps the job from running; else "".
        paused_until: when that ends by itself, or None.
        alerts: what is wrong with it now, the oldest first.
        given: how many schedules that were given at run time are in force beside the file's own.
        origins: where values of settings come from, "file" or "operator"; all others are defaults. For
            `active` it tells whether a person switched the job other than its file says.
        replaced: what the file says, in its own words, where an operator's setting counts instead.
    """

    name: str
    path: str
    status: str
    reason: str
    active: bool
    activity: str
    schedule: str
    next_run: datetime | None
    last_run: datetime | None
    last_status: str | None
    last_run_id: int | None = None
    last_returned: str | None = None
    error: str | None = None
    description: str = ""
    version: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    source_hash: str | None = None
    permissions: str = "open"
    allow: dict[str, Any] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    paused: str = ""
    paused_until: datetime | None = None
    alerts: list[AlertView] = field(default_factory=list)
    given: int = 0
    origins: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as the API shows it.

    Attributes:
        called_by: the run that asked for this one by `core.jobs`.
        schedule_id: the schedule given at run time that this run comes from.
        problems: what it told by `job.warn` and `job.err`, each with level, code and text; None without any.
        version: of the job's code, as its settings said when it started.
        modules: the library modules that it was given, by name the hash of each one's source.
        remove_at: when it is due to be removed, by its job's `remove_after`.
        position: its place among all runs that wait, 1 being the first; None for one that does not wait.
        waits_for: what it waits for, in words; "" for one that does not wait.
    """

    id: int
    job: str
    status: str
    returned: str | None
    trigger: str
    attempt: int
    due: datetime
    started: datetime | None
    finished: datetime | None
    duration_ms: float | None
    error: str | None
    result: Any
    info: Any
    data: Any = None
    result_note: str | None = None
    user_id: int = 0
    session: int | None = None
    rescheduled_from: int | None = None
    called_by: int | None = None
    schedule_id: int | None = None
    source_hash: str | None = None
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    log_lines: int = 0
    problems: list[dict[str, str]] | None = None
    version: str | None = None
    modules: dict[str, str] | None = None
    remove_at: datetime | None = None
    position: int | None = None
    waits_for: str = ""

    @property
    def wait(self) -> str:
        """How it waits, in words; "" for one that does not."""
        return "" if self.position is None else f"number {self.position} in line: {self.waits_for}"


@dataclass(frozen=True, slots=True)
class StateView:
    """What a job keeps from one run to the next.

    Attributes:
        lasting: this is what stays for good, not what goes when a run ends COMPLETE.
        value: None if the job keeps nothing.
        run_id: the run that kept it; None for an operator.
    """

    job: str
    lasting: bool
    value: Any = None
    updated: datetime | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One schedule given at run time.

    Attributes:
        status: a `ScheduleStatus` value: ACTIVE while it makes runs, or its single run is still to come.
        schedule: what makes it due, in words.
        repeats: whether it is due again and again; False for a single run.
        due: when it is due next; of a single run, when that was due.
        retries: instead of the job's own setting, None for that; so is `retry_delay` in seconds.
        remove_after: seconds after which its COMPLETE runs are removed, None keeps them.
        run_skipped: whether a run makes up for times that passed, None for the job's own setting.
        created_by: the operator, or the job with its run, that gave it.
        ended: when it was cancelled or ran out; `reason` says why.
        last_run_id: the latest run that it made.
        skipped: how many of its due times passed without a run; `note` says why the last one did.
    """

    id: int
    job: str
    status: str
    schedule: str
    repeats: bool
    due: datetime | None
    user_id: int
    tag: str
    data: Any
    retries: int | str | None
    retry_delay: float | None
    remove_after: float | None
    run_skipped: bool | None
    created: datetime
    created_by: str
    called_by: int | None
    ended: datetime | None
    reason: str | None
    last_run_id: int | None
    skipped: int
    note: str | None


@dataclass(frozen=True, slots=True)
class LogLineView:
    """One line of a run's log."""

    number: int
    at: datetime
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class EngineView:
    """The engine as `moontide status` shows it.

    Attributes:
        holds: disabled groups and pauses in words; those of single jobs only as their number.
        alerts: how many alerts of jobs go on.
    """

    state: str
    version: str
    pid: int
    home: str
    jobs_folder: str
    database: str
    session: int
    started: datetime
    now: datetime
    jobs: int
    jobs_by_status: dict[str, int]
    running: int
    queued: int
    pool_size: int
    workers: int
    runs_total: int
    journal: str
    walls: dict[str, str]
    problems: list[str] = field(default_factory=list)
    alerts: int = 0
    holds: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HoldView:
    """A disabled group, or a pause.

    Attributes:
        kind: disabled or paused.
        scope: job, group or engine.
        target: the name of the job or group; "" for the engine.
        until: when it ends by itself, or None.
        words: all of it in one sentence.
    """

    kind: str
    scope: str
    target: str
    note: str
    actor: str
    since: datetime
    until: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of jobs.

    Attributes:
        note: why it is disabled; "" while it is enabled.
        actor: who disabled it.
        since: when it was disabled.
        paused: the group's pause in words; "" without one.
        limit: how many runs of its jobs may go on at once, or None.
        jobs: the names of its jobs.
    """

    name: str
    enabled: bool
    note: str
    actor: str
    since: datetime | None
    paused: str
    limit: int | None
    jobs: list[str]


@dataclass(frozen=True, slots=True)
class AuditView:
    """One action of an operator.

    Attributes:
        actor: who, such as "anna@web1".
        origin: by which way: socket, tcp or ssh.
        action: what was done.
        target: to what: a job's name, a run's id, a group's name; "" for the engine.
        before: what it was, as far as the action changed it.
        after: what it is since then.
    """

    id: int
    at: datetime
    actor: str
    origin: str
    action: str
    target: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class CallerView:
    """Who asks, as the engine knows it.

    Attributes:
        name: of the token or key; "" for the owner, at the socket in the home folder.
        role: viewer, operator or admin.
        way: how the request came: socket, tcp or ssh.
    """

    name: str
    role: str
    way: str


@dataclass(frozen=True, slots=True)
class BulkView:
    """What became of one job or run of many.

    Attributes:
        target: the job's name, or the run's id.
        ok: whether it was done.
        message: what it is now, or why it was not done.
    """

    target: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class ReloadView:
    """What a reload changed.

    Attributes:
        modules: library modules that changed, by name the jobs that are known to use each.
        dropped: operators' settings that count no longer, by job each with its value.
    """

    added: list[str]
    changed: list[str]
    removed: list[str]
    invalid: dict[str, str]
    revived: list[str]
    unchanged: int
    duration_ms: float
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedChangeView:
    """What a reload would make of one job.

    Attributes:
        becomes: added, changed, removed, revived, invalid or other; the first that fits of
            added, removed, invalid, changed, revived. "other" stands for another state or due time alone.
        settings: the settings whose values will be others.
        was: the status so far, "" for a new job.
        status: as it will be, "" for a removed job; `reason` says why.
        next_run: when it will be due; `next_was` is when it is due without the reload.
    """

    job: str
    becomes: str
    settings: list[str]
    was: str
    status: str
    reason: str
    next_was: datetime | None
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class ReloadPlanView:
    """What a reload would change.

    Attributes:
        changes: the jobs of which anything would be different, in the order of their names.
        invalid: why files cannot be used, also those that were bad before: by job.
        unchanged: how many jobs would stay as they are.
        modules, dropped: as in `ReloadView`.
    """

    changes: list[PlannedChangeView]
    invalid: dict[str, str]
    unchanged: int
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A screen that a plugin adds to the dashboard.

    Attributes:
        key: opens it; "" without one.
        path: where its class is, "module:Class".
    """

    title: str
    key: str
    path: str


@dataclass(frozen=True, slots=True)
class PluginView:
    """One plugin as `moontide plugins` lists it.

    Attributes:
        status: "loaded", "failed" or "disabled"; `reason` says why it is not loaded, or what of it is not.
        adds: what it adds to the engine, each in a few words, such as "setting slack_tell".
        screens: what it adds to the dashboard, which loads that itself.
    """

    name: str
    version: str
    origin: str
    hooks: list[str]
    core: list[str]
    status: str
    reason: str
    adds: list[str] = field(default_factory=list)
    screens: list[ScreenView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ProblemView:
    """One thing that is wrong with a job file, as `moontide check` prints it."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class ComingView:
    """One due time to come.

    Attributes:
        notes: what is unusual about it, in words: a change of the clocks, jitter, the end of the schedule.
        schedule_id: the schedule given at run time that makes it due; None for the job file's own.
    """

    job: str
    due: datetime
    notes: list[str] = field(default_factory=list)
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class SlotView:
    """What became, or will become, of a planned time, or of several that ended alike.

    Attributes:
        due: the planned time, or the first of several; `last_due` is the last of them.
        count: how many; null for all from `due` until the job was due again.
        fate: planned, ran, late, skipped, missed or superseded.
        cause: for those that did not run: overlap, paused, group, blackout, state, down, clock or schedule.
        reason: in words.
        run: the run that was made for it, or that stands for it.
        status: where that run stands, if it was made for this time.
        late_ms: from the due time to the run's start.
        schedule_id: the schedule given at run time that planned it; None for the job's own.
    """

    job: str
    due: datetime
    last_due: datetime
    count: int | None
    fate: str
    cause: str | None = None
    reason: str = ""
    run: int | None = None
    status: str | None = None
    late_ms: float | None = None
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class WhyView:
    """What became of the time that somebody asks about.

    Attributes:
        at: from where was looked; `until` is the end, not included.
        found: what became of the first planned time there; empty if none was planned.
        before: the nearest one before, if none was planned there.
        after: the nearest one after.
    """

    job: str
    at: datetime
    until: datetime
    found: list[SlotView]
    before: SlotView | None = None
    after: SlotView | None = None


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting that job files may give.

    Attributes:
        default: its value where a file says nothing.
        help: one sentence about it.
        example: a value as a job file would write it.
    """

    name: str
    default: Any
    help: str
    example: str


@dataclass(frozen=True, slots=True)
class EngineSettingView:
    """A setting of moontide.toml as it counts.

    Attributes:
        key: dotted, such as `pool.size`.
        value: as somebody would write it; "" for none. Secrets are never told, only that they are set.
        origin: environment, moontide.toml or default.
        default: its value where nobody says anything.
        allowed: what may stand there, in words.
        variable: the name of the environment variable that sets it.
    """

    key: str
    value: str
    origin: str
    default: str
    description: str
    allowed: str
    variable: str


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A library module of the jobs folder.

    Attributes:
        name: as `require` takes it, such as `lib.money`; `path` is below the jobs folder.
        hash: SHA-256 of its text; None if it cannot be read, and `problem` says why.
        size: of its text, in bytes.
        changed: when its file was last written.
        jobs: that are known to use it.
        stale: those of them that knew another text when they were last looked at; a reload tells of it.
    """

    name: str
    path: str
    hash: str | None
    size: int
    changed: datetime | None
    jobs: list[str]
    stale: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EntryView:
    """A setting as a job file's text has it.

    Attributes:
        text: the value as written.
        value: the same as plain data; None if it is computed.
        computed: whether it is more than a literal, such as `5 * MINUTE`.
        typed: the value as somebody would type it into a form: text without quotes.
    """

    name: str
    text: str
    value: Any
    computed: bool
    typed: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """What a text would be as a job's file.

    Attributes:
        text: the file's text, with the settings that were asked for.
        entries: the settings as they are written, in the order of the text.
        fixed: why the settings can be changed in the editor only; empty if they can be changed one by one.
        error: what is wrong with the file, or None; `line` is where, if that is known.
        problems: the same one by one, each with its line if that is known; empty if nothing is wrong.
        settings: all settings with defaults filled in; None while the file is wrong.
        schedule: the schedule in words.
        coming: the next due times if the job were armed now.
    """

    text: str
    entries: list[EntryView]
    fixed: str
    error: str | None
    line: int | None
    settings: dict[str, Any] | None
    schedule: str
    coming: list[ComingView]
    problems: list[ProblemView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LuaParameterView:
    """One argument of a function in Lua, with its type as LuaLS writes it."""

    name: str
    type: str
    optional: bool
    doc: str


@dataclass(frozen=True, slots=True)
class LuaMemberView:
    """What a table in Lua holds under one name.

    Attributes:
        type: as LuaLS writes it; "function" for one.
        method: it is called with a colon.
        parameters: of what can be called; None for all else.
        returns: the types of its values.
    """

    name: str
    type: str
    doc: str
    method: bool = False
    parameters: list[LuaParameterView] | None = None
    returns: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LuaClassView:
    """A table that job files meet, such as `core` or `moontide.JobSettings`."""

    name: str
    doc: str
    members: list[LuaMemberView]


@dataclass(frozen=True, slots=True)
class ModuleSourceView:
    """The source of a library module as a run was given it.

    Attributes:
        text: None once it is kept no longer.
    """

    path: str
    hash: str
    text: str | None


@dataclass(frozen=True, slots=True)
class RunSourceView:
    """The code of a run.

    Attributes:
        path: of the job file, below the jobs folder.
        hash: SHA-256 of its text; None if the run had none, since the file could not be read.
        text: None without a hash.
        modules: the library modules that the run was given, by name.
    """

    run: int
    job: str
    version: str | None
    path: str
    hash: str | None
    text: str | None
    modules: dict[str, ModuleSourceView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileDiffView:
    """What changed in one file: a unified diff."""

    path: str
    diff: str


@dataclass(frozen=True, slots=True)
class DiffView:
    """What changed between the code of a run and that of another, or of now.

    Attributes:
        before, after: whose code it is, such as "run 12" or "now".
        files: those that differ; empty if none does.
    """

    before: str
    after: str
    files: list[FileDiffView] = field(default_factory=list)
