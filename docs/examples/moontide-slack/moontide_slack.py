"""core.slack: posts to a Slack channel, and tells there of failed and recovered jobs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from moontide import (
    ApiRoutes,
    CoreCall,
    CoreError,
    CoreModule,
    DashboardScreen,
    EventSubscriber,
    JobSetting,
    JobView,
    MoontideError,
    PluginCommand,
    RunFinished,
    ServiceContext,
    hookimpl,
)

NETWORK = 815
LONGEST_ERROR = 300

#: Ends of a run that mean trouble.
FAILED = frozenset({"ERROR", "TIMEOUT", "CRASHED"})


class SlackSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The table [slack] of moontide.toml."""

    webhook: str = ""
    tell: bool = True
    timeout_seconds: float = 10.0


class Slack:
    """One channel, and which jobs were last seen failing."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: SlackSettings,
        find_job: Callable[[str], JobView | None] = lambda name: None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._find_job = find_job
        self._failing: set[str] = set()

    @property
    def failing(self) -> list[str]:
        """The jobs whose failure was told, and that have not worked since."""
        return sorted(self._failing)

    async def post(self, text: str) -> None:
        """Send a message.

        Raises:
            CoreError: Slack was not reached, or did not take it. The address is never told: it is a secret.
        """
        try:
            answer = await self._client.post(self._settings.webhook, json={"text": escaped(text)})
        except httpx.HTTPError as error:
            raise CoreError(
                f"core.slack.post: Slack was not reached: {type(error).__name__}", NETWORK
            ) from error
        if not answer.is_success:
            raise CoreError(f"core.slack.post: Slack answered {answer.status_code}", NETWORK)

    async def tell(self, event: RunFinished) -> None:
        """Post when a job begins to fail, and when it works again; not again for each failure between.

        A job with `slack_tell = "never"` is not told of, one with "always" after each of its runs.
        """
        wanted = self._wanted(event.job)
        if wanted == "never":
            return
        if wanted == "always":
            await self.post(f"Job {event.job}: {event.status} (run {event.run})")
        elif event.status in FAILED and event.job not in self._failing:
            self._failing.add(event.job)
            await self.post(
                f"Job {event.job} failed ({event.status}, run {event.run}): {first_line(event.error)}"
            )
        elif event.status == "COMPLETE" and event.job in self._failing:
            self._failing.discard(event.job)
            await self.post(f"Job {event.job} works again (run {event.run})")

    def _wanted(self, job: str) -> str:
        if not self._settings.tell:
            return "never"
        view = self._find_job(job)
        return str(view.settings.get("slack_tell", "failures")) if view else "failures"


def escaped(text: str) -> str:
    """Return text in which Slack finds no commands of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def first_line(error: str | None) -> str:
    """Return the first line of an error, shortened."""
    return (error or "no reason is known").partition("\n")[0][:LONGEST_ERROR]


slack = CoreModule(
    "slack",
    summary='Posts to a Slack channel: core.slack.post("done").',
    facade=Path(__file__).with_suffix(".lua").read_text("utf-8"),
    settings=SlackSettings,
)


@slack.service
@asynccontextmanager
async def connect(settings: SlackSettings, context: ServiceContext) -> AsyncIterator[Slack]:
    """Keep one HTTP client while the engine runs."""
    if not settings.webhook:
        raise MoontideError(
            'set the address of the channel in moontide.toml: [slack] webhook = "https://..."'
        )
    async with httpx.AsyncClient(timeout=settings.timeout_seconds) as client:
        yield Slack(client, settings, context.find_job)


@slack.function(timeout_seconds=30)
async def post(call: CoreCall, text: str) -> bool:
    """Post a message to the channel; true once Slack has it."""
    await call.service.post(text)
    return True


async def tell(event: RunFinished, service: Slack) -> None:
    """Tell the channel of a run that changes what is known of its job."""
    await service.tell(event)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `slack`."""
    return [slack]


@hookimpl
def moontide_event_subscribers() -> list[EventSubscriber]:
    """Return what listens to the ends of runs."""
    return [EventSubscriber(tell, kinds=(RunFinished,), module=slack)]


@hookimpl
def moontide_job_settings() -> list[JobSetting]:
    """Return what a job file may say about the channel."""
    return [
        JobSetting(
            name="slack_tell",
            type=str,
            default="failures",
            allowed=("failures", "always", "never"),
            help="When the Slack channel is told of this job.",
            example='"always"',
        )
    ]


def make_routes(service: Slack) -> Any:
    """Return the routes; FastAPI is there already when the engine asks for them."""
    from moontide_slack_routes import make_routes

    return make_routes(service)


@hookimpl
def moontide_api_routes() -> list[ApiRoutes]:
    """Return what programs may ask of the channel."""
    return [ApiRoutes(make=make_routes, module=slack)]


def make_command() -> Any:
    """Return the command, which needs nothing of what the engine does with this plugin."""
    from moontide_slack_command import make_command

    return make_command()


@hookimpl
def moontide_commands() -> list[PluginCommand]:
    """Return `moontide slack`."""
    return [
        PluginCommand(name="slack", make=make_command, help="Test the Slack channel, list what it heard.")
    ]


@hookimpl
def moontide_dashboard_screens() -> list[DashboardScreen]:
    """Return the screen that lists what the channel heard."""
    return [DashboardScreen(title="Slack", key="f9", path="moontide_slack_screen:SlackScreen")]
