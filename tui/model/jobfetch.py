"""Bringing jobs on the board up to date."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine.errors import JobNotFound
from engine.views import JobView, listed
from tui.model.asking import Asking
from tui.model.board import Board

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

#: With more jobs to fetch than this, and more than this part of all, all of them come in one answer.
FETCHED_ALONE = 20
PART_FETCHED_ALONE = 0.05


async def fetch_all_jobs(client: AsyncClient, board: Board) -> None:
    """Put all jobs on the board as they stand now.

    Raises:
        MoontideError: the engine did not answer.
    """
    with Asking(board) as asking:
        asking.take_jobs(await client.listed_jobs())


async def fetch_jobs(client: AsyncClient, board: Board, names: Collection[str]) -> None:
    """Put these jobs on the board as they stand now, and take those away that are gone.

    Raises:
        MoontideError: the engine did not answer.
    """
    if len(names) > max(FETCHED_ALONE, PART_FETCHED_ALONE * len(board.jobs)):
        await fetch_all_jobs(client, board)
        return
    for name in names:
        await look_at_job(client, board, name)


async def look_at_job(client: AsyncClient, board: Board, name: str) -> JobView | None:
    """Put a job on the board as it stands now, and return it; take it away and return None if it is gone.

    Raises:
        MoontideError: the engine did not answer.
    """
    with Asking(board) as asking:
        try:
            job = await client.job(name)
        except JobNotFound:
            board.drop_job(name)
            return None
        asking.take_job(listed(job))
        return job
