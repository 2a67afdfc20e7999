"""What the API shows of jobs, runs and the engine: plain values, ready for JSON.

Times are aware datetimes; as JSON they are ISO 8601 with offset.
"""

from engine.views.files import (
    DraftView,
    EntryView,
    ModuleView,
    ProblemView,
    SettingView,
)
from engine.views.jobs import (
    AlertView,
    GroupView,
    HoldView,
    JobView,
    ListedJob,
    StateView,
    listed,
)
from engine.views.lua import (
    LuaClassView,
    LuaMemberView,
    LuaParameterView,
)
from engine.views.nodes import NodeView
from engine.views.planned import (
    ComingView,
    ScheduleView,
    SlotView,
    WhyView,
)
from engine.views.reloads import (
    PlannedChangeView,
    ReloadPlanView,
    ReloadView,
)
from engine.views.running import (
    AuditView,
    BulkView,
    CallerView,
    EngineSettingView,
    EngineView,
    PluginView,
    ScreenView,
)
from engine.views.runs import (
    DiffView,
    FailuresView,
    FileDiffView,
    JobFailuresView,
    JobTimelineView,
    LogLineView,
    ModuleSourceView,
    RunSourceView,
    RunView,
    StepFailuresView,
    TimelinePartView,
    TimelineView,
)

__all__ = [
    "AlertView",
    "AuditView",
    "BulkView",
    "CallerView",
    "ComingView",
    "DiffView",
    "DraftView",
    "EngineSettingView",
    "EngineView",
    "EntryView",
    "FailuresView",
    "FileDiffView",
    "GroupView",
    "HoldView",
    "JobFailuresView",
    "JobTimelineView",
    "JobView",
    "ListedJob",
    "LogLineView",
    "LuaClassView",
    "LuaMemberView",
    "LuaParameterView",
    "ModuleSourceView",
    "ModuleView",
    "NodeView",
    "PlannedChangeView",
    "PluginView",
    "ProblemView",
    "ReloadPlanView",
    "ReloadView",
    "RunSourceView",
    "RunView",
    "ScheduleView",
    "ScreenView",
    "SettingView",
    "SlotView",
    "StateView",
    "StepFailuresView",
    "TimelinePartView",
    "TimelineView",
    "WhyView",
    "listed",
]
