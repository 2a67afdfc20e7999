"""Edits a job's file in the person's own editor; it is read and written through the engine all the same."""

from __future__ import annotations

from engine.errors import MoontideError
from engine.views import listed
from tui.model.jobfile import ChangedMeanwhile, JobFile
from tui.model.owneditor import Copy, run_editor
from tui.page import Page
from tui.widgets.conflict import MINE, conflict


async def edit_in_own_editor(page: Page, name: str) -> None:
    """Open a job's file in the person's editor, and write what becomes of it; what is not written is kept."""
    editor = page.context.own_editor
    if editor.why_not:
        page.warn(editor.why_not)
        return
    async with page.telling():
        file = JobFile(page.client, name, new=False)
        copy = Copy(name, await file.read())
        with page.app.suspend():
            trouble = run_editor(editor.command, copy.path)
        await _take_back(page, file, copy, trouble)


async def _take_back(page: Page, file: JobFile, copy: Copy, trouble: str) -> None:
    try:
        text = copy.text()
    except (OSError, UnicodeDecodeError) as error:
        page.complain(f"{file.name} was not written: {copy.path} cannot be read: {error}")
        return
    if text == file.saved:
        copy.throw_away()
        page.warn(trouble) if trouble else page.say("nothing was changed")
    elif trouble:
        page.complain(f"{file.name} was not written: {trouble}; your text is kept in {copy.path}")
    else:
        await _write(page, file, copy, text)


async def _write(page: Page, file: JobFile, copy: Copy, text: str) -> None:
    try:
        job = await file.write(text)
    except ChangedMeanwhile as changed:
        answer = await page.app.push_screen_wait(conflict(changed.theirs.text, text))
        if answer == MINE:
            file.build_on(changed.theirs)
            await _write(page, file, copy, text)
        else:
            page.warn(f"{file.name} was not written; your text is kept in {copy.path}")
    except MoontideError as error:
        page.complain(f"{file.name} was not written: {error}; your text is kept in {copy.path}")
    else:
        copy.throw_away()
        page.board.take_written(listed(job))
        page.say(f"{job.name} is saved and reloaded")
