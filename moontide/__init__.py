"""The public Python API of Moontide: all that a plugin or an embedding program may import."""

from engine.core import (
    CoreCall,
    CoreFunction,
    CoreModule,
    Documents,
    RunControl,
    RunInfo,
    RunStanding,
    ServiceContext,
)
from engine.errors import CoreError, MoontideError
from engine.events import (
    EngineStateChanged,
    Event,
    JobChanged,
    JobsReloaded,
    JournalRecovered,
    JournalStalled,
    RunFinished,
    RunLogged,
    RunQueued,
    RunsMissed,
    RunsRecovered,
    RunStarted,
    WorkersReplaced,
)
from engine.hooks import hookimpl
from engine.quantities import parse_duration
from engine.subscribers import EventSubscriber

__all__ = [
    "CoreCall",
    "CoreError",
    "CoreFunction",
    "CoreModule",
    "Documents",
    "EngineStateChanged",
    "Event",
    "EventSubscriber",
    "JobChanged",
    "JobsReloaded",
    "JournalRecovered",
    "JournalStalled",
    "MoontideError",
    "RunControl",
    "RunFinished",
    "RunInfo",
    "RunLogged",
    "RunQueued",
    "RunStanding",
    "RunStarted",
    "RunsMissed",
    "RunsRecovered",
    "ServiceContext",
    "WorkersReplaced",
    "hookimpl",
    "parse_duration",
]
