"""Taking in what plugins give: which hook gives what, who is first, and the words for who was not.

The engine's own names come first, then those of plugins in the order in which they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.calls.core import CoreModule
from engine.errors import PluginError
from engine.extensions.executors import ExecutorKind, OfferedExecutor
from engine.extensions.subscribers import EventSubscriber
from engine.extensions.surfaces import PLAIN_NAME, ApiRoutes, DashboardScreen, PluginCommand
from engine.jobs.additions import Additions, JobSetting, check_name
from engine.jobs.jobfile import SETTINGS
from engine.jobs.policies import OutcomePolicy
from engine.jobs.schedulekinds import ScheduleKind

#: What the sandbox itself puts below `core`.
RESERVED = frozenset(
    {"job", "json", "json_safe", "sf", "trim", "split", "uuid", "md5", "NULL", "ASC", "DESC"}
)
_OWN_SETTINGS = frozenset(one.name for one in SETTINGS)


class NotUsed(Exception):
    """Something that a plugin gives is not used, mostly as its name is taken; the text is the reason."""


@dataclass(slots=True)
class Offers:
    """All that plugins add to the engine.

    Attributes:
        modules: the core modules by name.
        subscribers: those who listen to events, each with the name of its plugin.
        additions: what job files may hold.
        executors: what can carry runs out, by name.
        routes: routes of the API, by the plugin's name; `route_owners` says where that comes from.
        commands: commands by name, each with the name of its plugin.
        screens: screens of the dashboard, each with the name of its plugin.
        taken_commands: names of the command line's own commands.
    """

    modules: dict[str, CoreModule] = field(default_factory=dict)
    subscribers: list[tuple[str, EventSubscriber]] = field(default_factory=list)
    additions: Additions = field(default_factory=Additions)
    executors: dict[str, OfferedExecutor] = field(default_factory=dict)
    routes: dict[str, list[ApiRoutes]] = field(default_factory=dict)
    route_owners: dict[str, str] = field(default_factory=dict)
    commands: dict[str, tuple[str, PluginCommand]] = field(default_factory=dict)
    screens: list[tuple[str, DashboardScreen]] = field(default_factory=list)
    taken_commands: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Giver:
    """A plugin as far as what it gives is concerned.

    Attributes:
        origin: the distribution or file that it comes from.
        built_in: it comes with the engine.
        module: where its code is; "" for a single file, whose modules other processes do not find.
    """

    name: str
    origin: str
    built_in: bool
    module: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What is done with the answers to one hook.

    Attributes:
        kind: each answer is a list of these.
        take: adds one to the offers and tells in a few words what it is; raises `NotUsed`.
    """

    hook: str
    kind: type[Any]
    take: Callable[[Offers, Giver, Any], str]


def _take_module(offers: Offers, _giver: Giver, module: CoreModule) -> str:
    if module.name in RESERVED or module.name in offers.modules:
        raise NotUsed(f"core.{module.name} is taken already; this plugin's module is not used")
    offers.modules[module.name] = module
    return f"core.{module.name}"


def _take_subscriber(offers: Offers, giver: Giver, subscriber: EventSubscriber) -> str:
    offers.subscribers.append((giver.name, subscriber))
    return f"subscriber to {', '.join(kind.__name__ for kind in subscriber.kinds)}"


def _take_setting(offers: Offers, giver: Giver, setting: JobSetting) -> str:
    _refuse_known_setting(offers, setting.name)
    offers.additions = offers.additions.with_setting(setting, giver.name)
    return f"setting {setting.name}"


def _take_kind(offers: Offers, giver: Giver, kind: ScheduleKind) -> str:
    _refuse_bad_name(kind.name, "the kind of schedule")
    _refuse_known_setting(offers, kind.name)
    offers.additions = offers.additions.with_kind(kind, giver.name)
    return f"schedule {kind.name}"


def _refuse_known_setting(offers: Offers, name: str) -> None:
    if name in _OWN_SETTINGS or name in offers.additions.settings:
        raise NotUsed(f"the setting {name} of job files is taken already; this plugin's one is not used")


def _refuse_bad_name(name: str, what: str) -> None:
    try:
        check_name(name, what)
    except PluginError as error:
        raise NotUsed(str(error)) from error


def _take_policy(offers: Offers, giver: Giver, policy: OutcomePolicy) -> str:
    _refuse_bad_name(policy.name, "the outcome policy")
    if policy.name in offers.additions.policies:
        raise NotUsed(f'on_error = "{policy.name}" is taken already; this plugin\'s one is not used')
    offers.additions = offers.additions.with_policy(policy, giver.name)
    return f"on_error {policy.name}"


def _take_executor(offers: Offers, giver: Giver, kind: ExecutorKind) -> str:
    _refuse_bad_name(kind.name, "the executor")
    if kind.name in offers.executors:
        raise NotUsed(f"the executor {kind.name} is taken already; this plugin's one is not used")
    offers.executors[kind.name] = OfferedExecutor(kind, giver.name, guarded=not giver.built_in)
    return f"executor {kind.name}"


def _take_routes(offers: Offers, giver: Giver, routes: ApiRoutes) -> str:
    if not PLAIN_NAME.fullmatch(giver.name):
        raise NotUsed(f"the plugin's name {giver.name!r} cannot stand in an address, so it has no API routes")
    owner = offers.route_owners.setdefault(giver.name, giver.origin)
    if owner != giver.origin:
        raise NotUsed(f"/v1/plugins/{giver.name} is taken already; this plugin's routes are not used")
    offers.routes.setdefault(giver.name, []).append(routes)
    return f"routes /v1/plugins/{giver.name}"


def _take_command(offers: Offers, giver: Giver, command: PluginCommand) -> str:
    if command.name in offers.taken_commands or command.name in offers.commands:
        raise NotUsed(f"the command {command.name} is taken already; this plugin's one is not used")
    offers.commands[command.name] = (giver.name, command)
    return f"command {command.name}"


def _take_screen(offers: Offers, giver: Giver, screen: DashboardScreen) -> str:
    if not screen.belongs_to(giver.module):
        raise NotUsed(
            f"the screen {screen.title} is not used: it must be in a module of the plugin's package, "
            "with a name that begins like that of the plugin's own"
        )
    if screen.key and screen.key in {other.key for _, other in offers.screens}:
        raise NotUsed(f"the key {screen.key} is taken already; the screen {screen.title} is not used")
    offers.screens.append((giver.name, screen))
    return f"screen {screen.title}"


#: Every hook, in the order in which plugins are asked.
INTAKES: tuple[Intake, ...] = (
    Intake("moontide_core_modules", CoreModule, _take_module),
    Intake("moontide_event_subscribers", EventSubscriber, _take_subscriber),
    Intake("moontide_job_settings", JobSetting, _take_setting),
    Intake("moontide_schedule_kinds", ScheduleKind, _take_kind),
    Intake("moontide_outcome_policies", OutcomePolicy, _take_policy),
    Intake("moontide_executors", ExecutorKind, _take_executor),
    Intake("moontide_api_routes", ApiRoutes, _take_routes),
    Intake("moontide_commands", PluginCommand, _take_command),
    Intake("moontide_dashboard_screens", DashboardScreen, _take_screen),
)
