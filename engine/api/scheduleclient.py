"""The part of both clients that is about schedules given at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from engine.api.calls import Call, given
from engine.views import ScheduleView

T = TypeVar("T")


def single(
    job: str, due: datetime | str | None, delay: float | str | None, options: dict[str, Any]
) -> Call[ScheduleView]:
    at = due.isoformat() if isinstance(due, datetime) else due
    after = 0 if at is None and delay is None else delay
    return _add(job, {**options, "at": at, "after": after})


def repeating(job: str, cron: str | Sequence[str] | None, options: dict[str, Any]) -> Call[ScheduleView]:
    lines = cron if cron is None or isinstance(cron, str) else list(cron)
    return _add(job, {**options, "cron": lines})


def _add(job: str, options: dict[str, Any]) -> Call[ScheduleView]:
    return Call("POST", "/v1/schedules", ScheduleView, body={"job": job, **given(**options)})


def find(
    job: str | None, user_id: int | None, ended: bool, before: int | None, limit: int
) -> Call[list[ScheduleView]]:
    params = given(job=job, user_id=user_id, ended=ended or None, before=before, limit=limit)
    return Call("GET", "/v1/schedules", list[ScheduleView], params)


def one(schedule_id: int) -> Call[ScheduleView]:
    return Call("GET", f"/v1/schedules/{schedule_id}", ScheduleView)


def remove(schedule_id: int) -> Call[ScheduleView]:
    return Call("DELETE", f"/v1/schedules/{schedule_id}", ScheduleView)


class ScheduleClient:
    """What `Client` can ask about schedules; described in `engine.api.operations`."""

    def _send(self, call: Call[T]) -> T:
        raise NotImplementedError

    def schedule_job(
        self,
        job: str,
        *,
        due: datetime | str | None = None,
        delay: float | str | None = None,
        timezone: str | None = None,
        data: Any = None,
        user_id: int = 0,
        tag: str = "",
        retries: int | str | None = None,
        retry_delay: float | str | None = None,
        remove_after: float | str | None = None,
    ) -> ScheduleView:
        """Let a job run once, in place of the single run to come for the same job, user and tag.

        Args:
            due: when; text without an offset counts in `timezone`, or else in the job's.
            delay: instead of that, a time from now on such as "10m". Without both it runs at once.
        """
        options = _terms(timezone, data, user_id, tag, retries, retry_delay, remove_after)
        return self._send(single(job, due, delay, options))

    def schedule_cron_job(
        self,
        job: str,
        cron: str | Sequence[str] | None = None,
        *,
        every: float | str | None = None,
        timezone: str | None = None,
        starts: str | None = None,
        expires: str | None = None,
        dst: str | None = None,
        jitter: float | str | None = None,
        run_skipped: bool | None = None,
        kinds: Mapping[str, Any] | None = None,
        data: Any = None,
        user_id: int = 0,
        tag: str = "",
        retries: int | str | None = None,
        retry_delay: float | str | None = None,
        remove_after: float | str | None = None,
    ) -> ScheduleView:
        """Let a job run again and again, in place of such a schedule for the same job, user and tag.

        Args:
            cron: a cron line, or several; or `every` gives an interval instead.
            run_skipped: whether one run makes up for times that passed; the job's own setting without.
            kinds: instead of both, a kind of schedule that a plugin adds: `{"monthly": "last friday"}`.
        """
        options = _terms(timezone, data, user_id, tag, retries, retry_delay, remove_after)
        options |= {"every": every, "starts": starts, "expires": expires, "dst": dst, "jitter": jitter}
        options |= {"run_skipped": run_skipped, **(kinds or {})}
        return self._send(repeating(job, cron, options))

    def schedules(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[ScheduleView]:
        return self._send(find(job, user_id, ended, before, limit))

    def schedule(self, schedule_id: int) -> ScheduleView:
        return self._send(one(schedule_id))

    def remove_schedule(self, schedule_id: int) -> ScheduleView:
        return self._send(remove(schedule_id))


class AsyncScheduleClient:
    """What `AsyncClient` can ask about schedules, as `ScheduleClient` does."""

    async def _send(self, call: Call[T]) -> T:
        raise NotImplementedError

    async def schedule_job(
        self,
        job: str,
        *,
        due: datetime | str | None = None,
        delay: float | str | None = None,
        timezone: str | None = None,
        data: Any = None,
        user_id: int = 0,
        tag: str = "",
        retries: int | str | None = None,
        retry_delay: float | str | None = None,
        remove_after: float | str | None = None,
    ) -> ScheduleView:
        """Let a job run once, as `ScheduleClient.schedule_job` does."""
        options = _terms(timezone, data, user_id, tag, retries, retry_delay, remove_after)
        return await self._send(single(job, due, delay, options))

    async def schedule_cron_job(
        self,
        job: str,
        cron: str | Sequence[str] | None = None,
        *,
        every: float | str | None = None,
        timezone: str | None = None,
        starts: str | None = None,
        expires: str | None = None,
        dst: str | None = None,
        jitter: float | str | None = None,
        run_skipped: bool | None = None,
        kinds: Mapping[str, Any] | None = None,
        data: Any = None,
        user_id: int = 0,
        tag: str = "",
        retries: int | str | None = None,
        retry_delay: float | str | None = None,
        remove_after: float | str | None = None,
    ) -> ScheduleView:
        """Let a job run again and again, as `ScheduleClient.schedule_cron_job` does."""
        options = _terms(timezone, data, user_id, tag, retries, retry_delay, remove_after)
        options |= {"every": every, "starts": starts, "expires": expires, "dst": dst, "jitter": jitter}
        options |= {"run_skipped": run_skipped, **(kinds or {})}
        return await self._send(repeating(job, cron, options))

    async def schedules(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[ScheduleView]:
        return await self._send(find(job, user_id, ended, before, limit))

    async def schedule(self, schedule_id: int) -> ScheduleView:
        return await self._send(one(schedule_id))

    async def remove_schedule(self, schedule_id: int) -> ScheduleView:
        return await self._send(remove(schedule_id))


def _terms(
    timezone: str | None,
    data: Any,
    user_id: int,
    tag: str,
    retries: int | str | None,
    retry_delay: float | str | None,
    remove_after: float | str | None,
) -> dict[str, Any]:
    return {
        "timezone": timezone,
        "data": data,
        "user_id": user_id,
        "tag": tag,
        "retries": retries,
        "retry_delay": retry_delay,
        "remove_after": remove_after,
    }
