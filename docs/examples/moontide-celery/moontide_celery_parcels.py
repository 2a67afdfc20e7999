"""What engine and worker send each other, as JSON, and the Celery application that both of them use."""

from collections.abc import Collection
from importlib.metadata import version
from itertools import chain, combinations

import msgspec
from celery import Celery
from moontide_celery import CelerySettings

from moontide import Outcome, RunRequest

VERSION = version("moontide")
TASK = "moontide.run"
STOP = "moontide_stop"

#: Seconds between two signs of life of a run.
BEAT_SECONDS = 2.0


class Parcel(msgspec.Struct, frozen=True):
    """A run on its way to a worker.

    Attributes:
        token: of this attempt; the id of the task too.
        reply: the queue on which the engine hears of it.
        version: of the engine.
        request: a `RunRequest`, read only where the version is the same.
    """

    token: str
    reply: str
    version: str
    request: msgspec.Raw


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """A worker has taken a run."""

    token: str
    worker: str


class Lines(msgspec.Struct, frozen=True, tag="lines"):
    """Lines of a run's log, each with its level; none is a sign of life."""

    token: str
    lines: list[tuple[str, str]]


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """How a run ended."""

    token: str
    outcome: Outcome


News = Begun | Lines | Ended


def parcel_text(request: RunRequest, token: str, reply: str) -> str:
    """Return a run as it travels."""
    raw = msgspec.Raw(msgspec.json.encode(request))
    return msgspec.json.encode(Parcel(token, reply, VERSION, raw)).decode()


def read_parcel(text: str) -> Parcel:
    """Return a run that came; what is asked of it is still to be read."""
    return msgspec.json.decode(text, type=Parcel)


def read_request(parcel: Parcel) -> RunRequest:
    """Return what a worker is asked to carry out.

    Raises:
        ValueError: the engine is of another version, so that it may be misunderstood.
    """
    if parcel.version != VERSION:
        raise ValueError(f"the engine is Moontide {parcel.version}, this worker {VERSION}")
    return msgspec.json.decode(parcel.request, type=RunRequest)


def news_text(news: News) -> str:
    """Return news as they travel."""
    return msgspec.json.encode(news).decode()


def read_news(text: str) -> News:
    """Return news that came.

    Raises:
        msgspec.MsgspecError: they are none.
    """
    return msgspec.json.decode(text, type=News)


def queue_for(base: str, tags: Collection[str]) -> str:
    """Return the queue of runs that ask for some tags."""
    return ".".join((base, *sorted(tags)))


def queues_of(base: str, tags: Collection[str]) -> list[str]:
    """Return the queues that a worker with some tags serves: those of all runs that it can fulfil."""
    sets = chain.from_iterable(combinations(sorted(tags), count) for count in range(len(tags) + 1))
    return [queue_for(base, one) for one in sets]


def make_app(settings: CelerySettings) -> Celery:
    """Return the Celery application."""
    app = Celery("moontide", broker=settings.broker, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        task_acks_late=False,
        task_default_queue=settings.queue,
        task_ignore_result=True,
        # With RabbitMQ, which has no such thing, a busy worker may keep as many runs waiting as it has slots.
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )
    return app
