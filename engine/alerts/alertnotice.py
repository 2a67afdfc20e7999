"""What people are told of alerts, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.events import AlertItem, AlertNotice
from engine.store.alertrows import AlertRow
from engine.times.quantities import format_duration

#: Alerts that are told one by one in a notice; of the others their number is told.
MOST_PARAGRAPHS = 50


def item_of(row: AlertRow) -> AlertItem:
    """Return an alert as it stands now, for a notice."""
    state = "ended" if row.ended else "goes on" if row.told else "began"
    reason = row.reason if row.ended is None or row.told is None else row.end_reason or row.reason
    return AlertItem(row.id, row.job, row.kind, state, reason, row.since, row.ended, row.count, row.run)


def notice_of(items: Sequence[AlertItem], *, at: datetime, zone: str, to: str = "") -> AlertNotice:
    """Return a notice of one alert or several.

    Args:
        zone: the time zone in which times are told.
        to: the receiver's name; empty for the usual ones.
    """
    subject = _line(items[0]) if len(items) == 1 else _summary(items)
    shown = [_paragraph(item, ZoneInfo(zone)) for item in items[:MOST_PARAGRAPHS]]
    if len(items) > MOST_PARAGRAPHS:
        shown.append(f"... and {len(items) - MOST_PARAGRAPHS} more; `moontide alerts --all` lists them.")
    return AlertNotice(at, subject, "\n\n".join(shown), tuple(items), to)


def lasted(item: AlertItem) -> str:
    """Return how long an alert lasted."""
    return format_duration(max(0, round(((item.ended or item.since) - item.since).total_seconds())))


def _line(item: AlertItem) -> str:
    match item.state:
        case "ended":
            return f"{item.job}: {item.kind} is over after {lasted(item)}"
        case "goes on":
            return f"{item.job}: still {item.kind}"
        case _:
            return f"{item.job}: {item.kind}"


def _summary(items: Sequence[AlertItem]) -> str:
    counts = [
        (sum(item.state == state for item in items), words)
        for state, words in (("began", "new"), ("goes on", "going on"), ("ended", "over"))
    ]
    jobs = len({item.job for item in items})
    told = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"{len(items)} alerts of {jobs} jobs: {told}" if jobs > 1 else f"{items[0].job}: {told} alerts"


def _paragraph(item: AlertItem, zone: ZoneInfo) -> str:
    seen = f", seen {item.count} times" if item.count > 1 else ""
    ended = f"\n  until {_time(item.ended, zone)}" if item.ended else ""
    since = f"since {_time(item.since, zone)}{ended}{seen}"
    return f"{_line(item)}\n  {item.reason}\n  {since}\n  alert {item.alert}"


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
