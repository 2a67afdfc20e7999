"""Reload: first what it would change, then the reload, then what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from engine.views import PlannedChangeView, ReloadPlanView, ReloadView
from tui.look.words import clean, first_line, plural, until
from tui.model.jobfetch import fetch_all_jobs
from tui.page import Page
from tui.widgets.dialogs import YES, Confirm

#: What can become of a job, in the order of the plan, each with its sign.
SIGNS = {"invalid": "✗", "removed": "-", "added": "+", "changed": "~", "revived": "↻", "other": "·"}

#: Further lines than these are only counted.
LINES_SHOWN = 300


async def reload_jobs(page: Page) -> None:
    """Show what a reload would change, ask, and reload."""
    if not page.can_act():
        return
    async with page.telling():
        plan = await page.client.reloads.plan()
        text = "\n".join(plan_lines(plan, page.board.now()))
        title = (
            "Read the jobs folder again?" if plan.changes else "Read the jobs folder again? It is unchanged."
        )
        if await page.app.push_screen_wait(Confirm(title, text, "Reload")) != YES:
            return
        page.say("Reloading …")
        view = await page.client.reload()
        await fetch_all_jobs(page.client, page.board)
        page.say(told(view))
        if view.invalid:
            page.warn(f"{plural(len(view.invalid), 'file')} cannot be used: {_listed(list(view.invalid))}")


def plan_lines(plan: ReloadPlanView, now: datetime) -> list[str]:
    """Return what a reload would change, the worst first."""
    order = list(SIGNS)
    changes = sorted(plan.changes, key=lambda one: (order.index(one.becomes), one.job))
    lines = [*_change_lines(changes, now), *_still_bad(plan), *_module_lines(plan.modules)]
    if len(lines) > LINES_SHOWN:
        lines = [*lines[:LINES_SHOWN], f"and {len(lines) - LINES_SHOWN} more"]
    if lines:
        lines.append("")
    kept = "A job whose schedule stays keeps the time until its next run."
    return [*lines, f"{plural(plan.unchanged, 'job')} unchanged. {kept}"]


def _change_lines(changes: Sequence[PlannedChangeView], now: datetime) -> Iterator[str]:
    width = min(30, max((len(one.job) for one in changes), default=0))
    for one in changes:
        lead = f"{SIGNS[one.becomes]} {one.becomes:<8} {clean(one.job):<{width}}"
        yield f"{lead}  {'; '.join(_words(one, now))}".rstrip()


def _words(one: PlannedChangeView, now: datetime) -> Iterator[str]:
    if one.becomes == "invalid":
        yield first_line(one.reason)
        return
    if one.settings:
        yield ", ".join(one.settings)
    if one.was and one.status and one.was != one.status:
        yield f"{one.was} → {one.status}"
    if one.next_was != one.next_run:
        yield f"next {until(one.next_was, now)} → {until(one.next_run, now)}"


def _still_bad(plan: ReloadPlanView) -> Iterator[str]:
    told_already = {one.job for one in plan.changes if one.becomes == "invalid"}
    for name, reason in plan.invalid.items():
        if name not in told_already:
            yield f"{SIGNS['invalid']} invalid  {clean(name)}  as before: {first_line(reason)}"


def _module_lines(modules: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, jobs in modules.items():
        yield f"~ module   {clean(name)}  used by {_listed(jobs)}"


def told(view: ReloadView) -> str:
    """Return in one line what a reload did."""
    counts = (
        ("added", view.added),
        ("changed", view.changed),
        ("removed", view.removed),
        ("revived", view.revived),
    )
    done = [f"{len(names)} {word}" for word, names in counts if names]
    return "reloaded: " + (", ".join(done) or f"{plural(view.unchanged, 'job')} unchanged")


def _listed(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return clean(", ".join(names[:most])) + more
