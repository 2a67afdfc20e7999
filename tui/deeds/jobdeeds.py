"""What can be done to jobs and runs from every list: asked first where it matters, told afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.bulk import BulkAction, Chosen
from engine.states import FINAL, Activity
from engine.views import ListedJob, RunView
from tui.look.words import plural
from tui.model.jobfetch import fetch_jobs
from tui.page import Page
from tui.widgets.dialogs import YES, Ask, Confirm, must_be, must_be_json, names_in_words


async def _agreed(page: Page, title: str, message: str, yes: str) -> bool:
    return await page.app.push_screen_wait(Confirm(title, message, yes)) == YES


def _named(jobs: Sequence[ListedJob]) -> str:
    return jobs[0].name if len(jobs) == 1 else plural(len(jobs), "job")


async def _many(page: Page, action: BulkAction, jobs: Sequence[ListedJob], done: str) -> None:
    """Do something to jobs in one request, and say what became of each."""
    async with page.telling():
        results = await page.client.bulk.act(action, Chosen(names=tuple(job.name for job in jobs)))
        page.tell_results(results, done)
        if action is not BulkAction.RUN:
            await fetch_jobs(page.client, page.board, [job.name for job in jobs])


async def run_jobs(page: Page, jobs: Sequence[ListedJob]) -> None:
    """Run jobs now; ask if there are several, or if it runs already."""
    if not jobs or not page.can_act():
        return
    going = [job.name for job in jobs if job.activity != Activity.IDLE]
    title = f"Run {_named(jobs)} now?"
    if len(jobs) > 1 and not await _agreed(page, title, names_in_words(job.name for job in jobs), "Run"):
        return
    if len(jobs) == 1 and going and not await _agreed(page, title, "It runs or waits already.", "Run"):
        return
    await _many(page, BulkAction.RUN, jobs, "started")


async def run_with_data(page: Page, job: ListedJob, data: str = "{}") -> RunView | None:
    """Run a job with data that is asked for; return the run."""
    if not page.can_act():
        return None
    title, message = f"Run {job.name} with data", "JSON; the job finds it in run.data."
    text = await page.app.push_screen_wait(Ask(title, message, label="Run", value=data, check=must_be_json))
    if not text:
        return None
    async with page.telling():
        run = await page.client.run_job(job.name, data=json.loads(text))
        page.say(f"run {run.id} of {job.name} started")
        return run
    return None


async def run_again(page: Page, run: RunView) -> RunView | None:
    """Run the job of a run again, with the same data; return the new run."""
    if not page.can_act():
        return None
    async with page.telling():
        again = await page.client.run_job(run.job, data=run.data, user_id=run.user_id)
        page.say(f"run {again.id} of {again.job} started")
        return again
    return None


async def switch_jobs(page: Page, jobs: Sequence[ListedJob]) -> None:
    """Deactivate jobs, after asking; activate them if none of them is active."""
    if not jobs or not page.can_act():
        return
    active = [job for job in jobs if job.active]
    if active:
        await _deactivate(page, active)
    else:
        await _activate(page, jobs)


async def _deactivate(page: Page, jobs: Sequence[ListedJob]) -> None:
    message = names_in_words(job.name for job in jobs) if len(jobs) > 1 else ""
    explained = f"{message}\n\nA run under way goes on.".strip()
    if not await _agreed(page, f"Deactivate {_named(jobs)}?", explained, "Deactivate"):
        return
    await _many(page, BulkAction.DEACTIVATE, jobs, "deactivated")


async def _activate(page: Page, jobs: Sequence[ListedJob]) -> None:
    names = names_in_words(job.name for job in jobs)
    if len(jobs) > 1 and not await _agreed(page, f"Activate {_named(jobs)}?", names, "Activate"):
        return
    await _many(page, BulkAction.ACTIVATE, jobs, "activated; a reload (Ctrl+R) puts it back on its schedule")


async def cancel_runs(page: Page, runs: Sequence[RunView]) -> None:
    """Cancel runs that wait or go on, after asking."""
    going = [run for run in runs if run.status not in FINAL]
    if not going:
        page.warn("nothing to cancel: it has ended already")
    if not going or not page.can_act():
        return
    what = f"run {going[0].id} of {going[0].job}" if len(going) == 1 else plural(len(going), "run")
    message = "What it did so far stays done. It counts as CANCELLED, not as a failure."
    if not await _agreed(page, f"Cancel {what}?", message, "Cancel the run"):
        return
    for run in going:
        async with page.telling():
            await page.client.cancel(run.id)
            page.say(f"run {run.id} of {run.job} is cancelled")


async def cancel_jobs(page: Page, jobs: Sequence[ListedJob]) -> None:
    """Cancel the runs under way of these jobs, after asking."""
    if not page.can_act():
        return
    runs: list[RunView] = []
    for job in jobs:
        async with page.telling():
            runs += [r for r in await page.client.runs(job=job.name, limit=50) if r.status not in FINAL]
    if runs:
        await cancel_runs(page, runs)
    else:
        page.warn(f"nothing to cancel: no run of {_named(jobs)} waits or goes on")


async def delete_job(page: Page, job: ListedJob) -> bool:
    """Delete a job's file after its name was typed; return whether that was done."""
    if not page.can_act():
        return False
    message = f"{job.path}\n\nThe file is gone for good; its runs stay on record. Type the job's name."
    ask = Ask(f"Delete {job.name}?", message, label="Delete", check=must_be(job.name))
    if not await page.app.push_screen_wait(ask):
        return False
    async with page.telling():
        await page.client.delete_job(job.name)
        page.say(f"{job.name} is deleted")
        return True
    return False
