"""What a worker on another machine reads and writes of the runs that it carries out.

Each write counts only while the run's row has the worker's token and id. All of it happens on connections of
`engine.store.link.Link`, and each transaction tells the engines once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.store.link import Connection
from engine.store.remote import LOST, OVER, SCHEMA, TAKEN, TO_ENGINES, WAITING

#: The longest payload of a NOTIFY is 8,000 bytes; an empty one means that everything is to be looked at.
_MOST_TOLD = 7000

_CLAIM = f"""
UPDATE remote_run SET state = '{TAKEN}', node = %s, worker = %s
WHERE run_id = ANY(%s) AND state = '{WAITING}'
RETURNING run_id, token, request, source_hash
"""

_MINE = f"SELECT run_id, token, request, source_hash FROM remote_run WHERE node = %s AND state = '{TAKEN}'"

_SOURCES = "SELECT hash, text FROM source WHERE hash = ANY(%s)"

# Committed already, and not heard of: then the row is over, with the same token.
_END = f"""
WITH over AS (
    UPDATE remote_run AS r SET state = '{OVER}', outcome = ended.outcome
    FROM unnest(%s::bigint[], %s::text[], %s::bytea[]) AS ended(run_id, token, outcome)
    WHERE r.run_id = ended.run_id AND r.token = ended.token AND r.node = %s
    AND r.state IN ('{TAKEN}', '{OVER}') RETURNING r.run_id
), runs AS (
    SELECT string_agg(run_id::text, ',') AS ids FROM over
)
SELECT run_id, pg_notify(
    '{TO_ENGINES}' || {SCHEMA}, CASE WHEN length(ids) <= {_MOST_TOLD} THEN ids ELSE '' END
) FROM over, runs
"""

_CHUNK = f"""
UPDATE remote_run AS r SET chunks = said.number
FROM unnest(%s::bigint[], %s::text[], %s::int[]) AS said(run_id, token, number)
WHERE r.run_id = said.run_id AND r.token = said.token AND r.node = %s AND r.state = '{TAKEN}'
RETURNING r.run_id
"""

_LINES = """
INSERT INTO remote_log (run_id, number, lines)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bytea[]) ON CONFLICT DO NOTHING
"""

_ASK = f"""
UPDATE remote_run SET calls = %s WHERE run_id = %s AND token = %s AND node = %s AND state = '{TAKEN}'
RETURNING run_id
"""

_QUESTION = "INSERT INTO remote_call (run_id, number, question) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"

_WISHES = "SELECT run_id, token, state, stop, grace FROM remote_run WHERE run_id = ANY(%s)"

_ANSWERS = "SELECT run_id, number, answer FROM remote_call WHERE run_id = ANY(%s) AND answer IS NOT NULL"

_SUPERSEDED = f"""
WITH late AS (
    SELECT r.run_id, said.late FROM remote_run AS r
    JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS said(run_id, token, late)
    ON r.run_id = said.run_id AND r.token = said.token
    WHERE r.state = '{LOST}' FOR UPDATE OF r
), gone AS (
    DELETE FROM remote_run WHERE run_id IN (SELECT run_id FROM late)
)
UPDATE run SET superseded = (COALESCE(run.superseded::jsonb, '[]'::jsonb) || late.late::jsonb)::json
FROM late WHERE run.id = late.run_id RETURNING run.id
"""

_TELL = f"SELECT pg_notify('{TO_ENGINES}' || {SCHEMA}, %s)"

#: Checked before a write for a run, so that it is refused once the run was given up.
FENCE = f"SELECT 1 FROM remote_run WHERE run_id = :run AND token = :token AND state = '{TAKEN}' FOR SHARE"


@dataclass(frozen=True, slots=True)
class TakenRun:
    """A run that a worker has taken."""

    run_id: int
    token: str
    request: bytes
    source_hash: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the engine wants of a run.

    Attributes:
        given_up: nothing any more: what is still written for it is refused.
        stop: it is to end, for this reason.
        grace: seconds that it has to come to its end by itself; None: as long as it takes.
    """

    run_id: int
    given_up: bool
    stop: str | None
    grace: float | None


async def claim(connection: Connection, run_ids: Sequence[int], node: str, worker: str) -> list[TakenRun]:
    """Take the runs that still wait for a worker, and tell the engines."""
    rows = await (await connection.execute(_CLAIM, (node, worker, list(run_ids)))).fetchall()
    taken = [TakenRun(*row) for row in rows]
    if taken:
        await tell(connection, [run.run_id for run in taken])
    return taken


async def taken_by(connection: Connection, node: str) -> list[TakenRun]:
    """Return the runs that a worker has taken, as the database says."""
    return [TakenRun(*row) for row in await (await connection.execute(_MINE, (node,))).fetchall()]


async def sources(connection: Connection, hashes: Collection[str]) -> dict[str, str]:
    """Return texts of job files and library modules by their hashes."""
    return dict(await (await connection.execute(_SOURCES, (list(hashes),))).fetchall())


async def end_runs(connection: Connection, ended: Sequence[tuple[int, str, bytes]], node: str) -> set[int]:
    """Write how runs ended, each with its id, token and outcome, and tell the engines; it is one statement.

    Returns:
        the runs for which it counts.
    """
    if not ended:
        return set()
    ids, tokens, outcomes = map(list, zip(*ended, strict=True))
    rows = await (await connection.execute(_END, (ids, tokens, outcomes, node))).fetchall()
    return {row[0] for row in rows}


async def add_lines(
    connection: Connection, chunks: Sequence[tuple[int, str, int, bytes]], node: str
) -> set[int]:
    """Write lines of runs' logs: ids, tokens, numbers from 1, lines; return the runs for which they count.

    The engines are told of them.
    """
    if not chunks:
        return set()
    ids, tokens, numbers, _ = map(list, zip(*chunks, strict=True))
    rows = await (await connection.execute(_CHUNK, (ids, tokens, numbers, node))).fetchall()
    counted = {row[0] for row in rows}
    if kept := [(run, number, lines) for run, _, number, lines in chunks if run in counted]:
        await connection.execute(_LINES, tuple(map(list, zip(*kept, strict=True))))
        await tell(connection, counted)
    return counted


async def ask(connection: Connection, run: tuple[int, str], node: str, number: int, question: bytes) -> bool:
    """Write a run's question to the engine; return False if the run was given up.

    Args:
        run: its id and token.
        number: of the question, from 1.
    """
    counted = await (await connection.execute(_ASK, (number, *run, node))).fetchone()
    if counted is None:
        return False
    await connection.execute(_QUESTION, (run[0], number, question))
    await tell(connection, [run[0]])
    return True


async def wishes(connection: Connection, tokens: Mapping[int, str]) -> list[Wish]:
    """Return what the engine wants of a worker's runs, given with their tokens."""
    rows = await (await connection.execute(_WISHES, (list(tokens),))).fetchall()
    found = {row[0]: row for row in rows if row[1] == tokens[row[0]]}
    return [_wish(run_id, found.get(run_id)) for run_id in tokens]


def _wish(run_id: int, row: Sequence[Any] | None) -> Wish:
    if row is None:
        return Wish(run_id, True, None, None)
    return Wish(run_id, row[2] == LOST, row[3], row[4])


async def answers(connection: Connection, run_ids: Collection[int]) -> dict[tuple[int, int], bytes]:
    """Return the engine's answers to questions of runs, by run and number."""
    rows = await (await connection.execute(_ANSWERS, (list(run_ids),))).fetchall()
    return {(row[0], row[1]): bytes(row[2]) for row in rows}


async def keep_superseded(
    connection: Connection, late: Iterable[tuple[int, str, Mapping[str, Any]]], now: datetime
) -> set[int]:
    """Keep ends that came too late to count, with runs that were given up; return those runs."""
    rows = [(run, token, json.dumps([{"at": now.isoformat(), **said}])) for run, token, said in late]
    if not rows:
        return set()
    values = tuple(map(list, zip(*rows, strict=True)))
    return {row[0] for row in await (await connection.execute(_SUPERSEDED, values)).fetchall()}


async def tell(connection: Connection, run_ids: Collection[int]) -> None:
    """Let the engines look at some runs when this transaction is committed."""
    payload = ",".join(map(str, run_ids))
    await connection.execute(_TELL, (payload if len(payload) <= _MOST_TOLD else "",))
