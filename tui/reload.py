"""Reload: what is wrong with the files first, then the reload, then what it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from engine.views import JobView, ProblemView, ReloadView
from tui.board import Board
from tui.dialogs import YES, Confirm, Dialog
from tui.page import Page
from tui.words import clean, first_line, plural, until

NAMES_SHOWN = 6


async def reload_jobs(page: Page) -> None:
    """Check the files, ask, reload, and show what changed."""
    if not page.can_act():
        return
    async with page.telling():
        problems = await page.client.check()
        if await page.app.push_screen_wait(_question(problems, page.board)) != YES:
            return
        before = {name: job.next_run for name, job in page.board.jobs.items()}
        page.say("Reloading …")
        view = await page.client.reload()
        page.board.take_jobs(await page.client.jobs())
        if is_news(view):
            told = "\n".join(told_lines(view, before, page.board))
            await page.app.push_screen_wait(Dialog("Reloaded", told))
        else:
            page.say(f"reloaded: {plural(view.unchanged, 'job')} unchanged")


def _question(problems: Iterable[ProblemView], board: Board) -> Confirm:
    """Say what a reload meets, as far as it can be known before."""
    bad = [f"✗ {clean(one.path)}: {first_line(one.reason)}" for one in problems]
    revived = [job.name for job in board.jobs.values() if is_waiting_for_reload(job)]
    lines = [*bad[:NAMES_SHOWN]]
    if len(bad) > NAMES_SHOWN:
        lines.append(f"and {len(bad) - NAMES_SHOWN} more")
    if bad:
        lines = ["These files cannot be used; all others load:", *lines, ""]
    if revived:
        lines += [f"Comes back to its schedule: {_list(revived)}", ""]
    lines.append("Jobs keep the time that remains until their next run.")
    return Confirm("Read the jobs folder again?", "\n".join(lines), "Reload")


def is_waiting_for_reload(job: JobView) -> bool:
    """Return whether a reload brings a job back: it stopped, or was activated since."""
    return job.status == "STOPPED" or (job.status == "INACTIVE" and job.active)


def is_news(view: ReloadView) -> bool:
    """Return whether a reload changed anything that is worth a dialog."""
    return bool(view.added or view.changed or view.removed or view.invalid or view.revived)


def told_lines(view: ReloadView, before: Mapping[str, datetime | None], board: Board) -> list[str]:
    """Return what a reload changed, with the next runs before and after."""
    lines: list[str] = []
    for word, names in (("added", view.added), ("changed", view.changed), ("revived", view.revived)):
        lines += [f"{word:<8}  {clean(name)}{_next(name, before, board)}" for name in names[:NAMES_SHOWN]]
        if len(names) > NAMES_SHOWN:
            lines.append(f"{word:<8}  and {len(names) - NAMES_SHOWN} more")
    if view.removed:
        lines.append(f"removed   {_list(view.removed)}")
    lines += [
        f"✗ {clean(name)}: {first_line(reason)}" for name, reason in list(view.invalid.items())[:NAMES_SHOWN]
    ]
    return [*lines, "", f"{plural(view.unchanged, 'job')} unchanged, {view.duration_ms:.0f} ms"]


def _next(name: str, before: Mapping[str, datetime | None], board: Board) -> str:
    job, now = board.jobs.get(name), board.now()
    was, now_is = until(before.get(name), now), until(job.next_run if job else None, now)
    return "" if was == now_is == "—" else f"   next {was} → {now_is}"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return clean(", ".join(names[:NAMES_SHOWN])) + more
