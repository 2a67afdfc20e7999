"""The screen "Slack" of the dashboard: the jobs whose failure the channel was told of."""

from moontide.dashboard import Line, ReportScreen


class SlackScreen(ReportScreen):
    """One line for each job that fails."""

    async def report(self) -> list[Line]:
        """Ask the plugin's route in the engine."""
        names = await self.client.plugin("slack", "failing")
        if not names:
            return ["No job fails, as far as the channel was told."]
        return [[("The channel was told that these jobs fail:", "head")], *(f"  {name}" for name in names)]
