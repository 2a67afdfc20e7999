"""The part of both clients that is about runs on record: `client.history`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.api.calls import Call, Part, S, asked, given
from engine.runfilter import RunFilter
from engine.views import DiffView, FailuresView, RunSourceView, RunView, TimelineView

EVERY_RUN = RunFilter()


def find(wanted: RunFilter, before: int | None, limit: int) -> Call[list[RunView]]:
    return Call("GET", "/v1/runs", list[RunView], _params(wanted) | given(before=before, limit=limit))


class HistoryClient(Part[S]):
    """What `engine.api.historyoperations.HistoryOperations` describes."""

    @asked
    def find(
        self, wanted: RunFilter = EVERY_RUN, *, before: int | None = None, limit: int = 50
    ) -> Call[list[RunView]]:
        return find(wanted, before, limit)

    @asked
    def counts(self, wanted: RunFilter = EVERY_RUN) -> Call[dict[str, int]]:
        return Call("GET", "/v1/run-counts", dict[str, int], _params(wanted))

    @asked
    def timeline(
        self, since: datetime, until: datetime, *, steps: int, jobs: int = 500
    ) -> Call[TimelineView]:
        return Call("GET", "/v1/run-timeline", TimelineView, _span(since, until, steps, jobs))

    @asked
    def failures(self, since: datetime, until: datetime, *, steps: int, jobs: int = 10) -> Call[FailuresView]:
        return Call("GET", "/v1/run-failures", FailuresView, _span(since, until, steps, jobs))

    @asked
    def source(self, run_id: int) -> Call[RunSourceView]:
        return Call("GET", f"/v1/runs/{run_id}/source", RunSourceView)

    @asked
    def diff(self, run_id: int, other_id: int | None = None) -> Call[DiffView]:
        return Call("GET", f"/v1/runs/{run_id}/diff", DiffView, given(other=other_id))


def _span(since: datetime, until: datetime, steps: int, jobs: int) -> dict[str, Any]:
    return given(since=since, until=until, steps=steps, jobs=jobs)


def _params(wanted: RunFilter) -> dict[str, Any]:
    return given(
        job=wanted.job,
        status=[status.value for status in wanted.statuses] or None,
        trigger=[trigger.value for trigger in wanted.triggers] or None,
        since=wanted.since,
        until=wanted.until,
        tag=wanted.tag,
        user_id=wanted.user_id,
        text=wanted.text,
    )
