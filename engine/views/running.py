"""What is shown of the engine itself: its state, settings and plugins, and who did what with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineView:
    """The engine as `moontide status` shows it.

    Attributes:
        holds: disabled groups and pauses in words; those of single jobs only as their number.
        alerts: how many alerts of jobs go on.
        watches: whether saved job files are reloaded by themselves.
        nodes: how many engines and workers share the database, of those that are there.
        node_troubles: which of them have another version or a clock that is off, in a few words each.
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
    watches: bool = False
    nodes: int = 1
    node_troubles: list[str] = field(default_factory=list)


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
