"""The engine's own heartbeat: requests to an outside watcher, which notices when they stop.

No engine can tell of its own death. The pauses are counted on the loop's clock, so that a wall clock that is
set changes nothing, and a loop that hangs sends nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import httpx

from engine.settings.alerts import HeartbeatSettings
from engine.times.quantities import format_duration

logger = logging.getLogger("moontide.heartbeat")

#: How far behind the scheduler may be before the engine counts as not healthy.
BEHIND_SECONDS = 30.0

USER_AGENT = "Moontide"


def ailment(*, now: datetime, first_due: datetime | None, stalled: str | None) -> str | None:
    """Return why the engine is not healthy, None if it is.

    Args:
        first_due: the earliest due time that waits.
        stalled: why the database takes no writes.
    """
    if stalled is not None:
        return f"no writes to the database: {stalled}"
    behind = (now - first_due).total_seconds() if first_due is not None else 0.0
    if behind > BEHIND_SECONDS:
        return f"the scheduler is {format_duration(round(behind))} behind"
    return None


class Heartbeat:
    """Asks for an address again and again; the address is a secret and never told."""

    def __init__(self, settings: HeartbeatSettings, *, ailment: Callable[[], str | None]) -> None:
        """Make a heartbeat; nothing is sent before `start`, and nothing at all without an address.

        Args:
            ailment: asked before each request: why the engine is not healthy, None if it is.
        """
        self._settings = settings
        self._ailment = ailment
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None

    def start(self) -> None:
        """Begin, with the first request at once."""
        if self._settings.url.get_secret_value():
            self._task = asyncio.create_task(self._work(), name="heartbeat")

    async def stop(self) -> None:
        """End; a request under way is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def problems(self) -> list[str]:
        """Return why the watcher does not hear of this engine, if so."""
        return [] if self.problem is None else [f"the heartbeat does not arrive: {self.problem}"]

    async def _work(self) -> None:
        # Reading the certificates would hold the loop up.
        context = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        transport = httpx.AsyncHTTPTransport(verify=context, retries=1)
        async with httpx.AsyncClient(
            transport=transport, trust_env=False, headers={"user-agent": USER_AGENT}
        ) as client:
            while True:
                self._note(await self._beat(client))
                await asyncio.sleep(self._settings.every)

    async def _beat(self, client: httpx.AsyncClient) -> str | None:
        """Send one request; return why it did not arrive."""
        url = httpx.URL(self._settings.url.get_secret_value())
        if self._ailment() is not None:
            if not self._settings.fail:
                return None
            url = failing(url, self._settings.fail)
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await client.get(url)
        except TimeoutError:
            return f"no answer within {format_duration(self._settings.timeout)}"
        except (httpx.HTTPError, OSError) as error:
            # Only its kind: the text could hold the address.
            return f"there is no connection to the watcher ({type(error).__name__})"
        except Exception as error:
            logger.error("the heartbeat failed: %s", type(error).__name__)
            return f"the request failed ({type(error).__name__})"
        return None if answer.is_success else f"the watcher answered with status {answer.status_code}"

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            logger.warning("the heartbeat does not arrive: %s", problem)
        elif problem is None and self.problem is not None:
            logger.info("the heartbeat arrives again")
        self.problem = problem


def failing(url: httpx.URL, suffix: str) -> httpx.URL:
    """Return the address that says that something is wrong.

    Args:
        suffix: put behind the path; one that begins with `?` goes to the query.
    """
    if suffix.startswith("?"):
        query = url.query.decode("ascii")
        return url.copy_with(query=f"{query}&{suffix[1:]}".lstrip("&").encode())
    path, _, query = url.raw_path.decode("ascii").partition("?")
    whole = path.rstrip("/") + suffix
    return url.copy_with(raw_path=f"{whole}?{query}".rstrip("?").encode())
