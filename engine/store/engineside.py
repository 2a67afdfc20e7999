"""What an engine reads of the runs that it has handed over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.store.link import Connection

_ROWS = "SELECT run_id, state, node, worker, chunks, calls, outcome FROM remote_run WHERE run_id = ANY(%s)"

_LINES = """
SELECT log.run_id, log.number, log.lines FROM remote_log AS log
JOIN unnest(%s::bigint[], %s::int[]) AS seen(run_id, number)
ON log.run_id = seen.run_id AND log.number > seen.number ORDER BY log.run_id, log.number
"""

_CALLS = """
SELECT call.run_id, call.number, call.question FROM remote_call AS call
JOIN unnest(%s::bigint[], %s::int[]) AS seen(run_id, number)
ON call.run_id = seen.run_id AND call.number > seen.number WHERE call.answer IS NULL
ORDER BY call.run_id, call.number
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands that was handed over.

    Attributes:
        node: the id of the worker that has taken it, `worker` its name.
        chunks: how many parts of its log there are, `calls` how many questions.
        outcome: how it ended there.
    """

    run_id: int
    state: str
    node: str | None
    worker: str | None
    chunks: int
    calls: int
    outcome: bytes | None


async def standings(connection: Connection, run_ids: Collection[int]) -> list[Standing]:
    """Return how some runs stand; one that is not there was forgotten."""
    rows = await (await connection.execute(_ROWS, (list(run_ids),))).fetchall()
    return [Standing(*row) for row in rows]


async def lines_after(connection: Connection, seen: Mapping[int, int]) -> list[tuple[int, int, bytes]]:
    """Return parts of runs' logs, each with its run and number, in order.

    Args:
        seen: by run the number of the last part that is known.
    """
    if not seen:
        return []
    rows = await (await connection.execute(_LINES, (list(seen), list(seen.values())))).fetchall()
    return [(row[0], row[1], bytes(row[2])) for row in rows]


async def questions_after(connection: Connection, seen: Mapping[int, int]) -> list[tuple[int, int, bytes]]:
    """Return questions of runs that have no answer yet, likewise."""
    if not seen:
        return []
    rows = await (await connection.execute(_CALLS, (list(seen), list(seen.values())))).fetchall()
    return [(row[0], row[1], bytes(row[2])) for row in rows]
