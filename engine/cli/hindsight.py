"""Commands about times that were planned: why, slots."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from engine.cli.listing import AsJson, JobArgument
from engine.cli.moments import EXAMPLES, read_moment, read_zone
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.cli.words import clean
from engine.errors import JobNotFound
from engine.states import Fate
from engine.times.quantities import format_duration
from engine.views import SlotView, WhyView

if TYPE_CHECKING:
    from engine.api.syncclient import Client

COLUMNS = ("DUE", "TIMES", "FATE", "CAUSE", "RUN", "STATUS", "LATE", "REASON")

_WITH_SECONDS = re.compile(r"\d:\d\d:\d")

Zone = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="Show and read times there, not in the job's zone.")
]


def why(
    context: typer.Context,
    job: JobArgument,
    time: Annotated[str, typer.Argument(metavar="TIME", help=f"Such as {EXAMPLES}.")],
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Tell what became of a planned time, or will.

    The time is read in the job's time zone. What was planned within the minute from then on is meant, or
    within the second if seconds are given.
    """
    now = datetime.now(UTC)
    with place_of(context).client() as client:
        chosen = read_zone(zone) or _zone_of(client, job)
        at = read_moment(time, chosen, now)
        view = client.ledger.why(job, at=_cut(time, at), within_seconds=_exactness(time))
    if as_json:
        print_json(view)
    else:
        for line in why_lines(view, chosen, now):
            print(clean(line))


def _cut(text: str, at: datetime) -> datetime:
    """Return the time that is looked at: a distance from now means the minute in which it ends."""
    return at.replace(second=0, microsecond=0) if text.startswith(("+", "-")) else at


def _exactness(text: str) -> float:
    """Return the seconds that a time as somebody wrote it stands for."""
    return 1.0 if _WITH_SECONDS.search(text) else 60.0


def slots(
    context: typer.Context,
    job: JobArgument,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help=f"Only from there on, such as {EXAMPLES}.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only before this time.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 50,
    zone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """List what became of planned times, the latest first.

    Times in a row that ended alike without a run stand in one line.
    """
    now = datetime.now(UTC)
    with place_of(context).client() as client:
        chosen = read_zone(zone) or _zone_of(client, job)
        views = client.ledger.slots(
            job,
            since=read_moment(since, chosen, now) if since else None,
            until=read_moment(until, chosen, now) if until else None,
            limit=limit,
        )
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, (_row(view, chosen) for view in views), empty="no time was planned yet")


def why_lines(view: WhyView, zone: ZoneInfo | None, now: datetime) -> list[str]:
    """Return the answer in words: one line, or more if no time was planned where somebody asked."""
    if view.found:
        return [_line(view.job, slot, zone, now) for slot in view.found]
    lines = [f"{view.job}: no time was planned at {_shown(view.at, zone)}"]
    nearest = [slot for slot in (view.before, view.after) if slot is not None]
    lines += ["the nearest are:"] if nearest else []
    return lines + [f"  {_line(view.job, slot, zone, now)}" for slot in nearest]


def _line(job: str, slot: SlotView, zone: ZoneInfo | None, now: datetime) -> str:
    times = f"{job}, {_span(slot, zone)}: "
    if slot.fate == Fate.PLANNED:
        return times + _planned(slot, now)
    return times + (_ran(slot) if slot.status is not None else _not_run(slot))


def _planned(slot: SlotView, now: datetime) -> str:
    seconds = (slot.due - now).total_seconds()
    words = f"planned, in {format_duration(round(seconds))}" if seconds >= 1 else "planned, due now"
    return f"{words}; {slot.reason}" if slot.reason else words


def _ran(slot: SlotView) -> str:
    reason = f": {slot.reason}" if slot.reason else ""
    if slot.late_ms is None:
        return f"{slot.fate}: run {slot.run} is {slot.status} and has not started{reason}"
    return f"{slot.fate}: run {slot.run} started {_late(slot)} after it was due; {slot.status}{reason}"


def _not_run(slot: SlotView) -> str:
    words = f"{slot.fate} ({slot.cause}): {slot.reason}"
    if slot.run is None:
        return words
    return (
        f"{words}; run {slot.run} made up for it" if slot.fate == Fate.MISSED else f"{words} (run {slot.run})"
    )


def _late(slot: SlotView) -> str:
    late = slot.late_ms or 0.0
    return f"{late:.0f} ms" if late < 1000 else format_duration(round(late / 1000))


def _span(slot: SlotView, zone: ZoneInfo | None) -> str:
    first = _shown(slot.due, zone)
    if slot.count is None:
        return f"{first} and those after it"
    return first if slot.count == 1 else f"{first} to {_shown(slot.last_due, zone)} ({slot.count} times)"


def _row(slot: SlotView, zone: ZoneInfo | None) -> tuple[str, ...]:
    due = _shown(slot.due, zone)
    return (
        due if slot.count in (1, None) else f"{due} to {_shown(slot.last_due, zone)}",
        "all until due again" if slot.count is None else str(slot.count),
        slot.fate,
        slot.cause or "-",
        "-" if slot.run is None else str(slot.run),
        slot.status or "-",
        "-" if slot.late_ms is None else _late(slot),
        slot.reason,
    )


def _shown(moment: datetime, zone: ZoneInfo | None) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _zone_of(client: Client, job: str) -> ZoneInfo | None:
    """Return the zone of a job, or None if its file is gone or cannot be read."""
    try:
        return read_zone(client.job(job).settings.get("timezone"))
    except JobNotFound:
        return None
