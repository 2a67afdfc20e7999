"""Requests about runs of the past as values, so that both clients send the same ones."""

from __future__ import annotations

from typing import Any

from engine.api.calls import Call
from engine.runfilter import RunFilter
from engine.views import DiffView, RunSourceView, RunView


def find(wanted: RunFilter, before: int | None, limit: int) -> Call[list[RunView]]:
    paging = {"before": before, "limit": limit}
    params = {name: value for name, value in paging.items() if value is not None}
    return Call("GET", "/v1/runs", list[RunView], _params(wanted) | params)


def counts(wanted: RunFilter) -> Call[dict[str, int]]:
    return Call("GET", "/v1/run-counts", dict[str, int], _params(wanted))


def source(run_id: int) -> Call[RunSourceView]:
    return Call("GET", f"/v1/runs/{run_id}/source", RunSourceView)


def diff(run_id: int, other_id: int | None) -> Call[DiffView]:
    params = {} if other_id is None else {"other": other_id}
    return Call("GET", f"/v1/runs/{run_id}/diff", DiffView, params)


def _params(wanted: RunFilter) -> dict[str, Any]:
    given = {
        "job": wanted.job,
        "status": [status.value for status in wanted.statuses] or None,
        "trigger": [trigger.value for trigger in wanted.triggers] or None,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
        "tag": wanted.tag,
        "user_id": wanted.user_id,
        "text": wanted.text,
    }
    return {name: value for name, value in given.items() if value is not None}
