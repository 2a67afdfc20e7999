"""The worker: a Celery worker whose one task runs a job in Moontide's own sandbox."""

import asyncio
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from celery.worker.control import control_command
from moontide_celery import settings_in
from moontide_celery_parcels import (
    BEAT_SECONDS,
    STOP,
    TASK,
    Begun,
    Ended,
    Lines,
    News,
    Parcel,
    make_app,
    news_text,
    queues_of,
    read_parcel,
    read_request,
)

from moontide import Outcome, RunRequest, RunStatus
from moontide.running import OwnRunner, open_runner

logger = logging.getLogger("moontide.celery")

#: How long lines are gathered before they are sent.
GATHER_SECONDS = 0.2


class Carrier:
    """Carries runs out: each in a thread of Celery's, all of them on one loop with one sandbox."""

    def __init__(self, app: Celery, runner: OwnRunner, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._app = app
        self._runner = runner
        self._loop = loop
        self._name = name
        self._stops: dict[str, asyncio.Future[str]] = {}

    def carry(self, parcel: Parcel) -> None:
        """Carry one run out, and tell the engine of it."""
        try:
            request = read_request(parcel)
        except ValueError as error:
            self._tell(
                parcel, Ended(parcel.token, Outcome(RunStatus.CRASHED, error=str(error), blameless=True))
            )
            return
        lines: deque[tuple[str, str]] = deque()
        self._tell(parcel, Begun(parcel.token, self._name))
        ending = asyncio.run_coroutine_threadsafe(self._run(parcel.token, request, lines), self._loop)
        self._tell_while(parcel, ending, lines)
        self._tell_lines(parcel, lines)
        self._tell(parcel, Ended(parcel.token, ending.result()))

    async def _run(self, token: str, request: RunRequest, lines: deque[tuple[str, str]]) -> Outcome:
        stop = self._stops[token] = self._loop.create_future()
        try:
            return await self._runner.run(
                request, on_line=lambda level, text: lines.append((level, text)), cancel=stop
            )
        except Exception:
            logger.exception("run %s could not be carried out", request.run_id)
            return Outcome(
                RunStatus.CRASHED, error=f"worker {self._name} failed in this run; its log says more"
            )
        finally:
            del self._stops[token]

    def _tell_while(self, parcel: Parcel, ending: Future[Outcome], lines: deque[tuple[str, str]]) -> None:
        told = time.monotonic()
        while not wait([ending], timeout=GATHER_SECONDS).done:
            if lines or time.monotonic() - told > BEAT_SECONDS:
                self._tell_lines(parcel, lines, beat=True)
                told = time.monotonic()

    def _tell_lines(self, parcel: Parcel, lines: deque[tuple[str, str]], beat: bool = False) -> None:
        gathered = [lines.popleft() for _ in range(len(lines))]
        if gathered or beat:
            self._tell(parcel, Lines(parcel.token, gathered))

    def _tell(self, parcel: Parcel, news: News) -> None:
        # As long as it takes: an end that is not told would be lost.
        policy = {"max_retries": None, "interval_start": 0.1, "interval_step": 0.5, "interval_max": 2.0}
        with self._app.producer_or_acquire() as producer:
            producer.publish(
                news_text(news), routing_key=parcel.reply, serializer="json", retry=True, retry_policy=policy
            )

    def stop(self, token: str, reason: str) -> None:
        """Stop a run, if it is here."""
        self._loop.call_soon_threadsafe(self._resolve, token, reason)

    def stop_all(self, reason: str) -> None:
        """Stop all runs."""
        for token in list(self._stops):
            self.stop(token, reason)

    def _resolve(self, token: str, reason: str) -> None:
        stop = self._stops.get(token)
        if stop is not None and not stop.done():
            stop.set_result(reason)


def work(home: Path, *, name: str, slots: int, tags: Collection[str], grace_seconds: float) -> int:
    """Carry runs out until a signal ends it; return the exit code.

    Args:
        grace_seconds: what runs under way get to come to their ends after SIGTERM.
    """
    with _sandbox(home) as (loop, runner):
        settings = settings_in(runner.services)
        app = make_app(settings)
        carrier = Carrier(app, runner, loop, name)
        _register(app, carrier)

        def on_shutdown(**_: Any) -> None:
            timer = threading.Timer(grace_seconds, carrier.stop_all, ["the worker was stopped"])
            timer.daemon = True
            timer.start()

        def on_ready(**_: Any) -> None:
            print(f"worker {name} takes runs, {slots} at once", flush=True)

        worker_ready.connect(on_ready)
        worker_shutting_down.connect(on_shutdown)
        worker = app.Worker(
            pool="threads",
            concurrency=slots,
            hostname=f"{name}@{socket.gethostname()}",
            quiet=True,
            queues=queues_of(settings.queue, tags),
            without_gossip=True,
            without_mingle=True,
            loglevel="WARNING",
        )
        worker.start()
        return int(worker.exitcode or 0)


def _register(app: Celery, carrier: Carrier) -> None:
    @app.task(name=TASK)
    def carry(text: str) -> None:
        carrier.carry(read_parcel(text))

    @control_command(name=STOP, args=[("token", str), ("reason", str)])
    def stop(state: Any, token: str, reason: str) -> None:
        carrier.stop(token, reason)


@contextmanager
def _sandbox(home: Path) -> Iterator[tuple[asyncio.AbstractEventLoop, OwnRunner]]:
    """Give a loop in a thread of its own, and the runner that is open on it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox")
    thread.start()

    def carry_out(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    try:
        opened = open_runner(home)
        runner = carry_out(opened.__aenter__())
        try:
            yield loop, runner
        finally:
            carry_out(opened.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
