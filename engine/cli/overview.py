"""What `moontide status` and `moontide jobs` print. It is loaded without typer: see `plain.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from engine.cli.output import on_terminal, print_fields, print_json, print_table
from engine.cli.place import Place
from engine.cli.words import local_time, one_line, short_time

if TYPE_CHECKING:
    from engine.views import EngineView, ListedJob

JOB_COLUMNS = ("JOB", "STATUS", "NOW", "SCHEDULE", "NEXT RUN", "LAST RUN", "ENDED", "REASON")
JOB_WIDTHS = (
    (130, tuple(range(8))),
    (100, (0, 1, 2, 3, 4, 6, 7)),
    (70, (0, 1, 2, 4, 6)),
    (50, (0, 1, 4)),
    (0, (0, 1)),
)


def show_status(place: Place, as_json: bool) -> None:
    """Print what the engine as a whole does."""
    with place.client() as client:
        view = client.status()
    if as_json:
        print_json(view)
    else:
        print_fields(_engine_fields(view))


def _engine_fields(view: EngineView) -> list[tuple[str, str]]:
    counts = ", ".join(f"{count} {word}" for word, count in view.jobs_by_status.items() if count)
    slots = str(view.pool_size) if view.pool_size else "any number"
    return [
        ("state", view.state),
        ("version", view.version),
        ("process", str(view.pid)),
        ("home", view.home),
        ("jobs folder", view.jobs_folder),
        ("database", f"{view.database} (journal {view.journal})"),
        ("session", f"{view.session}, since {local_time(view.started)}"),
        ("jobs", f"{view.jobs} ({counts})" if counts else str(view.jobs)),
        (
            "runs",
            f"{view.running} running of {slots} at once, {view.queued} queued, {view.runs_total} in all",
        ),
        ("workers", str(view.workers)),
        ("walls", ", ".join(f"{name} {state}" for name, state in view.walls.items())),
        *(("held", words) for words in view.holds),
        ("alerts", f"{view.alerts}; `moontide alerts` lists them" if view.alerts else "none"),
        *(("problem", problem) for problem in view.problems),
    ]


def list_jobs(place: Place, as_json: bool) -> None:
    """Print all jobs, and what they wait for."""
    with place.client() as client:
        if as_json:
            print_json(client.jobs())
            return
        listed = client.listed_jobs()
    rows = job_rows(listed)
    print_table(JOB_COLUMNS, rows, empty="no jobs yet; `moontide new NAME` makes one", widths=JOB_WIDTHS)


def job_rows(views: Iterable[ListedJob]) -> Iterator[tuple[str, ...]]:
    """Yield each job's cells under `JOB_COLUMNS`."""
    show_time = time_shower()
    for view in views:
        yield (
            view.name,
            view.status,
            view.activity,
            view.schedule,
            show_time(view.next_run),
            show_time(view.last_run),
            view.last_status or "-",
            _remarks(view),
        )


def _remarks(view: ListedJob) -> str:
    reason = "" if view.reason == view.schedule else one_line(view.reason)
    given = f"set by operator: {', '.join(view.by_operator)}" if view.by_operator else ""
    return "; ".join(part for part in (reason, given) if part)


def time_shower() -> Callable[[datetime | None], str]:
    """Return how a table's times are written: short for people, whole for programs."""
    return partial(short_time, now=datetime.now(UTC)) if on_terminal() else local_time
