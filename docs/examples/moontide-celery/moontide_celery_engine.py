"""The engine's side: sends runs to the queue, and hears of them on a queue of its own."""

import asyncio
import hashlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from celery import Celery
from kombu import Connection, Queue
from kombu.exceptions import OperationalError
from kombu.mixins import ConsumerMixin
from moontide_celery import CelerySettings
from moontide_celery_parcels import (
    STOP,
    TASK,
    Begun,
    Ended,
    Lines,
    News,
    make_app,
    parcel_text,
    queue_for,
    read_news,
)

from moontide import MoontideError, Outcome, RunLog, RunRequest, RunStatus

logger = logging.getLogger("moontide.celery")

#: How often a cancelled run's worker is told again: what is broadcast may be lost.
TELL_SECONDS = 1.0
#: After that a cancelled run that nobody has begun is given up.
UNBEGUN_SECONDS = 3.0
#: After that a broker drops the queue of an engine that has gone, where it can (RabbitMQ).
REPLIES_EXPIRE_SECONDS = 3600
CONNECT_SECONDS = 10
STOPPED_MOST = 1000


@dataclass
class Carried:
    """A run that was sent out."""

    log: RunLog
    ended: asyncio.Future[Outcome]
    worker: str | None = None
    heard: float = field(default_factory=time.monotonic)


class CeleryExecutor:
    """Implements `moontide.Executor`."""

    def __init__(self, app: Celery, settings: CelerySettings, reply: str) -> None:
        """Make it.

        Args:
            reply: the queue on which workers answer.
        """
        self._app = app
        self._settings = settings
        self._reply = reply
        self._carried: dict[str, Carried] = {}
        self._told_to_stop: deque[str] = deque(maxlen=STOPPED_MOST)

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """Send a run to the queue, and return how it ended on a worker."""
        token = uuid4().hex
        carried = Carried(log, asyncio.get_running_loop().create_future())
        self._carried[token] = carried
        try:
            await asyncio.to_thread(self._send, request, token)
            return await self._end_of(token, carried, cancel)
        except OperationalError as error:
            words = f"the broker of Celery did not take the run: {error}"
            return Outcome(RunStatus.CRASHED, error=words, blameless=True)
        finally:
            del self._carried[token]

    def _send(self, request: RunRequest, token: str) -> None:
        self._app.send_task(
            TASK,
            args=[parcel_text(request, token, self._reply)],
            task_id=token,
            queue=queue_for(self._settings.queue, request.runs_on),
            expires=request.limits.wall_seconds,
            retry=True,
            retry_policy={"max_retries": 3, "interval_start": 0.1, "interval_step": 0.5},
        )

    async def _end_of(self, token: str, carried: Carried, cancel: asyncio.Future[str] | None) -> Outcome:
        cancelled_at: float | None = None
        while not carried.ended.done():
            if cancel is not None and cancel.done():
                cancelled_at = cancelled_at or time.monotonic()
                if carried.worker is None and time.monotonic() - cancelled_at > UNBEGUN_SECONDS:
                    return Outcome(RunStatus.CANCELLED, error=cancel.result())
                await asyncio.to_thread(self._stop, token, cancel.result())
            if carried.worker and time.monotonic() - carried.heard > self._settings.silence_seconds:
                words = f"worker {carried.worker} has said nothing for {self._settings.silence_seconds:g} s"
                return Outcome(RunStatus.CRASHED, error=words, blameless=True)
            wanted: set[asyncio.Future[Any]] = {carried.ended}
            if cancel is not None and not cancel.done():
                wanted.add(cancel)
            await asyncio.wait(wanted, timeout=TELL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return carried.ended.result()

    def _stop(self, token: str, reason: str) -> None:
        try:
            self._app.control.revoke(token)
            self._app.control.broadcast(STOP, arguments={"token": token, "reason": reason})
        except OperationalError as error:
            logger.warning("workers cannot be told to stop a run: %s", error)

    def heard(self, news: News) -> None:
        """Take what a worker tells."""
        carried = self._carried.get(news.token)
        if carried is None:
            self._stop_forgotten(news)
            return
        carried.heard = time.monotonic()
        match news:
            case Begun(worker=worker):
                carried.worker = worker
                carried.log.write("debug", f"begun by Celery worker {worker}")
            case Lines(lines=lines):
                for level, text in lines:
                    carried.log.write(level, text)
            case Ended(outcome=outcome) if not carried.ended.done():
                carried.ended.set_result(outcome)

    def _stop_forgotten(self, news: News) -> None:
        """Stop what goes on though it has been given up, by this engine or the one before."""
        if isinstance(news, Ended):
            logger.warning(
                "a run that was given up ended on a worker as %s; that counts no more", news.outcome.status
            )
        elif news.token not in self._told_to_stop or isinstance(news, Lines):
            self._told_to_stop.append(news.token)
            stop = threading.Thread(
                target=self._stop, args=(news.token, "the engine has given this run up"), daemon=True
            )
            stop.start()


class Replies(ConsumerMixin):
    """Hears what workers tell, in a thread; it connects anew by itself."""

    def __init__(self, connection: Connection, queue: Queue, heard: Callable[[str], None]) -> None:
        """Make it.

        Args:
            heard: called in the thread with each text.
        """
        self.connection = connection
        self._queue = queue
        self._heard = heard

    def get_consumers(self, consumer: Any, channel: Any) -> list[Any]:
        """Return what listens, whenever there is a new connection."""
        return [consumer(queues=[self._queue], callbacks=[self._take], accept=["json"], no_ack=True)]

    def _take(self, body: str, message: Any) -> None:
        self._heard(body)


@asynccontextmanager
async def open_executor(settings: CelerySettings, home: Path) -> AsyncIterator[CeleryExecutor]:
    """Connect to the broker, and listen until the end.

    Raises:
        MoontideError: the broker cannot be reached. Its URL is not told: it may hold a password.
    """
    app = make_app(settings)
    reply = f"{settings.queue}-replies-{_name_of(home)}"
    executor = CeleryExecutor(app, settings, reply)
    loop = asyncio.get_running_loop()

    def heard(text: str) -> None:
        try:
            news = read_news(text)
        except msgspec.MsgspecError as error:
            logger.warning("something on the queue %s is no news of a run: %s", reply, error)
            return
        loop.call_soon_threadsafe(executor.heard, news)

    try:
        connection = await asyncio.to_thread(_connected, app)
    except OperationalError as error:
        raise MoontideError(f"the broker of Celery cannot be reached: {error}") from error
    replies = Replies(connection, Queue(reply, durable=True, expires=REPLIES_EXPIRE_SECONDS), heard)
    thread = threading.Thread(target=replies.run, name="celery replies")
    thread.start()
    try:
        yield executor
    finally:
        replies.should_stop = True
        await asyncio.to_thread(thread.join)
        connection.release()
        app.close()


def _connected(app: Celery) -> Connection:
    connection: Connection = app.connection_for_read()
    connection.ensure_connection(max_retries=3, timeout=CONNECT_SECONDS, reraise_as_library_errors=True)
    return connection


def _name_of(home: Path) -> str:
    """Return what tells the engine of one home from all others, and stays when it is started again."""
    return hashlib.sha256(f"{socket.gethostname()}:{home}".encode()).hexdigest()[:12]
