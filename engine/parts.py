"""The parts that a running engine and a single run share, made as the settings want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

from engine.calls.core import (
    CoreModule,
    Documents,
    ModuleManifest,
    NoEngine,
    RunControl,
    ServiceContext,
    manifest_of,
)
from engine.calls.jobcalls import job_calls
from engine.calls.jobcontrol import JobControl, LoneJob
from engine.catalog.jobfiles import JobFiles
from engine.catalog.judging import Judge
from engine.declarations import FORGETFUL, Memory
from engine.errors import SettingsError
from engine.events import AlertNotice, Events
from engine.extensions.executors import Executor, ExecutorContext, RunQueue, open_executor
from engine.extensions.modules import Unready, module_settings, open_services
from engine.extensions.plugins import Plugins
from engine.extensions.subscribers import Courier, Telling
from engine.jobs.additions import NOTHING_ADDED, Additions
from engine.runs.job import BuiltIn
from engine.runs.runner import Runner
from engine.sandbox.fingerprint import sandbox_fingerprint
from engine.sandbox.harden import WALLS
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.version import VERSION
from engine.views import JobView


def make_pool(
    settings: Settings, plugins: Plugins, on_replaced: Callable[[str], None] | None = None
) -> WorkerPool:
    """Return a worker pool as the settings want it, not yet started.

    Raises:
        SettingsError: `sandbox.allow_missing` names something that is no wall.
    """
    sandbox, limits = settings.sandbox, settings.run_limits()
    unknown = sorted(set(sandbox.allow_missing) - set(WALLS))
    if unknown:
        raise SettingsError(
            f"sandbox.allow_missing: no wall is called {', '.join(unknown)}; there are {', '.join(WALLS)}"
        )
    return WorkerPool(
        modules=_manifests(plugins),
        warm=sandbox.warm,
        max_runs=sandbox.worker_runs,
        idle_seconds=sandbox.worker_idle,
        memory_ceiling_bytes=limits.memory_bytes,
        cpu_ceiling_seconds=limits.cpu_seconds,
        allow_missing=frozenset(sandbox.allow_missing),
        on_replaced=on_replaced,
    )


def declaring_fingerprint(plugins: Plugins) -> str:
    """Return what differs when the same job file could declare something else: other code, any of it."""
    versions = sorted(f"{view.origin} {view.name} {view.version} {view.status}" for view in plugins.views)
    return " ".join([VERSION, sandbox_fingerprint(_manifests(plugins)), *versions])


def _manifests(plugins: Plugins) -> list[ModuleManifest]:
    return [manifest_of(module) for module in (*plugins.modules.values(), job_calls)]


def make_job_files(
    folder: Path,
    pool: WorkerPool,
    settings: Settings,
    *,
    additions: Additions = NOTHING_ADDED,
    built_in: Iterable[BuiltIn] = (),
    memory: Memory = FORGETFUL,
) -> JobFiles:
    """Return a reader of a jobs folder.

    Args:
        additions: what plugins add to job files.
        built_in: the engine's own jobs.
        memory: keeps what files declare from one engine to the next.
    """
    judge = Judge(
        timezone=settings.timezone,
        ceilings=settings.run_limits(),
        named_schedules=settings.schedules,
        named_blackouts=settings.blackouts,
        receivers=settings.receivers(),
        additions=additions,
    )
    return JobFiles(
        folder,
        declare=pool.declare,
        judge=judge,
        source_bytes=settings.source_bytes(),
        built_in=built_in,
        memory=memory,
    )


async def make_runner(
    pool: WorkerPool,
    plugins: Plugins,
    documents: Documents,
    files: JobFiles,
    settings: Settings,
    parts: AsyncExitStack,
    *,
    home: Path,
    runs: Callable[[], RunControl] = NoEngine,
    own_job: Callable[[], JobControl] | None = None,
    find_job: Callable[[str], JobView | None] = lambda name: None,
) -> Runner:
    """Return a runner whose jobs find their library modules in the folder of these files.

    Args:
        parts: closes the services of the core modules.
        home: the home folder, for those services.
        runs: gives the control of runs that others ask for.
        own_job: gives what runs may ask about their own job; without it nothing outlives this runner.
        find_job: gives a job as the API shows it, for those services.

    Raises:
        SettingsError: a module's own table in moontide.toml is wrong.
        PluginError: the service of one of the engine's own modules did not open.
    """
    lone = LoneJob()
    module_tables = module_settings(
        plugins.modules,
        settings.module_tables,
        set_aside=plugins.set_aside,
        unclaimed=_unclaimed(plugins),
    )
    context = _context(home, module_tables, find_job)
    return Runner(
        pool=pool,
        modules={**plugins.modules, job_calls.name: job_calls},
        services=await open_services(
            plugins.modules, module_tables, context, parts, set_aside=plugins.set_aside
        ),
        documents=documents,
        runs=runs,
        own_job=own_job or (lambda: lone),
        library=lambda module: files.library().require(module),
        mode=settings.permissions,
    )


def _context(
    home: Path, tables: Mapping[str, Any], find_job: Callable[[str], JobView | None]
) -> ServiceContext:
    ready = {name: table for name, table in tables.items() if not isinstance(table, Unready)}
    return ServiceContext(home=home.absolute(), settings=ready, find_job=find_job)


async def start_executor(
    settings: Settings,
    plugins: Plugins,
    runner: Runner,
    parts: AsyncExitStack,
    *,
    home: Path,
    carried_by: Callable[[RunQueue], AbstractAsyncContextManager[Executor]],
) -> Executor:
    """Return what carries runs out, as the settings want it, opened until `parts` is closed.

    Args:
        carried_by: gives the executor whose runs a queue carries to workers.

    Raises:
        SettingsError, PluginError: there is no such executor, or it did not open.
    """
    ready = {name: one for name, one in runner.services.items() if not isinstance(one, Unready)}
    context = ExecutorContext(home=home, local=runner, services=ready, carried_by=carried_by)
    return await open_executor(settings.executor, plugins.executors, context, parts)


def start_subscribers(
    events: Events,
    plugins: Plugins,
    services: Mapping[str, Any],
    parts: AsyncExitStack,
    *,
    report: Callable[[Telling], None],
) -> int:
    """Let the plugins that listen to events hear them until `parts` is closed.

    Args:
        services: what the modules' services yielded, by the module's name.
        report: is told how each telling of an alert's notice went.

    Returns:
        how many of them send notices of alerts.
    """
    senders = 0
    for plugin, subscriber in plugins.subscribers:
        module = subscriber.module
        service = services.get(module.name) if module else None
        if isinstance(service, Unready) or _lacks_its_module(module, services):
            continue
        sends = AlertNotice in subscriber.kinds
        senders += sends
        courier = Courier(subscriber, plugin=plugin, service=service, report=report if sends else None)
        courier.start()
        parts.push_async_callback(courier.stop)
        parts.callback(events.subscribe(courier.take, subscriber.kinds))
    return senders


def _lacks_its_module(module: CoreModule | None, services: Mapping[str, Any]) -> bool:
    """Whether a subscriber needs the service of a module that is not there, as one that was disabled."""
    return module is not None and module.open_service is not None and module.name not in services


def _unclaimed(plugins: Plugins) -> Callable[[str], None] | None:
    """Return what takes the words about a table that nobody wants: it may be that of an absent plugin."""
    absent = plugins.absent()
    if not absent:
        return None
    return lambda words: plugins.remark(f"{words} (not loaded: {', '.join(absent)})")
