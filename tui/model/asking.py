"""Answers that events may have overtaken.

Answers and events come by two ways. An answer made before an event may come after it: taken as it is, it
would undo on the screen what the event told, until the next one. So what events told while an answer was
waited for is kept, and the jobs that they were about are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import msgspec

from engine.views import EngineView, ListedJob
from tui.model.board import ENGINE, Board


class Asking:
    """The time from a question to the last of its answers, as a block; the answers are taken by it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._told: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._leave = self._board.watch(self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._leave()

    def _note(self, name: str, told: Mapping[str, Any]) -> None:
        self._told.setdefault(name, {}).update(told)

    def take_engine(self, view: EngineView) -> None:
        """Note the engine's own figures, which are asked for again and again."""
        self._board.take_engine(replace(view, **self._told.get(ENGINE, {})))

    def take_job(self, job: ListedJob) -> None:
        """Note one job anew."""
        self._board.take_job(self._as_told(job))

    def take_jobs(self, jobs: Iterable[ListedJob]) -> None:
        """Note all jobs anew."""
        self._board.take_jobs([self._as_told(job) for job in jobs])

    def _as_told(self, job: ListedJob) -> ListedJob:
        told = self._told.get(job.name)
        if told is None:
            return job
        # Whether the answer was made before the events or after them is not known.
        self._board.when_doubted(job.name)
        return msgspec.structs.replace(job, **told)
