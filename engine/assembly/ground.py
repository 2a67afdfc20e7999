"""What all other parts of an engine stand on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.events import Events
from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.store.database import Database
from engine.store.documents import StoredDocuments
from engine.store.given import GivenQueries
from engine.store.jobstates import JobStates
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.slotqueries import SlotQueries
from engine.times.clock import Clock


@dataclass(frozen=True)
class Ground:
    """What an engine has taken, opened and loaded before its first job is read.

    Attributes:
        home: the home folder, absolute.
        session: the engine's present one.
        first_run_id: ids of runs count up from here.
        held: the jobs of which the database keeps a state.
    """

    settings: Settings
    home: Path
    clock: Clock
    events: Events
    database: Database
    session: int
    first_run_id: int
    held: set[str]
    journal: Journal
    plugins: Plugins
    pool: WorkerPool

    @property
    def folder(self) -> Path:
        """The jobs folder."""
        return self.settings.jobs_folder(self.home)

    @cached_property
    def states(self) -> JobStates:
        """What jobs keep from one run to the next."""
        return JobStates(self.journal, self.database.reader, clock=self.clock, held=self.held)

    @cached_property
    def documents(self) -> StoredDocuments:
        """What `core.data` keeps."""
        return StoredDocuments(self.journal, self.database.reader, clock=self.clock)

    @cached_property
    def queries(self) -> Queries:
        """What is asked of jobs and runs."""
        return Queries(self.database.reader)

    @cached_property
    def slots(self) -> SlotQueries:
        """What is asked of the slot ledger."""
        return SlotQueries(self.database.reader)

    @cached_property
    def given(self) -> GivenQueries:
        """What is asked of schedules given at run time."""
        return GivenQueries(self.database.reader)
