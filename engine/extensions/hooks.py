"""Every hook the engine asks plugins, typed and described in one place.

A hook's name tells what it returns: `moontide_<things>` gives a list of those things. Hooks are asked
once, while the engine starts, on its main thread and before its loop serves anything; an implementation
that raises is taken out, and `moontide plugins` shows the reason.
"""

from __future__ import annotations

import pluggy

from engine.calls.core import CoreModule
from engine.extensions.executors import ExecutorKind
from engine.extensions.subscribers import EventSubscriber
from engine.extensions.surfaces import ApiRoutes, DashboardScreen, PluginCommand
from engine.jobs.additions import JobSetting
from engine.jobs.policies import OutcomePolicy
from engine.jobs.schedulekinds import ScheduleKind

PROJECT = "moontide"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """The questions; a plugin answers those it knows."""

    @hookspec
    def moontide_core_modules(self) -> list[CoreModule]:
        """Return the tables this plugin adds below `core`.

        A name that a built-in module has already is refused for the newcomer, with a line in
        `moontide plugins`; between two strangers the first by plugin name wins.
        """
        raise NotImplementedError

    @hookspec
    def moontide_event_subscribers(self) -> list[EventSubscriber]:
        """Return what this plugin does when something happens in the engine.

        Each subscriber is told in order, behind the engine's back: one that fails is logged and changes
        nothing, one that is slow makes only itself wait.
        """
        raise NotImplementedError

    @hookspec
    def moontide_job_settings(self) -> list[JobSetting]:
        """Return settings that this plugin adds to job files.

        They are checked, shown, stored and completed in editors like the engine's own. A name that is taken
        already is refused, with a line in `moontide plugins`. A reader that raises anything but ValueError
        makes the job INVALID, in words that name the plugin.
        """
        raise NotImplementedError

    @hookspec
    def moontide_schedule_kinds(self) -> list[ScheduleKind]:
        """Return settings of job files that make due times, as `every`, `cron` and `at` do.

        A kind that cannot make a schedule makes the job INVALID; a schedule that raises later is not due any
        more, with the traceback in the engine's log.
        """
        raise NotImplementedError

    @hookspec
    def moontide_outcome_policies(self) -> list[OutcomePolicy]:
        """Return values of `on_error`: what a failed run means for its job.

        A policy is a pure function, asked on the loop once for each run that failed for good. One that
        raises deactivates the job, as the engine's default does.
        """
        raise NotImplementedError

    @hookspec
    def moontide_executors(self) -> list[ExecutorKind]:
        """Return what can carry runs out; the operator chooses one with `executor = "name"`.

        The one that is chosen is opened while the engine starts, on its loop, after the services of the core
        modules. If it does not open, the engine does not start. One that raises in a run, or gives anything
        but an outcome, ends that run as CRASHED.
        """
        raise NotImplementedError

    @hookspec
    def moontide_api_routes(self) -> list[ApiRoutes]:
        """Return routes of the HTTP API, below /v1/plugins/NAME.

        They stand behind the same walls as the engine's own: the socket's mode, the token on TCP, the limit
        of bodies. Requests that may change something are put down in the audit table. Routes that cannot
        be made set the plugin aside; one that raises answers 500, with the traceback in the engine's log.
        """
        raise NotImplementedError

    @hookspec
    def moontide_commands(self) -> list[PluginCommand]:
        """Return commands of the command line, called as `moontide NAME ...`.

        Also asked in the process of such a command, and of `moontide --help`; never for the engine's own
        commands, which need not wait for plugins.
        """
        raise NotImplementedError

    @hookspec
    def moontide_dashboard_screens(self) -> list[DashboardScreen]:
        """Return screens of the dashboard, each as the place where its class is found.

        The dashboard is a process of its own, perhaps on another machine: it loads a screen when it is
        opened, from the same plugin as installed there.
        """
        raise NotImplementedError
