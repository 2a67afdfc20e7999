"""The executor `pgqueuer`: PgQueuer, on the engine's own PostgreSQL, carries runs to `moontide worker`.

PgQueuer gets a run's id and its attempt, and nothing else. A ticket is taken and struck off in one
transaction, so that none is lost with a worker, and none is given to two.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moontide import ExecutorKind, MoontideError, Ticket, hookimpl

if TYPE_CHECKING:
    from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
    from pgqueuer.domain.settings import DBSettings
    from pgqueuer.queries import Queries

#: Before the names of PgQueuer's own tables, so that an installation of one's own beside them stays alone.
PREFIX = "moontide_"

#: Before a run's tags in the name of its entry point.
RUN = "run"

#: A ticket that is taken is struck off at once; this is only to be longer than a transaction.
_STALE = timedelta(minutes=5)

#: Tags that one run may ask for, at the most.
MOST_TAGS = 3


#: PgQueuer tells of each change of its table. Workers want to know of new tickets, and nobody else of any.
_TELL_OF_NEW_ALONE = (
    f"CREATE OR REPLACE TRIGGER {PREFIX}tg_pgqueuer_changed AFTER INSERT ON {PREFIX}pgqueuer "
    f"EXECUTE FUNCTION {PREFIX}fn_pgqueuer_changed()"
)


class PgQueue:
    """Implements `moontide.RunQueue` with PgQueuer."""

    channel = f"{PREFIX}ch_pgqueuer"

    def __init__(self) -> None:
        """Make it.

        Raises:
            MoontideError: PgQueuer is not installed.
        """
        try:
            import pgqueuer  # noqa: F401
        except ImportError as error:
            raise MoontideError(
                f"what it takes is not installed ({error}): pip install 'moontide[pgqueuer]'"
            ) from error
        self._manager = uuid4()

    async def prepare(self, connection: Any) -> None:
        """Make PgQueuer's tables, or bring them up to date."""
        queries = _queries(connection)
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()
        await connection.execute(_TELL_OF_NEW_ALONE)

    def put(self, connection: Any, tickets: Sequence[Ticket]) -> None:
        """Hand tickets in, inside the connection's transaction."""
        from pgqueuer.queries import SyncQueries

        queries = SyncQueries(_InTransaction(connection), qbq=_builder())
        queries.enqueue(
            [_entrypoint(ticket.runs_on) for ticket in tickets],
            [f"{ticket.run_id} {ticket.attempt}".encode() for ticket in tickets],
            [ticket.priority for ticket in tickets],
        )

    async def take(self, connection: Any, tags: Collection[str], most: int) -> list[Ticket]:
        """Take tickets inside the connection's transaction."""
        from pgqueuer.ports.repository import EntrypointExecutionParameter
        from pgqueuer.types import QueueEntrypoint, QueueManagerId

        queries = _queries(connection)
        wanted = EntrypointExecutionParameter(concurrency_limit=0)
        jobs = await queries.dequeue(
            batch_size=most,
            entrypoints={QueueEntrypoint(name): wanted for name in entrypoints(frozenset(tags))},
            queue_manager_id=QueueManagerId(self._manager),
            global_concurrency_limit=None,
            heartbeat_timeout=_STALE,
        )
        if jobs:
            await queries.log_jobs([(job, "successful", None) for job in jobs])
        return [_ticket(job.payload or b"", job.priority) for job in jobs]

    def is_news(self, payload: str) -> bool:
        """Return whether tickets came in; that some were taken is of no use here."""
        told = json.loads(payload)
        return bool(told.get("type") == "table_changed_event" and told.get("operation") == "insert")

    async def tidy(self, connection: Any) -> None:
        """Remove PgQueuer's log of tickets, which says nothing that the runs do not say."""
        await _queries(connection).clear_queue_log()


def entrypoints(tags: frozenset[str]) -> tuple[str, ...]:
    """Return the names under which a worker with some tags finds runs: one for each set that it fulfils."""
    return _entrypoints(tuple(sorted(tags)))


@lru_cache(maxsize=8)
def _entrypoints(tags: tuple[str, ...]) -> tuple[str, ...]:
    sets = chain.from_iterable(combinations(tags, count) for count in range(MOST_TAGS + 1))
    return tuple(_entrypoint(one) for one in sets)


def _entrypoint(tags: Sequence[str]) -> str:
    return " ".join((RUN, *sorted(tags)))


def _ticket(payload: bytes, priority: int) -> Ticket:
    run_id, attempt = payload.split()
    return Ticket(int(run_id), int(attempt), priority=priority)


def _queries(connection: Any) -> Queries:
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    return Queries(PsycopgDriver(connection), qbe=QueryBuilderEnvironment(_settings()), qbq=_builder())


@lru_cache(maxsize=1)
def _builder() -> QueryQueueBuilder:
    from pgqueuer.adapters.persistence.qb import QueryQueueBuilder

    # It keeps the statements that it has made.
    return QueryQueueBuilder(_settings())


@lru_cache(maxsize=1)
def _settings() -> DBSettings:
    from pgqueuer.domain.settings import DBSettings, Durability

    # The queue itself is as durable as the database; its log and statistics say nothing that is needed.
    return DBSettings(prefix=PREFIX, durability=Durability.balanced)


class _InTransaction:
    """PgQueuer's driver for a connection whose transaction is somebody else's."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        from psycopg import RawCursor
        from psycopg.rows import dict_row

        with RawCursor(self._connection, row_factory=dict_row) as cursor:
            cursor.execute(query, args or None)
            return cursor.fetchall()


@hookimpl
def moontide_executors() -> list[ExecutorKind]:
    """Return the executor `pgqueuer`."""
    return [
        ExecutorKind(
            name="pgqueuer", queue=PgQueue, summary="Workers on other machines, by PgQueuer on PostgreSQL."
        )
    ]
