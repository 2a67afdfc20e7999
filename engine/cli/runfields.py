"""One run in lines: what there is to know of it, without its log."""

from __future__ import annotations

import json
from typing import Any

from engine.cli.words import duration, local_time
from engine.views import RunView


def run_fields(view: RunView) -> list[tuple[str, str]]:
    """Return what is known of a run as names and texts; what it does not have is left out."""
    optional = [
        ("waits", view.wait),
        ("started", _time(view.started)),
        ("finished", _time(view.finished)),
        ("took", "" if view.duration_ms is None else duration(view.duration_ms)),
        ("returned", view.returned or ""),
        ("worker", view.worker or ""),
        ("repeats", _run(view.rescheduled_from)),
        ("asked by", _run(view.called_by)),
        ("schedule", "" if view.schedule_id is None else f"{view.schedule_id}, given at run time"),
        ("user", str(view.user_id or "")),
        ("version", view.version or ""),
        ("session", str(view.session or "")),
        ("data", _json(view.data)),
        ("result", view.result_note or _json(view.result)),
        ("info", _json(view.info)),
        *(("problem", f"{one['level']} {one['code']}: {one['text']}") for one in view.problems or ()),
        ("error", (view.error or "").rstrip()),
        *(("superseded", _superseded(one)) for one in view.superseded or ()),
    ]
    return [
        ("run", str(view.id)),
        ("job", view.job),
        ("status", view.status),
        ("trigger", f"{view.trigger}, attempt {view.attempt}"),
        ("due", local_time(view.due)),
        *((name, text) for name, text in optional if text),
    ]


def _superseded(late: dict[str, Any]) -> str:
    error = f": {late['error']}" if late.get("error") else ""
    return f"{late['status']} by worker {late['worker']} at {late['at']}, too late to count{error}"


def _time(when: Any) -> str:
    return local_time(when) if when else ""


def _run(run_id: int | None) -> str:
    return f"run {run_id}" if run_id else ""


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
