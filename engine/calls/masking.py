"""Secrets that a run has seen, kept out of everything it leaves behind."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from engine.calls.core import Documents, RunControl, RunInfo, RunStanding, ScheduleStanding, Sort
from engine.calls.jobcontrol import JobControl
from engine.sizes import is_large

MASK = "***"


class Masking:
    """Replaces the values of secrets in texts and in plain data."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def hide(self, secret: str) -> None:
        """Mask this value from now on, wherever it appears; an empty one is no secret."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)
            # The longest first: one secret may be part of another.
            self._secrets.sort(key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text with every secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _bytes(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret.encode(), MASK.encode())
        return data

    def data(self, value: Any) -> Any:
        """Return plain data with every secret replaced, in keys as well."""
        if not self._secrets:
            return value
        return self._masked(value)

    def _masked(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case bytes():
                return self._bytes(value)
            case list():
                return [self._masked(item) for item in value]
            case dict():
                return {self._masked(key): self._masked(item) for key, item in value.items()}
            case _:
                return value


class MaskedDocuments:
    """The document store as one run sees it: what it saves holds no secret.

    What it looks for is masked likewise, so that it finds what it saved.
    """

    def __init__(self, documents: Documents, masking: Masking) -> None:
        self._documents = documents
        self._text = masking.text
        self._data = masking.data

    async def get(self, source: str, document_id: str) -> dict[str, Any] | None:
        """Return the document with its `_id`, or None."""
        return await self._documents.get(self._text(source), self._text(document_id))

    async def find(
        self, source: str, query: dict[str, Any], *, sort: Sort = (), offset: int = 0, limit: int
    ) -> list[dict[str, Any]]:
        """Return documents that match `query`, sorted by some fields and then by their ids."""
        return await self._documents.find(
            self._text(source), self._data(query), sort=sort, offset=offset, limit=limit
        )

    async def save(self, source: str, document: dict[str, Any]) -> str:
        """Write a document with every secret replaced."""
        if is_large(document):
            document = await asyncio.to_thread(self._data, document)
        else:
            document = self._data(document)
        return await self._documents.save(self._text(source), document)

    async def delete(self, source: str, document_id: str) -> bool:
        """Remove a document; return whether it was there."""
        return await self._documents.delete(self._text(source), self._text(document_id))


class MaskedRuns:
    """The control of other runs as one run sees it: what it hands to them holds no secret."""

    def __init__(self, runs: RunControl, masking: Masking) -> None:
        self._runs = runs
        self._masking = masking

    async def now(self, job: str, data: Any, *, by: RunInfo) -> int:
        """Run a job with every secret in its data replaced."""
        return await self._runs.now(job, self._masking.data(data), by=by)

    async def at(self, due: datetime, job: str, data: Any, *, by: RunInfo) -> int:
        """Plan a run with every secret in its data replaced."""
        return await self._runs.at(due, job, self._masking.data(data), by=by)

    async def cancel(self, run_id: int, *, by: RunInfo) -> bool:
        """End a run; return False if it had ended already."""
        return await self._runs.cancel(run_id, by=by)

    async def status(self, run_id: int) -> RunStanding:
        """Return where a run stands."""
        return await self._runs.status(run_id)

    async def schedule(self, job: str, options: dict[str, Any], *, by: RunInfo) -> tuple[int, int | None]:
        """Give a job a schedule with every secret in it replaced."""
        return await self._runs.schedule(job, self._masking.data(options), by=by)

    async def unschedule(self, schedule_id: int, *, by: RunInfo) -> bool:
        """End a schedule; return False if it had ended already."""
        return await self._runs.unschedule(schedule_id, by=by)

    async def schedules(self, job: str, user_id: int | None) -> list[ScheduleStanding]:
        """Return the schedules of a job that are in force."""
        return await self._runs.schedules(job, user_id)

    async def schedule_standing(self, schedule_id: int) -> ScheduleStanding:
        """Return where a schedule stands."""
        return await self._runs.schedule_standing(schedule_id)


class MaskedJob:
    """The control of its own job as one run sees it: what the job keeps holds no secret."""

    def __init__(self, job: JobControl, masking: Masking) -> None:
        self._job = job
        self._masking = masking

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing."""
        return await self._job.state(job, lasting=lasting)

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value with every secret replaced."""
        await self._job.keep_state(job, self._masking.data(value), lasting=lasting, run_id=run_id)

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Let the job be due once before its next due time."""
        return await self._job.next(job, when)
