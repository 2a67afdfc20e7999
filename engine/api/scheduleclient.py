"""The part of both clients that is about schedules given at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.api.calls import Call, Part, S, asked, given
from engine.views import ScheduleView


class ScheduleClient(Part[S]):
    """What both clients can ask about schedules; described in `engine.api.operations`."""

    @asked
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
    ) -> Call[ScheduleView]:
        """Let a job run once, in place of the single run to come for the same job, user and tag.

        Args:
            due: when; text without an offset counts in `timezone`, or else in the job's.
            delay: instead of that, a time from now on such as "10m". Without both it runs at once.
        """
        return _add(
            job=job,
            at=due,
            after=0 if due is None and delay is None else delay,
            timezone=timezone,
            data=data,
            user_id=user_id,
            tag=tag,
            retries=retries,
            retry_delay=retry_delay,
            remove_after=remove_after,
        )

    @asked
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
    ) -> Call[ScheduleView]:
        """Let a job run again and again, in place of such a schedule for the same job, user and tag.

        Args:
            cron: a cron line, or several; or `every` gives an interval instead.
            run_skipped: whether one run makes up for times that passed; the job's own setting without.
            kinds: instead of both, a kind of schedule that a plugin adds: `{"monthly": "last friday"}`.
        """
        return _add(
            job=job,
            cron=cron if cron is None or isinstance(cron, str) else list(cron),
            every=every,
            timezone=timezone,
            starts=starts,
            expires=expires,
            dst=dst,
            jitter=jitter,
            run_skipped=run_skipped,
            data=data,
            user_id=user_id,
            tag=tag,
            retries=retries,
            retry_delay=retry_delay,
            remove_after=remove_after,
            **(kinds or {}),
        )

    @asked
    def schedules(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> Call[list[ScheduleView]]:
        params = given(job=job, user_id=user_id, ended=ended or None, before=before, limit=limit)
        return Call("GET", "/v1/schedules", list[ScheduleView], params)

    @asked
    def schedule(self, schedule_id: int) -> Call[ScheduleView]:
        return Call("GET", f"/v1/schedules/{schedule_id}", ScheduleView)

    @asked
    def remove_schedule(self, schedule_id: int) -> Call[ScheduleView]:
        return Call("DELETE", f"/v1/schedules/{schedule_id}", ScheduleView)


def _add(**terms: Any) -> Call[ScheduleView]:
    return Call("POST", "/v1/schedules", ScheduleView, body=given(**terms))
