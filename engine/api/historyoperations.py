"""What the engine can be asked about runs: the contract between the API's routes and the service."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from engine.runfilter import RunFilter
from engine.views import DiffView, FailuresView, RunSourceView, RunView, TimelineView


class HistoryOperations(Protocol):
    """The history of runs as the API sees it; all of it is called on the engine's loop."""

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        """Return runs, the newest first.

        Args:
            before: only runs with an id below this one, for paging.

        Raises:
            JobFileError: the text to search for holds no words.
        """

    async def counts(self, wanted: RunFilter) -> dict[str, int]:
        """Return how many runs there are in each status that any of them has.

        Raises:
            JobFileError: the text to search for holds no words.
        """

    async def timeline(
        self, since: datetime, until: datetime, *, steps: int, jobs: int = 500
    ) -> TimelineView:
        """Return which jobs ran in which steps of a span of time, and how many runs went on at once.

        A run that was made more than 24 h before the span is not in it, unless it goes on now.

        Args:
            steps: so many of the same length.
            jobs: at most so many, those that began first.

        Raises:
            JobFileError: the span ends before it begins.
        """

    async def failures(self, since: datetime, until: datetime, *, steps: int, jobs: int = 10) -> FailuresView:
        """Return how many runs failed in each step of a span of time, and the jobs with most failures.

        Raises:
            JobFileError: the span ends before it begins.
        """

    async def source(self, run_id: int) -> RunSourceView:
        """Return the code that a run ran: its job's file and the library modules that it was given.

        Raises:
            RunNotFound: no run has this id.
        """

    async def diff(self, run_id: int, other_id: int | None) -> DiffView:
        """Return what changed from a run's code to another run's; None compares with the files of now.

        Raises:
            RunNotFound: no run has one of the ids.
        """
