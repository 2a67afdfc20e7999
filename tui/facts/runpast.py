"""The past of a run: the code that it ran, what changed since then, and the attempt that followed it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from engine.runfilter import RunFilter
from engine.states import RunStatus, Trigger
from engine.views import DiffView, RunSourceView, RunView
from tui.facts.runlists import numbered
from tui.look import words
from tui.widgets.bars import ProseLine

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

#: Retries looked through for the one that follows a run.
RETRIES_SOUGHT = 200


def source_lines(source: RunSourceView, *, marked: int | None) -> list[ProseLine]:
    """Return the code of a run, and after it that of the modules which it was given.

    Args:
        marked: the line of the job's file to point at.
    """
    if source.text is None:
        return [[("This run had no code: its file could not be read.", "late")]]
    lines = numbered(source.text, marked=marked)
    for name, module in sorted(source.modules.items()):
        lines += [[], [(words.clean(f"{name}  {module.path}"), "head")]]
        if module.text is None:
            lines.append([("its text is kept no longer", "faint")])
        else:
            lines += numbered(module.text)
    return lines


def diff_lines(diff: DiffView) -> list[ProseLine]:
    """Return what changed in the code between a run and now."""
    if not diff.files:
        return [[("The code is still what this run ran.", "ok")]]
    lines: list[ProseLine] = [[(words.clean(f"from {diff.before} to {diff.after}"), "faint")]]
    for file in diff.files:
        lines += [[], [(words.clean(file.path), "head")]]
        lines += [[(words.clean(line), _shade(line))] for line in file.diff.splitlines()]
    return lines


def _shade(line: str) -> str:
    if line.startswith(("---", "+++", "@@")):
        return "faint"
    return {"+": "ok", "-": "bad"}.get(line[:1], "calm")


async def retry_of(client: AsyncClient, run: RunView) -> int | None:
    """Return the run that tries again what a run failed to do, if there is one."""
    since = (run.started or run.due) - timedelta(seconds=1)
    wanted = RunFilter(job=run.job, statuses=tuple(RunStatus), triggers=(Trigger.RETRY,), since=since)
    retries = await client.history.find(wanted, limit=RETRIES_SOUGHT)
    return next((retry.id for retry in retries if retry.rescheduled_from == run.id), None)
