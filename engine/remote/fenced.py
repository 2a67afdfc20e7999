"""Writes of one run on a worker, which are refused once the run was given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, text

from engine.errors import CoreError
from engine.store.journal import Journal
from engine.store.workerside import FENCE

T = TypeVar("T")

_FENCE = text(FENCE)


class FencedJournal:
    """A journal as one run may use it."""

    def __init__(self, journal: Journal, run_id: int, token: str) -> None:
        """Make it.

        Args:
            token: that of the run's attempt.
        """
        self._journal = journal
        self._run = {"run": run_id, "token": token}

    def transact(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Do some work with the connection, if the run was not given up; see `Journal.transact`."""

        def fenced(connection: Connection) -> T:
            if connection.scalar(_FENCE, self._run) is None:
                raise CoreError("the engine has given this run up; nothing is written for it any more")
            return work(connection)

        return self._journal.transact(fenced)
