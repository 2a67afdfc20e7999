"""What the engine can be asked to do: the contract between the API's routes and the service.

Answers are values of `engine.views`. What cannot be done is said with an error of `engine.errors`:
`JobNotFound` and `RunNotFound` for unknown names, `Refused` for a request that does not fit the present
state, `JobFileError` for any input that cannot be used (a name, a job file's text, a path),
`StoreUnavailable` while the database takes no writes.

`actor` is who asks, as the audit table keeps it, such as "anna@web1 via socket".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

from engine.api.historyoperations import HistoryOperations
from engine.api.holdoperations import HoldOperations
from engine.bulk import BulkAction, Chosen
from engine.events import Events
from engine.views import (
    AlertView,
    AuditView,
    BulkView,
    ComingView,
    DraftView,
    EngineSettingView,
    EngineView,
    JobView,
    ListedJob,
    LogLineView,
    LuaClassView,
    ModuleView,
    NodeView,
    PluginView,
    ProblemView,
    ReloadPlanView,
    ReloadView,
    RunView,
    ScheduleView,
    SettingView,
    SlotView,
    StateView,
    WhyView,
)


class StateOperations(Protocol):
    """What jobs keep from one run to the next, as the API sees it.

    `lasting` means what stays for good (`job.persist`), not what goes when a run ends COMPLETE
    (`job.save_state`). Unknown names raise JobNotFound.
    """

    async def show(self, name: str, *, lasting: bool) -> StateView:
        """Return what a job keeps."""

    async def set(self, name: str, value: Any, *, lasting: bool, actor: str) -> StateView:
        """Let a job keep another value.

        Raises:
            Refused: the value is null, or too large.
        """

    async def clear(self, name: str, *, lasting: bool, actor: str) -> StateView:
        """Let a job keep nothing any more."""


class OverrideOperations(Protocol):
    """Settings of jobs that operators change at run time, as the API sees them.

    They stand in the place of what the file says, also after a reload or restart, until they are unset.
    """

    async def set(
        self, name: str, values: Mapping[str, Any], typed: Mapping[str, str], *, actor: str
    ) -> JobView:
        """Let values count instead of what a job's file says.

        Args:
            values: by setting; None for no value, whatever the file says.
            typed: the same as somebody types them into a form; an empty text is none.

        Raises:
            JobNotFound: no job has this name.
            JobFileError: the job's settings would be wrong; all stay as they are.
            Refused: the job's file cannot be read, or nothing or `active` was to be set.
        """

    async def unset(self, name: str, settings: Collection[str], *, actor: str) -> JobView:
        """Let the file's values count again, of some settings or (none given) of all that were set.

        Raises:
            JobNotFound: no job has this name.
            JobFileError: the job's settings would be wrong; all stay as they are.
            Refused: nobody set them.
        """


class ReloadOperations(Protocol):
    """What can be asked before a reload."""

    async def plan(self, name: str | None = None, *, override: bool = False) -> ReloadPlanView:
        """Return what a reload of all jobs, or of one, would change; nothing changes by that.

        Args:
            override: as if the reload took what the files say in the place of what operators changed.

        Raises:
            JobNotFound: neither a job nor a file has this name.
        """


class OverviewOperations(Protocol):
    """What an engine is set to, and what its jobs share."""

    def settings(self) -> list[EngineSettingView]:
        """Return every setting of the engine; secrets are not told."""

    async def library(self) -> list[ModuleView]:
        """Return the library modules of the jobs folder, and those that jobs miss."""

    async def module_source(self, name: str) -> tuple[str, str]:
        """Return the text of a library module, and its SHA-256 hash in hexadecimal.

        Raises:
            JobFileError: there is no such module, or no module can have this name.
        """


class LedgerOperations(Protocol):
    """What can be asked about planned times."""

    async def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[SlotView]:
        """Return what became of a job's planned times, the latest first; also of a job that is gone.

        Without a job, those of all jobs.

        Args:
            since: only times at or after this one (aware).
            until: only times before this one.

        Raises:
            JobNotFound: no job has this name, and nothing is known of one.
        """

    async def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        """Return what became, or will become, of the first time planned for a job from `at` on.

        Args:
            within_seconds: how far to look.

        Raises:
            JobNotFound: as `slots`.
        """


class DraftOperations(Protocol):
    """Job files that are not written yet, as the API sees them."""

    def settings(self) -> list[SettingView]:
        """Return every setting that a job file may give."""

    def classes(self) -> list[LuaClassView]:
        """Return the tables that job files meet, with all that they hold, by the names of LuaLS."""

    async def draft(
        self, name: str, text: str, changes: Mapping[str, Any], typed: Mapping[str, str]
    ) -> DraftView:
        """Return what a text would be as a job's file.

        Args:
            changes: settings to change in the text first, all else of it unchanged; None takes one out.
            typed: the same as somebody types them into a form; an empty text takes one out.

        Raises:
            JobFileError: the name is not that of a job, or the text's settings cannot be changed one by one.
        """


class AlertOperations(Protocol):
    """What may be asked about alerts."""

    async def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> list[AlertView]:
        """Return alerts, the newest first.

        Args:
            job: only alerts of this job.
            ended: also those that are over.
            before: only alerts with an id below this one, for paging.
        """

    async def ack(self, alert_id: int, *, note: str, actor: str) -> AlertView:
        """Note that somebody knows of an alert, and return it; there are no more reminders of it.

        Raises:
            NotFound: no alert has this id.
            Refused: the alert is over already.
        """


class ScheduleOperations(Protocol):
    """Schedules given at run time."""

    async def add(self, name: str, options: Mapping[str, Any], *, actor: str) -> ScheduleView:
        """Give a job a schedule, in place of the one there is for this job, user and tag.

        Args:
            options: see `engine.rules.given`; those that are None were not given.

        Raises:
            JobNotFound: no job has this name.
            ScheduleError: the options say nothing that can be due.
            Refused: too many are given, or the engine stops.
        """

    async def remove(self, schedule_id: int, *, actor: str) -> ScheduleView:
        """End a schedule, with its runs that are still to come, and return it.

        Raises:
            ScheduleNotFound: no schedule has this id.
            ScheduleEnded: it has ended already.
        """

    async def one(self, schedule_id: int) -> ScheduleView:
        """Return one schedule.

        Raises:
            ScheduleNotFound: no schedule has this id.
        """

    async def find(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[ScheduleView]:
        """Return schedules, the newest first.

        Args:
            job: only those of this job.
            user_id: only those for this user.
            ended: also those that are over or were cancelled.
            before: only those with an id below this one, for paging.
        """


class BulkOperations(Protocol):
    """One action on many jobs or runs, as the API sees it."""

    async def act(
        self,
        action: BulkAction,
        chosen: Chosen,
        *,
        data: Any = None,
        until: datetime | None = None,
        note: str = "",
        actor: str,
    ) -> list[BulkView]:
        """Do something to each of many, and return what became of each; no failure stops the others.

        Args:
            data: what the runs find in `run.data`.
            until: when a pause ends by itself (aware), or None.

        Raises:
            Refused: nothing is chosen, or the action does not fit.
        """


class NodeOperations(Protocol):
    """The engines and workers that share a database (`Operations.nodes`)."""

    async def nodes(self) -> list[NodeView]:
        """Return all of them, by name."""

    async def drain(self, name: str, *, actor: str) -> list[NodeView]:
        """Ask the nodes of a name to take nothing new and to end, and return them.

        Raises:
            NotFound: there is none.
            Refused: none of them is there any more.
        """

    async def forget(self, name: str, *, actor: str) -> None:
        """Remove the nodes of a name from the list.

        Raises:
            NotFound: there is none.
            Refused: one of them is there.
        """


class AuditOperations(Protocol):
    """What operators did, as the API sees it."""

    async def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditView]:
        """Return operators' actions, the newest first.

        Args:
            since: only those at or after this time (aware).
            who: only those of this one: "anna@web1", or "anna" for any host.
            target: only what was done to this job, run or group.
            before: only entries with an id below this one, for paging.
        """


class Operations(Protocol):
    """The engine as its API sees it; all of it is called on the engine's loop."""

    @property
    def events(self) -> Events:
        """What happens in the engine, for those who subscribe."""

    @property
    def states(self) -> StateOperations:
        """What jobs keep from one run to the next."""

    @property
    def overrides(self) -> OverrideOperations:
        """Settings of jobs that operators change at run time."""

    @property
    def reloads(self) -> ReloadOperations:
        """What a reload would change."""

    @property
    def overview(self) -> OverviewOperations:
        """What the engine is set to, and what its jobs share."""

    @property
    def ledger(self) -> LedgerOperations:
        """What became of planned times."""

    @property
    def drafts(self) -> DraftOperations:
        """Job files that are not written yet."""

    @property
    def bulk(self) -> BulkOperations:
        """One action on many jobs or runs."""

    @property
    def nodes(self) -> NodeOperations:
        """The engines and workers that share the database."""

    @property
    def audit(self) -> AuditOperations:
        """What operators did."""

    @property
    def holds(self) -> HoldOperations:
        """Groups of jobs, and pauses."""

    @property
    def history(self) -> HistoryOperations:
        """What can be asked about many runs."""

    @property
    def alerts(self) -> AlertOperations:
        """What is wrong with jobs."""

    @property
    def schedules(self) -> ScheduleOperations:
        """Schedules given at run time."""

    def status(self) -> EngineView:
        """Return what the engine as a whole does."""

    def jobs(self) -> list[JobView]:
        """Return all jobs, in the order of their names."""

    def listed_jobs(self) -> list[ListedJob]:
        """Return what a list shows of all jobs, in the order of their names."""

    def job(self, name: str) -> JobView:
        """Return one job.

        Raises:
            JobNotFound: no job has this name.
        """

    def coming(self, *, job: str | None, since: datetime | None, count: int) -> list[ComingView]:
        """Return the next due times, in order.

        Args:
            job: only those of this job.
            since: only from this moment on (aware); None begins with now.
            count: at most so many.

        Raises:
            JobNotFound: no job has this name.
        """

    async def job_source(self, name: str) -> tuple[str, str]:
        """Return the text of a job's file, and its SHA-256 hash in hexadecimal.

        Raises:
            JobNotFound: no job has this name, or its file is gone.
        """

    async def write_job(
        self, name: str, text: str, *, expected_hash: str | None, create: bool, actor: str
    ) -> JobView:
        """Write a job's file and reload the job.

        Args:
            expected_hash: the hash of the text that the caller has seen; None does not check.
            create: the file must not exist yet; otherwise it must.

        Raises:
            Refused: the file exists (or changed) although the caller expected otherwise.
            JobNotFound: there is no such file to overwrite.
            JobFileError: the name cannot be a job's name, or the text is too large.
        """

    async def delete_job(self, name: str, *, actor: str) -> None:
        """Remove a job's file and take the job off the list; its runs stay.

        Raises:
            JobNotFound: no job has this name.
        """

    async def check(self, paths: list[str] | None) -> list[ProblemView]:
        """Declare job files without running them, and return what is wrong with them.

        Args:
            paths: job files, below the jobs folder or absolute; None checks the whole jobs folder.
        """

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0, actor: str) -> RunView:
        """Accept a run of a job, started by a person, and return it queued or running.

        Raises:
            JobNotFound: no job has this name.
            Refused: the engine stops, or the job's file cannot be used.
        """

    async def cancel(self, run_id: int, *, now: bool = False, actor: str) -> RunView:
        """End a planned, queued or running run as CANCELLED, and return it.

        Args:
            now: leave one that is under way no time to come to its end by itself.

        Raises:
            RunNotFound: no run has this id.
            Refused: the run has ended already.
        """

    async def activate(self, name: str, *, actor: str) -> JobView:
        """Switch a job on; an INACTIVE job runs again after a reload.

        Raises:
            JobNotFound: no job has this name.
        """

    async def deactivate(self, name: str, *, actor: str) -> JobView:
        """Switch a job off; a run under way goes on.

        Raises:
            JobNotFound: no job has this name.
        """

    async def reload(self, name: str | None = None, *, override: bool = False, actor: str) -> ReloadView:
        """Read the jobs folder again, or the file of one job, and return what changed.

        Args:
            override: take what the files say in the place of what operators changed.

        Raises:
            JobNotFound: neither a job nor a file has this name.
        """

    async def run(self, run_id: int) -> RunView:
        """Return one run.

        Raises:
            RunNotFound: no run has this id.
        """

    async def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        """Return lines of a run's log, in order, also while the run goes on.

        Args:
            after: only lines with a number above this one.

        Raises:
            RunNotFound: no run has this id.
        """

    def metrics(self) -> bytes:
        """Return figures in the text format of Prometheus."""

    def plugins(self) -> list[PluginView]:
        """Return all plugins, those that failed to load included."""

    async def note(self, action: str, target: str, *, actor: str) -> None:
        """Put an action down in the audit table that is done elsewhere, such as by a plugin's route."""
