"""What operators may change of jobs' settings while the engine runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from engine.catalog.catalog import Catalog
from engine.catalog.found import Found
from engine.catalog.outlook import Changes
from engine.desks.audit import audit_entry
from engine.errors import JobFileError, Refused
from engine.jobs.additions import Setting
from engine.jobs.jobfile import SETTINGS
from engine.jobs.overrides import SWITCH, Overrides, merged, set_aside
from engine.jobs.typedvalues import typed_value
from engine.runs.job import Job
from engine.store.journal import Journal
from engine.store.rows import AuditEntry
from engine.times.clock import Clock
from engine.views import JobView

#: Lets changes of jobs take effect, and writes them together with an operator's action.
TakeEffect = Callable[[Changes, AuditEntry], Awaitable[None]]


class OverrideDesk:
    """Answers the API's requests about settings given at run time (see `engine.api.operations`)."""

    def __init__(
        self,
        *,
        clock: Clock,
        catalog: Catalog,
        journal: Journal,
        session: int,
        added: Collection[Setting],
        reloading: asyncio.Lock,
        take_effect: TakeEffect,
        view: Callable[[str], JobView],
    ) -> None:
        """Make a desk.

        Args:
            session: the engine's present session.
            added: settings that plugins add to job files.
            reloading: held while files are read, so that no reload goes on with what was before.
            view: gives a job by its name as it is shown.
        """
        self._clock = clock
        self._catalog = catalog
        self._journal = journal
        self._session = session
        self._settings = {one.name: one for one in (*SETTINGS, *added)}
        self._reloading = reloading
        self._take_effect = take_effect
        self._view = view

    async def set(
        self, name: str, values: Mapping[str, Any], typed: Mapping[str, str], *, actor: str
    ) -> JobView:
        """Let values of the operator's stand in the place of what a job's file says."""
        self._catalog.job(name)
        given = {**values, **{one: self._meant(one, text) for one, text in typed.items()}}
        if not given:
            raise Refused("say which setting is to have which value")
        if SWITCH in given:
            raise Refused(
                f"{SWITCH} is switched by `moontide activate {name}` and `moontide deactivate {name}`, which "
                "stay in force like a setting"
            )
        async with self._reloading:
            job = self._catalog.job(name)
            if job.work is not None:
                raise Refused(f"job {name} is a part of the engine; only settings of job files can be set")
            if job.declared is None:
                raise Refused(
                    f"job {name} has no settings to change: {job.state.reason}; mend the file first"
                )
            found = self._catalog.files.judge.checked(_as_found(job, {**job.overrides, **given}))
            await self._change(job, found, given, "set", actor)
        return self._view(name)

    def _meant(self, setting: str, text: str) -> Any:
        known = self._settings.get(setting)
        # What is no setting at all is told by the check, in the words that it has for files.
        return typed_value(known, text) if known else text

    async def unset(self, name: str, settings: Collection[str], *, actor: str) -> JobView:
        """Let the file's values count again, of some settings or (none given) of all that were changed."""
        async with self._reloading:
            job = self._catalog.job(name)
            named = list(settings) or list(job.overrides)
            if not named:
                raise Refused(f"all settings of job {name} are as its file says; there is nothing to unset")
            if unknown := [one for one in named if one not in job.overrides]:
                raise Refused(f"nobody set {', '.join(unknown)} of job {name}; {_changed(job)}")
            left = {one: value for one, value in job.overrides.items() if one not in named}
            found = self._catalog.files.judge.judged(_as_found(job, left))
            if found.error is not None and job.settings is not None:
                raise JobFileError(f"without {', '.join(named)} the settings cannot be used: {found.error}")
            await self._change(job, found, named, "unset", actor)
        return self._view(name)

    async def _change(self, job: Job, found: Found, named: Collection[str], action: str, actor: str) -> None:
        self._journal.check_available()
        kinds = self._catalog.files.judge.kinds
        told = set_aside(dict.fromkeys(named), kinds)
        before, after = (
            _plain(merged(job.declared, overrides, kinds), told)
            for overrides in (job.overrides, found.overrides)
        )
        shown = {one for one in told if one in named or before[one] != after[one]}
        entry = audit_entry(
            self._clock.now(),
            actor,
            f"{action} settings",
            job.name,
            {one: before[one] for one in sorted(shown)},
            {one: after[one] for one in sorted(shown)},
        )
        await self._take_effect(self._catalog.change(job, found, self._session), entry)


def _as_found(job: Job, overrides: Overrides) -> Found:
    """Return a job's file as it was read last, with other settings of the operator's."""
    found = Found(job.name, job.path, job.source_hash, declared=job.declared, overrides=overrides)
    return replace(found, error=job.state.error) if job.declared is None else found


def _changed(job: Job) -> str:
    return f"set were {', '.join(job.overrides)}" if job.overrides else "all are as its file says"


def _plain(table: Any, names: Collection[str]) -> dict[str, Any]:
    """Return some values of a job file's table as JSON can hold them, None for what it does not give."""
    values = {name: table.get(name) if isinstance(table, Mapping) else None for name in names}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    return plain
