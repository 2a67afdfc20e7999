"""executor = "celery": runs are carried to Celery workers, by Redis or RabbitMQ."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from moontide import (
    CoreModule,
    Executor,
    ExecutorContext,
    ExecutorKind,
    MoontideError,
    PluginCommand,
    ServiceContext,
    hookimpl,
)


class CelerySettings(msgspec.Struct, forbid_unknown_fields=True):
    """The table [celery] of moontide.toml.

    Attributes:
        broker: the URL of Redis or RabbitMQ as Celery takes it.
        queue: the name before all queues, for brokers that several homes use.
        silence_seconds: how long a worker may say nothing of a run that it has begun.
    """

    broker: str = ""
    queue: str = "moontide"
    silence_seconds: float = 15.0

    def __post_init__(self) -> None:
        """Refuse a silence that a worker's beats cannot fill.

        Raises:
            ValueError: it is too short.
        """
        if self.silence_seconds < 5:
            raise ValueError("silence_seconds must be 5 or more: a worker tells every 2 s that it is there")


celery = CoreModule(
    "celery", summary="What the executor celery is set to; jobs find nothing in it.", settings=CelerySettings
)


@celery.service
@asynccontextmanager
async def configured(settings: CelerySettings, context: ServiceContext) -> AsyncIterator[CelerySettings]:
    """Hand the settings on to whoever carries runs."""
    yield settings


def settings_in(services: Any) -> CelerySettings:
    """Return the settings of this plugin.

    Raises:
        MoontideError: no broker is named.
    """
    settings = services.get("celery")
    if not isinstance(settings, CelerySettings) or not settings.broker:
        raise MoontideError('name the broker in moontide.toml: [celery] broker = "redis://127.0.0.1:6379/0"')
    return settings


@asynccontextmanager
async def open_celery(context: ExecutorContext) -> AsyncIterator[Executor]:
    """Open the engine's side: what sends runs, and what hears of them."""
    from moontide_celery_engine import open_executor

    async with open_executor(settings_in(context.services), context.home) as executor:
        yield executor


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return what takes the table [celery]."""
    return [celery]


@hookimpl
def moontide_executors() -> list[ExecutorKind]:
    """Return the executor `celery`."""
    return [ExecutorKind(name="celery", open=open_celery, summary="Celery workers, by Redis or RabbitMQ.")]


def make_command() -> Any:
    """Return `moontide celery`; Celery is imported when it is called."""
    from moontide_celery_command import make_command

    return make_command()


@hookimpl
def moontide_commands() -> list[PluginCommand]:
    """Return the command that starts a worker."""
    return [PluginCommand(name="celery", make=make_command, help="Carry runs out as a Celery worker.")]
