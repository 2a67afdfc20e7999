"""What operators may ask about groups and pauses."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from engine.catalog.catalog import Catalog
from engine.desks.audit import audit_entry
from engine.errors import NotFound, Refused
from engine.rules.holds import Hold, HoldKind, Holds, HoldScope
from engine.runs.holding import Holding
from engine.times.clock import Clock
from engine.views import GroupView, HoldView


class HoldDesk:
    """Answers the API's requests about groups and pauses (see `engine.api.holds.HoldOperations`)."""

    def __init__(
        self,
        *,
        clock: Clock,
        catalog: Catalog,
        holds: Holds,
        holding: Holding,
        group_limits: Mapping[str, int],
    ) -> None:
        """Make a desk.

        Args:
            group_limits: runs at once by group.
        """
        self._clock = clock
        self._catalog = catalog
        self._holds = holds
        self._holding = holding
        self._limits = group_limits

    def words(self) -> list[str]:
        """Return all holds in words; those of single jobs only as their number."""
        wide = [hold.words() for hold in self._holds if hold.scope is not HoldScope.JOB]
        single = sum(hold.scope is HoldScope.JOB for hold in self._holds)
        return [*wide, f"{single} {'job' if single == 1 else 'jobs'} paused"] if single else wide

    # Groups

    def groups(self) -> list[GroupView]:
        """Return all groups, in the order of their names."""
        members = self._members()
        return [self._view(name, jobs) for name, jobs in sorted(members.items())]

    def group(self, name: str) -> GroupView:
        """Return one group."""
        members = self._members()
        if name not in members:
            raise _no_group(name, list(members))
        return self._view(name, members[name])

    async def enable_group(self, name: str, *, note: str = "", actor: str) -> GroupView:
        """Let the jobs of a group run again."""
        self.group(name)
        hold = self._holds.get(HoldKind.DISABLED, HoldScope.GROUP, name)
        if hold is None:
            raise Refused(f"group {name} is enabled already")
        entry = audit_entry(
            self._clock.now(), actor, "enable group", name, before=hold.words(), after=note or None
        )
        await self._holding.lift(hold, entry)
        # No job may be in it any more.
        return self._view(name, self._members().get(name, []))

    async def disable_group(self, name: str, *, note: str = "", actor: str) -> GroupView:
        """Let no job of a group run; their waiting runs end SKIPPED, those under way go on."""
        self.group(name)
        await self._hold(HoldKind.DISABLED, HoldScope.GROUP, name, note, None, "disable group", actor)
        return self.group(name)

    def _members(self) -> dict[str, list[str]]:
        members: defaultdict[str, list[str]] = defaultdict(list)
        for job in self._catalog.jobs.values():
            for group in job.settings.groups if job.settings else ():
                members[group].append(job.name)
        for hold in self._holds:
            if hold.scope is HoldScope.GROUP:
                members[hold.target] += []
        return members

    def _view(self, name: str, jobs: list[str]) -> GroupView:
        off = self._holds.get(HoldKind.DISABLED, HoldScope.GROUP, name)
        pause = self._holds.get(HoldKind.PAUSED, HoldScope.GROUP, name)
        return GroupView(
            name=name,
            enabled=off is None,
            note=off.note if off else "",
            actor=off.actor if off else "",
            since=off.since if off else None,
            paused=pause.words() if pause else "",
            limit=self._limits.get(name),
            jobs=sorted(jobs),
        )

    # Pauses

    def holds(self) -> list[HoldView]:
        """Return all disabled groups and all pauses."""
        return [_hold_view(hold) for hold in self._holds]

    async def pause(
        self, scope: HoldScope, target: str, *, until: datetime | None, note: str = "", actor: str
    ) -> HoldView:
        """Let nothing of a job, a group or the engine start until it is resumed."""
        self._check_target(scope, target)
        if until is not None and until <= self._clock.now():
            raise Refused(f"{until.isoformat(timespec='seconds')} has passed; give a time to come")
        hold = await self._hold(HoldKind.PAUSED, scope, target, note, until, f"pause {scope}", actor)
        return _hold_view(hold)

    async def resume(self, scope: HoldScope, target: str, *, note: str = "", actor: str) -> HoldView:
        """End a pause, and return what it was."""
        hold = self._holds.get(HoldKind.PAUSED, scope, target)
        if hold is None:
            self._check_target(scope, target)
            raise Refused(self._why_not_paused(scope, target))
        entry = audit_entry(
            self._clock.now(), actor, f"resume {scope}", target, before=hold.words(), after=note or None
        )
        await self._holding.lift(hold, entry)
        return _hold_view(hold)

    def _check_target(self, scope: HoldScope, target: str) -> None:
        match scope:
            case HoldScope.JOB:
                self._catalog.job(target)
            case HoldScope.GROUP:
                self.group(target)

    def _why_not_paused(self, scope: HoldScope, target: str) -> str:
        what = {HoldScope.ENGINE: "the engine", HoldScope.GROUP: f"group {target}"}.get(
            scope, f"job {target}"
        )
        if scope is HoldScope.JOB:
            other = self._holds.paused(target, self._catalog.job(target).settings)
            if other is not None:
                return f"{what} is not paused itself, but {other.words()}"
        return f"{what} is not paused"

    async def _hold(
        self,
        kind: HoldKind,
        scope: HoldScope,
        target: str,
        note: str,
        until: datetime | None,
        action: str,
        actor: str,
    ) -> Hold:
        now, before = self._clock.now(), self._holds.get(kind, scope, target)
        hold = Hold(kind, scope, target, note, actor.partition(" via ")[0], now, until)
        entry = audit_entry(now, actor, action, target, before.words() if before else None, hold.words())
        await self._holding.put(hold, entry)
        return hold


def _hold_view(hold: Hold) -> HoldView:
    return HoldView(
        kind=hold.kind.value,
        scope=hold.scope.value,
        target=hold.target,
        note=hold.note,
        actor=hold.actor,
        since=hold.since,
        until=hold.until,
        words=hold.words(),
    )


def _no_group(name: str, known: list[str]) -> NotFound:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; job files name theirs with `groups`"
    return NotFound(f"no job is in a group named {name!r}{hint}")
