"""The values that go into the sandbox and come out of it, and what the sandbox asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from engine.run import Limits
from engine.states import Returned


class Program(msgspec.Struct, frozen=True):
    """One job file to run once.

    Attributes:
        name: the file below the jobs folder, as messages show it ("shop/report.lua").
        source: its text.
        context: the table given to `job.run(run)`; plain data.
        timezone: the job's zone, for `job.hour(true)` and its like.
        limits: what the run may use.
    """

    name: str
    source: bytes
    context: dict[str, Any]
    timezone: str
    limits: Limits


class EndKind(StrEnum):
    """How a run in the sandbox ended."""

    RETURNED = "returned"
    BAD_RETURN = "bad return"
    LUA_ERROR = "Lua error"
    WALL = "wall time"
    CPU = "CPU time"
    MEMORY = "memory"
    LIMIT = "another limit"
    CRASHED = "crashed"
    #: Its worker was lost, or there was none to be had, by nothing that the job did.
    LOST = "lost"
    CANCELLED = "cancelled"


class Ending(msgspec.Struct, frozen=True):
    """How a run in the sandbox ended, with all that is known of it.

    Attributes:
        kind: which of the ends it was.
        returned: the code that `run()` returned; only after RETURNED.
        retry_seconds: the delay that stood beside RETRY.
        result: its second value as JSON-ready plain data.
        result_note: why the result was not kept, when it was not.
        error: for people; a Lua traceback may follow after a newline. None only after RETURNED.
        duration_seconds: from handing the program to a worker to its end.
        cpu_seconds: processor time, where it could be measured.
        peak_memory_bytes: the most that the Lua state was seen to use; after a kill, the process's peak.
        dropped_lines: one-way calls (log lines) that were not sent because `limits.log_bytes` was used up.
    """

    kind: EndKind
    returned: Returned | None = None
    retry_seconds: float | None = None
    result: Any = None
    result_note: str | None = None
    error: str | None = None
    duration_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    dropped_lines: int = 0


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a job file says of itself.

    Attributes:
        settings: the table given to `core.job`, as plain data; `{}` when there was none, None after an error.
        error: why the file cannot be used.
        line: the line of the file that the error is about, when it is about one.
        interrupted: the file did not fail by itself: its time was up on the wall, as happens to any file on
            a machine that is busy enough, or its worker died.
        varies: it asked for the time or for chance, and may say something else the next time.
    """

    settings: dict[str, Any] | None
    error: str | None = None
    line: int | None = None
    interrupted: bool = False
    varies: bool = False


class Host(Protocol):
    """Answers what a run asks of the engine."""

    async def call(self, method: str, args: list[Any]) -> list[Any]:
        """Carry out a core function such as "data.save" and return its values.

        Raises:
            CoreError: becomes `nil, message, code` in Lua. Any other exception is a bug: it is logged, and
                Lua sees `nil, "internal error ...", 810`.
        """

    def notify(self, method: str, args: list[Any]) -> None:
        """Take a one-way call such as "log.write"; must be quick.

        The method "log.cut" (no arguments) comes once, when the run has used up `limits.log_bytes` and the
        lines that follow are dropped.
        """

    async def require(self, module: str) -> bytes:
        """Return the text of a library module such as "lib.money".

        Raises:
            JobFileError: there is none, or it cannot be read; the text is shown to the job's author.
        """
