"""What can be done to jobs, with the same keys in the list of jobs and on the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from engine.views import ListedJob
from tui.deeds import holddeeds, jobdeeds
from tui.deeds.owndeeds import edit_in_own_editor
from tui.page import Page


class JobActions(Page):
    """A screen with a job that things are done to, or with several that were chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run now"),
        Binding("R", "run_with", "Run with data"),
        Binding("p", "switch", "Deactivate, or activate again"),
        Binding("z", "pause", "Pause with a note and an end, or resume"),
        Binding("x", "acknowledge", "Acknowledge its alerts, with a note"),
        Binding("K", "cancel", "Cancel the run under way"),
        Binding("e", "edit", "Edit the file"),
        Binding("E", "own_editor", "Edit the file in your own $EDITOR"),
        Binding("o", "form", "Options: the settings as a form"),
        Binding("d", "delete", "Delete the file (type the name)"),
        Binding("l", "log", "Log of the last run"),
    ]

    @property
    def job(self) -> ListedJob | None:
        """The job that actions for one job go to, as it stands now; None without any."""
        raise NotImplementedError

    def chosen(self) -> Sequence[ListedJob]:
        """Return the jobs that actions for several go to."""
        return [] if self.job is None else [self.job]

    def was_acknowledged(self) -> None:
        """Take notice that alerts of the chosen jobs were acknowledged."""

    def was_deleted(self) -> None:
        """Take notice that the file of the job was deleted."""

    @work
    async def action_run(self) -> None:
        """Run the chosen jobs."""
        await jobdeeds.run_jobs(self, self.chosen())

    @work
    async def action_run_with(self) -> None:
        """Run the job with data."""
        if self.job is not None:
            await jobdeeds.run_with_data(self, self.job)

    @work
    async def action_switch(self) -> None:
        """Deactivate or activate the chosen jobs."""
        await jobdeeds.switch_jobs(self, self.chosen())

    @work
    async def action_pause(self) -> None:
        """Pause or resume the chosen jobs."""
        await holddeeds.pause_jobs(self, self.chosen())

    @work
    async def action_acknowledge(self) -> None:
        """Acknowledge the alerts of the chosen jobs."""
        await holddeeds.acknowledge(self, [alert for job in self.chosen() for alert in job.alerts])
        self.was_acknowledged()

    @work
    async def action_cancel(self) -> None:
        """Cancel what the chosen jobs run."""
        await jobdeeds.cancel_jobs(self, self.chosen())

    @work
    async def action_delete(self) -> None:
        """Delete the file of the job."""
        if self.job is not None and await jobdeeds.delete_job(self, self.job):
            self.was_deleted()

    def action_edit(self) -> None:
        """Edit the file of the job."""
        if self.job is not None:
            self.edit(self.job.name)

    @work
    async def action_own_editor(self) -> None:
        """Edit the file of the job in the person's own editor."""
        if self.job is not None and self.can_act():
            await edit_in_own_editor(self, self.job.name)

    def action_form(self) -> None:
        """Change the settings of the job."""
        if self.job is not None:
            self.form(self.job.name)

    def action_log(self) -> None:
        """Open the last run of the job."""
        if self.job is None or self.job.last_run_id is None:
            self.warn("it has not run yet; r runs it")
        else:
            self.open_run(self.job.last_run_id)
