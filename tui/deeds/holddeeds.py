"""Pauses, groups, alerts and state data: what can be done to them from every screen."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.bulk import BulkAction, Chosen
from engine.views import AlertView, GroupView, ListedJob, StateView
from tui.look.words import plural
from tui.page import Page
from tui.widgets.blanks import Blank, FillIn, end_problem, read_end
from tui.widgets.dialogs import CANCEL, YES, Ask, Confirm, Dialog, must_be_json, names_in_words

NOTE = "note (others see it)"
UNTIL = "until (2h, 18:00 or 2026-12-24T18:00; empty: until it is resumed)"


async def _asked_pause(page: Page, what: str, names: str = "") -> FillIn | None:
    """Ask for note and end of a pause."""
    message = f"{names}\n\nNothing of it starts while it is paused; a run under way goes on.".strip()
    blanks = (Blank("until", UNTIL, end_problem(page.board.now)), Blank("note", NOTE))
    dialog = FillIn(f"Pause {what}?", message, blanks, label="Pause")
    return dialog if await page.app.push_screen_wait(dialog) == YES else None


async def pause_jobs(page: Page, jobs: Sequence[ListedJob]) -> None:
    """Pause jobs, with a note and perhaps an end; resume them if all of them are paused."""
    if not jobs or not page.can_act():
        return
    waking = [job for job in jobs if not job.paused]
    chosen = tuple(job.name for job in waking or jobs)
    what = chosen[0] if len(chosen) == 1 else plural(len(chosen), "job")
    names = names_in_words(chosen) if len(chosen) > 1 else ""
    if not waking:
        if (
            await page.app.push_screen_wait(Confirm(f"Resume {what}?", names or jobs[0].paused, "Resume"))
            == YES
        ):
            await _bulk(page, BulkAction.RESUME, chosen, "resumed")
        return
    dialog = await _asked_pause(page, what, names)
    if dialog is not None:
        await _bulk(page, BulkAction.PAUSE, chosen, "paused", dialog)


async def _bulk(
    page: Page, action: BulkAction, names: tuple[str, ...], done: str, dialog: FillIn | None = None
) -> None:
    texts = {} if dialog is None else dialog.texts
    async with page.telling():
        until = read_end(texts.get("until", ""), page.board.now())
        results = await page.client.bulk.act(
            action, Chosen(names=names), until=until, note=texts.get("note", "")
        )
        page.tell_results(results, done)


# The engine and groups


async def pause_engine(page: Page) -> None:
    """Pause the whole engine, or resume it."""
    if not page.can_act():
        return
    async with page.telling():
        held = [hold for hold in await page.client.holds.holds() if hold.scope == "engine"]
        if held:
            question = Confirm("Resume the engine?", held[0].words, "Resume")
            if await page.app.push_screen_wait(question) == YES:
                await page.client.holds.resume("engine")
                page.say("the engine is resumed")
        elif (dialog := await _asked_pause(page, "the whole engine")) is not None:
            until = read_end(dialog.texts["until"], page.board.now())
            hold = await page.client.holds.pause("engine", until=until, note=dialog.texts["note"])
            page.say(hold.words)


async def pause_group(page: Page, group: GroupView) -> None:
    """Pause a group, or resume it."""
    if not page.can_act():
        return
    async with page.telling():
        if group.paused:
            question = Confirm(f"Resume group {group.name}?", group.paused, "Resume")
            if await page.app.push_screen_wait(question) == YES:
                await page.client.holds.resume("group", group.name)
                page.say(f"group {group.name} is resumed")
        elif (dialog := await _asked_pause(page, f"group {group.name}")) is not None:
            until = read_end(dialog.texts["until"], page.board.now())
            hold = await page.client.holds.pause("group", group.name, until=until, note=dialog.texts["note"])
            page.say(hold.words)


async def switch_group(page: Page, group: GroupView) -> None:
    """Disable a group with a note, or enable it."""
    if not page.can_act():
        return
    async with page.telling():
        if not group.enabled:
            question = Confirm(f"Enable group {group.name}?", group.note, "Enable")
            if await page.app.push_screen_wait(question) == YES:
                await page.client.holds.enable_group(group.name)
                page.say(f"group {group.name} is enabled")
            return
        message = f"{plural(len(group.jobs), 'job')} will not run; what waits ends SKIPPED, a run goes on."
        dialog = FillIn(f"Disable group {group.name}?", message, (Blank("note", NOTE),), label="Disable")
        if await page.app.push_screen_wait(dialog) == YES:
            await page.client.holds.disable_group(group.name, note=dialog.texts["note"])
            page.say(f"group {group.name} is disabled")


# Alerts


async def acknowledge(page: Page, alerts: Sequence[AlertView]) -> None:
    """Say that one knows of alerts: no reminders of them are sent from then on."""
    new = [alert for alert in alerts if alert.ended is None and alert.acked is None]
    if not new:
        page.warn("nothing to acknowledge: no alert goes on that nobody knows of")
    if not new or not page.can_act():
        return
    what = f"that {new[0].job} is {new[0].kind}" if len(new) == 1 else plural(len(new), "alert")
    message = "It goes on until the job is well again; nobody is reminded of it."
    dialog = FillIn(f"Acknowledge {what}?", message, (Blank("note", NOTE),), label="Acknowledge")
    if await page.app.push_screen_wait(dialog) != YES:
        return
    for alert in new:
        async with page.telling():
            await page.client.alerts.ack(alert.id, note=dialog.texts["note"])
            page.say(f"acknowledged: {alert.job} is {alert.kind}")


# State data

SET, SET_LASTING, CLEAR, CLEAR_LASTING = "set", "set lasting", "clear", "clear lasting"


async def change_state(page: Page, name: str) -> bool:
    """Set or clear what a job keeps from run to run; return whether that was done."""
    if not page.can_act():
        return False
    answers = [
        (SET, "Set state"),
        (SET_LASTING, "Set lasting"),
        (CLEAR, "Clear state"),
        (CLEAR_LASTING, "Clear lasting"),
    ]
    message = "The state goes when a run ends COMPLETE; the lasting state stays for good."
    answer = await page.app.push_screen_wait(Dialog(f"State data of {name}", message, answers))
    if answer == CANCEL:
        return False
    lasting = answer in (SET_LASTING, CLEAR_LASTING)
    async with page.telling():
        before = await page.client.states.show(name, lasting=lasting)
        if answer in (SET, SET_LASTING):
            return await _set_state(page, before)
        return await _clear_state(page, before)
    return False


def _called(view: StateView) -> str:
    return f"the {'lasting ' if view.lasting else ''}state of {view.job}"


async def _set_state(page: Page, before: StateView) -> bool:
    message = "JSON; the next run finds it."
    value = json.dumps({} if before.value is None else before.value, ensure_ascii=False)
    ask = Ask(f"Set {_called(before)}", message, label="Set", value=value, check=must_be_json)
    text = await page.app.push_screen_wait(ask)
    if not text:
        return False
    await page.client.states.set(before.job, json.loads(text), lasting=before.lasting)
    page.say(f"{_called(before)} is set")
    return True


async def _clear_state(page: Page, before: StateView) -> bool:
    if before.value is None:
        page.warn(f"{_called(before)} is empty already")
        return False
    question = Confirm(f"Clear {_called(before)}?", "This cannot be undone.", "Clear")
    if await page.app.push_screen_wait(question) != YES:
        return False
    await page.client.states.clear(before.job, lasting=before.lasting)
    page.say(f"{_called(before)} is cleared")
    return True
