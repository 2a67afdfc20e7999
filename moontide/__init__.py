"""The public Python API of Moontide: all that a plugin or an embedding program may import."""

from engine.calls.core import (
    CoreCall,
    CoreFunction,
    CoreModule,
    Documents,
    RunControl,
    RunInfo,
    RunStanding,
    ScheduleStanding,
    ServiceContext,
)
from engine.calls.deadline import Deadline, OutOfTime
from engine.errors import CoreError, MoontideError, ScheduleError, Undeliverable
from engine.events import (
    AlertEnded,
    AlertItem,
    AlertNotice,
    AlertRaised,
    EngineStateChanged,
    Event,
    HoldChanged,
    JobChanged,
    JobsReloaded,
    JournalRecovered,
    JournalStalled,
    RunFinished,
    RunLogged,
    RunQueued,
    RunsMissed,
    RunsRecovered,
    RunsSkipped,
    RunStarted,
    WorkersReplaced,
)
from engine.extensions.executors import Executor, ExecutorContext, ExecutorKind, RunQueue, Ticket
from engine.extensions.hooks import hookimpl
from engine.extensions.runlog import RunLog
from engine.extensions.subscribers import EventSubscriber
from engine.extensions.surfaces import ApiRoutes, DashboardScreen, PluginCommand
from engine.jobs.additions import JobSetting, duration_setting
from engine.jobs.policies import DEACTIVATE, GO_ON, Failure, OutcomePolicy, Verdict
from engine.jobs.schedulekinds import Recurring, ScheduleContext, ScheduleKind
from engine.run import Limits, Outcome, RunRequest
from engine.states import Returned, RunStatus, Trigger
from engine.times.plan import parse_moment
from engine.times.quantities import parse_duration
from engine.times.schedule import Dst, Schedule
from engine.views import JobView, RunView

__all__ = [
    "DEACTIVATE",
    "GO_ON",
    "AlertEnded",
    "AlertItem",
    "AlertNotice",
    "AlertRaised",
    "ApiRoutes",
    "CoreCall",
    "CoreError",
    "CoreFunction",
    "CoreModule",
    "DashboardScreen",
    "Deadline",
    "Documents",
    "Dst",
    "EngineStateChanged",
    "Event",
    "EventSubscriber",
    "Executor",
    "ExecutorContext",
    "ExecutorKind",
    "Failure",
    "HoldChanged",
    "JobChanged",
    "JobSetting",
    "JobView",
    "JobsReloaded",
    "JournalRecovered",
    "JournalStalled",
    "Limits",
    "MoontideError",
    "OutOfTime",
    "Outcome",
    "OutcomePolicy",
    "PluginCommand",
    "Recurring",
    "Returned",
    "RunControl",
    "RunFinished",
    "RunInfo",
    "RunLog",
    "RunLogged",
    "RunQueue",
    "RunQueued",
    "RunRequest",
    "RunStanding",
    "RunStarted",
    "RunStatus",
    "RunView",
    "RunsMissed",
    "RunsRecovered",
    "RunsSkipped",
    "Schedule",
    "ScheduleContext",
    "ScheduleError",
    "ScheduleKind",
    "ScheduleStanding",
    "ServiceContext",
    "Ticket",
    "Trigger",
    "Undeliverable",
    "Verdict",
    "WorkersReplaced",
    "duration_setting",
    "hookimpl",
    "parse_duration",
    "parse_moment",
]
