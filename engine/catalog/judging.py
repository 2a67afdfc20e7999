"""What a file's settings amount to: its own table and the operator's, checked by the rules of this engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from engine.catalog.found import Found
from engine.errors import JobFileError
from engine.jobs import schedulekinds
from engine.jobs.additions import NOTHING_ADDED, Additions
from engine.jobs.alertrules import check_receiver
from engine.jobs.jobfile import parse_settings
from engine.jobs.overrides import NONE, merged
from engine.run import Limits


class Judge:
    """Says which settings of a file count, or why none do."""

    def __init__(
        self,
        *,
        timezone: str,
        ceilings: Limits,
        named_schedules: Mapping[str, str],
        named_blackouts: Mapping[str, Sequence[str]],
        receivers: Collection[str] = (),
        additions: Additions = NOTHING_ADDED,
    ) -> None:
        """Make a judge.

        Args:
            timezone: for jobs that name none.
            ceilings: the most that a job's settings may ask for.
            named_schedules: cron lines that job files may name.
            named_blackouts: windows without runs that they may name.
            receivers: who may be told of their alerts, by name.
            additions: what plugins add to job files.
        """
        self.timezone = timezone
        self.kinds = (*schedulekinds.BUILT_IN, *additions.kinds)
        self._ceilings = ceilings
        self._named = named_schedules
        self._named_blackouts = named_blackouts
        self._receivers = receivers
        self._additions = additions

    def judged(self, found: Found) -> Found:
        """Return a file with the settings that count, or with the reason why there are none."""
        try:
            return self.checked(found)
        except JobFileError as error:
            problem, problems = str(error), error.problems
        if found.overrides:
            problem = self._own_problem(found) or (
                f"{problem}; of the settings, an operator gave {', '.join(found.overrides)}: "
                f"`moontide unset {found.name}` lets the file's count"
            )
        return replace(found, error=problem, problems=problems)

    def checked(self, found: Found) -> Found:
        """Return a file with the settings that count: the operator's in the place of its own.

        Raises:
            JobFileError: they cannot be used.
        """
        settings = parse_settings(
            merged(found.declared, found.overrides, self.kinds),
            default_timezone=self.timezone,
            ceilings=self._ceilings,
            additions=self._additions,
        )
        check_receiver(settings.alerts, self._receivers)
        schedule = settings.schedule(
            self.timezone, job=found.name, named=self._named, additions=self._additions
        )
        blackout = settings.blackouts(self.timezone, self._named_blackouts)
        return replace(found, settings=settings, schedule=schedule, blackout=blackout, error=None)

    def _own_problem(self, found: Found) -> str | None:
        """Return what is wrong with a file without the operator's settings."""
        try:
            self.checked(replace(found, overrides=NONE))
        except JobFileError as error:
            return str(error)
        return None
