"""Every error Moontide raises on purpose.

MoontideError
  SettingsError          moontide.toml or MOONTIDE_... holds an unknown key or a bad value
  JobFileError           a job file cannot be used: settings, syntax, place, size
    ScheduleError        a schedule cannot be understood or can never be due
  NotFound
    JobNotFound          no job of that name (carries the nearest names)
    RunNotFound          no run of that id
    ScheduleNotFound     no schedule given at run time has that id
  Refused                the request makes sense, but not in the present state
    ScheduleEnded        a schedule given at run time has ended already
  Forbidden              the role of who asks does not suffice
  StartupFailed          a startup job failed, so that the engine does not start
  HomeInUse              another engine works in this home folder
  DatabaseInUse          an engine with another home works with this database
  StoreError
    NewerDatabase        the database was made by a newer Moontide
    StoreUnavailable     the database takes no writes now (disk full, locked, read-only, server away)
    ServerInUse          another engine works on this database of a server
    UnreadableParcel     what is kept of a run on a worker is damaged, or of another version
    SessionClosed        another engine took the database over; this one may write no more
  SandboxError
    MissingWall          the kernel lacks a wall of the sandbox
    WireError            bytes from a worker that the protocol does not know
    WorkerDied           a worker ended while something was expected of it
  PluginError            a plugin cannot be used
  Undeliverable          a subscriber cannot take an event, and never will
  PathRefused            a path that may lead out of its folder, or to something that is no file
  EngineUnreachable      no engine answers at the socket
  CoreError              raised by a core function: becomes `nil, message, code` in Lua
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MoontideError(Exception):
    """Root of the tree; its text is written for the person who reads it."""


class SettingsError(MoontideError):
    """moontide.toml or the environment holds an unknown key or a bad value."""


class JobFileError(MoontideError):
    """A job file cannot be used; the text names the setting or the line and what is allowed.

    Attributes:
        problems: each problem by itself, where there are several; the text tells all of them.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class ScheduleError(JobFileError):
    """A schedule cannot be understood, or can never be due."""


class NotFound(MoontideError, LookupError):
    """Something was asked for by a name that nothing has."""


class JobNotFound(NotFound):
    """No job has this name; the message suggests the nearest ones."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `moontide jobs` lists them"
        super().__init__(f"no job named {name!r}{hint}")
        self.name = name
        self.nearest = near


class RunNotFound(NotFound):
    """No run has this id."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"no run {run_id}; `moontide runs` lists them")
        self.run_id = run_id


class ScheduleNotFound(NotFound):
    """No schedule given at run time has this id."""

    def __init__(self, schedule_id: int) -> None:
        super().__init__(f"no schedule {schedule_id}; `moontide schedule list --all` lists them")
        self.schedule_id = schedule_id


class Refused(MoontideError):
    """The request makes sense, but not in the present state; the message says what to do first."""


class ScheduleEnded(Refused):
    """A schedule given at run time has ended already."""

    def __init__(self, schedule_id: int, status: str) -> None:
        super().__init__(f"schedule {schedule_id} has ended already ({status})")


class Forbidden(MoontideError):
    """The role of who asks does not suffice."""

    def __init__(self, what: str, *, role: str = "", needed: str = "", name: str = "") -> None:
        you = f"{name} is" if name else "you are"
        super().__init__(f"{what}: {you} {role}, and this needs the role {needed}" if needed else what)


class StartupFailed(MoontideError):
    """A startup job did not end well, so that the engine does not start."""


class HomeInUse(MoontideError):
    """Another engine works in this home folder."""

    def __init__(self, home: str, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"an engine already runs in {home} ({who}); stop it first, or choose another --home")
        self.pid = pid


class DatabaseInUse(MoontideError):
    """An engine with another home works with this database."""

    def __init__(self, database: str, home: str, pid: int | None) -> None:
        who = " ".join(
            part for part in (f"process {pid}" if pid else "", f"in {home}" if home else "") if part
        )
        super().__init__(
            f"an engine already works with the database {database} ({who or 'another process'}); stop it "
            "first, or give this home a database of its own (`database` in moontide.toml)"
        )
        self.pid = pid


class StoreError(MoontideError):
    """The database cannot be used."""


class NewerDatabase(StoreError):
    """The database was made by a newer Moontide."""


class StoreUnavailable(StoreError):
    """The database takes no writes at present: disk full, locked, read-only, server away."""


class CommitUnknown(StoreUnavailable):
    """The database went away in the middle: what was asked for may be done, or not; the words say more."""


class ServerInUse(StoreError):
    """Another engine works on this database of a server."""


class UnreadableParcel(StoreError):
    """What the database keeps of a run on a worker is damaged, or of another version."""


class SessionClosed(StoreError):
    """Another engine took the database over and closed this one's session."""


class SandboxError(MoontideError):
    """The sandbox cannot do its work."""


class MissingWall(SandboxError):
    """The kernel lacks a wall of the sandbox, and the settings do not allow for that."""


class WireError(SandboxError):
    """Bytes from a worker that the protocol does not know."""


class WorkerDied(SandboxError):
    """A worker ended while something was expected of it."""


class PluginError(MoontideError):
    """A plugin cannot be used; the text is the reason that `moontide plugins` shows."""


class Undeliverable(MoontideError):
    """Raised by a subscriber to an event that it will never take: trying again is of no use."""


class PathRefused(MoontideError):
    """A path may lead out of its folder, or to something that is no regular file."""


class EngineUnreachable(MoontideError):
    """No engine answers at the socket."""


class CoreError(MoontideError):
    """What a core function raises to answer `nil, message, code` to Lua.

    Codes: 800 result invalid, 801 wrong type, 804 missing parameter, 810 general, 815 network,
    820 input/output, 830 JSON decode, 831 JSON encode, 701-704 email.
    """

    def __init__(self, message: str, code: int = 810) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
