"""A worker: a process that carries out runs for the engines of a database, on this machine or another one."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SettingsError, StoreError
from engine.extensions.executors import chosen_executor
from engine.extensions.plugins import load_plugins
from engine.jobs.jobvalues import WORKER_TAG
from engine.parts import make_job_files, make_pool, make_runner
from engine.remote.crew import Crew
from engine.remote.fenced import FencedJournal
from engine.settings import Settings
from engine.states import NodeKind, NodeState
from engine.store.database import Database, open_database
from engine.store.documents import StoredDocuments
from engine.store.journal import Journal
from engine.store.link import check_on_server
from engine.store.migrations import HEAD
from engine.store.nodes import Newcomer
from engine.store.presence import Presence
from engine.store.schema import stored_revision
from engine.times.clock import SystemClock
from engine.version import VERSION

logger = logging.getLogger("moontide.worker")


#: Tags that one worker may offer.
MOST_TAGS = 8

#: Runs at once, where neither the command nor `pool.size` says.
USUAL_SLOTS = 10


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker offers.

    Attributes:
        name: what operators call it.
        slots: how many runs it carries out at once.
        tags: what jobs may ask for by `runs_on`.
    """

    name: str
    slots: int
    tags: tuple[str, ...] = ()


def read_offer(tags: str, *, slots: int, name: str) -> Offer:
    """Return what a worker offers.

    Args:
        tags: with commas between.
        name: "" is the name of the machine.

    Raises:
        SettingsError: a tag is none, or there are too many.
    """
    words = sorted({word.strip() for word in tags.split(",")} - {""})
    bad = [word for word in words if not WORKER_TAG.fullmatch(word)]
    if bad or len(words) > MOST_TAGS:
        raise SettingsError(f"--tags {tags}: at most {MOST_TAGS} words of a-z, 0-9 and -, such as gpu,eu")
    return Offer(name or socket.gethostname(), slots, tuple(words))


class WorkerNode:
    """One worker with the settings of a home folder."""

    def __init__(self, settings: Settings, *, home: Path, offer: Offer) -> None:
        """Make it; nothing is opened before `start`."""
        self._settings = settings
        self._home = home.resolve()
        self._offer = offer
        self._clock = SystemClock()
        self._running = AsyncExitStack()
        self._newcomer = Newcomer(
            kind=NodeKind.WORKER,
            name=offer.name,
            host=socket.gethostname(),
            home=str(self._home),
            pid=os.getpid(),
            version=VERSION,
            state=NodeState.WORKING,
            slots=offer.slots,
            tags=offer.tags,
        )
        self._presence: Presence
        self.crew: Crew

    async def start(self) -> None:
        """Connect to the database and begin to take runs.

        Raises:
            SettingsError: the settings name no executor that has workers.
            StoreError: the database cannot be used.
            MissingWall, PluginError: as an engine that starts.
        """
        async with AsyncExitStack() as parts:
            await self._assemble(parts)
            self._running = parts.pop_all()

    async def stop(self, reason: str = "the worker was stopped") -> list[int]:
        """Take nothing new, let runs under way end within the grace, and leave.

        Returns:
            the runs that had to be stopped.
        """
        self._presence.say(state=NodeState.DRAINING)
        stopped = await self.crew.drain(reason, self._settings.engine.stop_after)
        await self._running.aclose()
        return stopped

    async def _assemble(self, parts: AsyncExitStack) -> None:
        settings = self._settings
        plugins = load_plugins(
            settings.plugins.disable, folder=settings.plugins_folder(self._home), taken_commands=()
        )
        queue = chosen_executor(settings.executor, plugins.executors).kind.queue
        if queue is None:
            raise SettingsError(
                f'moontide.toml: executor = "{settings.executor}" has no workers of this kind; '
                'a worker and its engines need the same line, such as executor = "pgqueuer"'
            )
        database = await self._open_database(parts)
        journal = self._start_journal(parts, database)
        pool = make_pool(settings, plugins)
        await pool.start()
        parts.push_async_callback(pool.stop)
        documents = StoredDocuments(journal, database.reader, clock=self._clock)
        files = make_job_files(settings.jobs_folder(self._home), pool, settings)
        runner = await make_runner(pool, plugins, documents, files, settings, parts, home=self._home)
        self.crew = Crew(
            queue=queue(),
            url=database.writer.url,
            runner=runner,
            documents=lambda run_id, token: StoredDocuments(
                FencedJournal(journal, run_id, token), database.reader, clock=self._clock
            ),
            clock=self._clock,
            node=self._newcomer.id,
            name=self._offer.name,
            version=VERSION,
            tags=self._offer.tags,
            slots=self._offer.slots,
            modules=plugins.modules,
        )
        self._presence = Presence(
            self._newcomer,
            transact=journal.transact,
            clock=self._clock,
            running=lambda: self.crew.running,
            on_drain=self._drain_asked,
        )
        await self._presence.join()
        parts.push_async_callback(self._presence.stop)
        self._presence.start()
        self.crew.start()

    async def _open_database(self, parts: AsyncExitStack) -> Database:
        database = open_database(self._settings.database_url(self._home))
        parts.callback(database.close)
        check_on_server(database.writer.url, "a worker")
        await asyncio.to_thread(_check_schema, database)
        return database

    def _start_journal(self, parts: AsyncExitStack, database: Database) -> Journal:
        journal = Journal(
            database.writer,
            clock=self._clock,
            on_stalled=lambda reason, waiting: logger.error("no writes to the database: %s", reason),
            on_recovered=lambda seconds: logger.warning(
                "the database takes writes again after %.1f s", seconds
            ),
        )
        journal.start()
        parts.push_async_callback(journal.stop)
        return journal

    def _drain_asked(self, drain: bool) -> None:
        self.crew.pause(drain)
        self._presence.say(state=NodeState.DRAINING if drain else NodeState.WORKING)


def _check_schema(database: Database) -> None:
    with database.reader.connect() as connection:
        revision = stored_revision(connection)
    if revision is None:
        raise StoreError(f"{database.name} is empty; start an engine on it first")
    if revision != HEAD:
        raise StoreError(
            f"{database.name} has tables of revision {revision}, and this worker ({VERSION}) needs {HEAD}; "
            "let worker and engine have the same version"
        )
