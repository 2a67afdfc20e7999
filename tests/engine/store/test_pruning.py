from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import text

from engine.run import LogLine, Retention
from engine.runs.cleanup import BATCH_RUNS, LINES_PER_RUN, batches
from engine.runs.pace import Pace
from engine.states import FAILED, FINAL, RunStatus
from engine.store.database import Database
from engine.store.pruning import Pruning, remove_runs, remove_sources
from engine.store.rows import Changes, SourceRow
from engine.store.search import index_runs
from engine.store.writes import write
from tests.engine.store.conftest import NOON, a_run, an_end
from tests.engine.store.servers import KINDS, emptied, migrated

STATUSES = (*sorted(FINAL), RunStatus.QUEUED, RunStatus.RUNNING)


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of each kind for all tests here; each of them empties it first."""
    with migrated(request.param, tmp_path_factory.mktemp("store")) as database:
        yield database


@dataclass(frozen=True)
class Past:
    """One run as the plain list has it; its times are hours before the clean-up."""

    job: str
    status: RunStatus
    waited: int
    ended: int
    kept: int | None
    source: str

    @property
    def is_over(self) -> bool:
        return self.status in FINAL


def put(database: Database, runs: list[Past]) -> None:
    changes = []
    for number, run in enumerate(runs, 1):
        queued = NOON - timedelta(hours=run.ended + run.waited)
        first = RunStatus.QUEUED if run.status is RunStatus.QUEUED else RunStatus.RUNNING
        row = structs.replace(a_run(number, run.job, first, source_hash=run.source), queued=queued)
        said = (number, (LogLine(1, NOON, "info", "said"),))
        sources = (SourceRow(run.source, ""),)
        changes.append(Changes(runs=(row,), sources=sources, lines=(said,)))
        if run.is_over:
            finished = NOON - timedelta(hours=run.ended)
            remove_at = None if run.kept is None else finished + timedelta(hours=run.kept)
            modules = {"lib.x": run.source.upper()}
            end = an_end(run.status, log_lines=1, remove_at=remove_at, modules=modules)
            module = SourceRow(run.source.upper(), "")
            changes.append(
                Changes(ends=((number, structs.replace(end, finished=finished)),), sources=(module,))
            )
    with database.writer.begin() as connection:
        write(connection, changes, NOON)
        index_runs(connection, range(1, len(runs) + 1))


runs = st.builds(
    Past,
    job=st.sampled_from(["a", "b"]),
    status=st.sampled_from(STATUSES),
    waited=st.integers(0, 30),
    ended=st.integers(0, 30),
    kept=st.none() | st.integers(0, 30),
    source=st.sampled_from(["h1", "h2", "h3"]),
)
limits = st.builds(
    Retention,
    age_seconds=st.integers(0, 30).map(lambda hours: hours * 3600.0),
    failed_age_seconds=st.integers(0, 30).map(lambda hours: hours * 3600.0),
    runs=st.integers(0, 4),
    failed_runs=st.integers(0, 4),
)


def kept_of(runs: list[Past], limits: Retention) -> set[int]:
    """Say which runs stay, without a database."""
    stay = {number for number, run in enumerate(runs, 1) if not run.is_over or _young(run, limits)}
    beyond: defaultdict[tuple[str, bool], int] = defaultdict(int)
    for number, run in reversed(list(enumerate(runs, 1))):
        if run.is_over:
            failed = run.status in FAILED
            most = limits.failed_runs if failed else limits.runs
            beyond[run.job, failed] += 1
            if most and beyond[run.job, failed] > most:
                stay.discard(number)
    return stay


def _young(run: Past, limits: Retention) -> bool:
    age = limits.failed_age_seconds if run.status in FAILED else limits.age_seconds
    return not (age and run.ended * 3600 > age) and not (run.kept is not None and run.ended >= run.kept)


@settings(max_examples=80, deadline=None)
@given(runs=st.lists(runs, max_size=20), limits=limits)
def test_no_live_run_goes_and_the_others_hold_the_limits(
    store: Database, runs: list[Past], limits: Retention
) -> None:
    put(emptied(store), runs)
    pruning = Pruning(store.reader)
    while found := pruning.runs(limits, NOON):
        for batch in batches(found, Pace(BATCH_RUNS)):
            with store.writer.begin() as connection:
                assert remove_runs(connection, batch) == len(batch)
    with store.writer.begin() as connection:
        remove_sources(connection, sorted(pruning.unused_sources()))
        ids = set(connection.scalars(text("SELECT id FROM run")))
        lines = set(connection.scalars(text("SELECT run_id FROM log_line")))
        sources = set(connection.scalars(text("SELECT hash FROM source")))
        indexed = "SELECT id FROM run_text_docsize"
        if store.writer.dialect.name == "postgresql":
            indexed = "SELECT run_id FROM run_text"
        words = set(connection.scalars(text(indexed)))
    over = {number for number, run in enumerate(runs, 1) if run.is_over}
    assert ids == lines == kept_of(runs, limits)
    assert words == ids & over
    used = {run.source for number, run in enumerate(runs, 1) if number in ids}
    used |= {run.source.upper() for number, run in enumerate(runs, 1) if number in ids & over}
    assert sources == used


@given(st.lists(st.integers(0, 100), max_size=300), st.lists(st.floats(0, 0.02), min_size=1))
def test_a_transaction_takes_few_runs_and_few_lines(counts: list[int], seconds: list[float]) -> None:
    lines, pace, parts = dict(enumerate(counts)), Pace(BATCH_RUNS), []
    for part in batches(list(lines.items()), pace):
        assert 1 <= len(part) <= pace.size
        assert len(part) == 1 or sum(lines[number] for number in part) <= LINES_PER_RUN * pace.size
        pace.took(seconds[len(parts) % len(seconds)])
        parts.append(part)
    assert [number for part in parts for number in part] == list(lines)
