"""The list of jobs follows single changes, and is always as if all jobs were looked at anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from engine.views import ListedJob, listed
from tests.engine.api.memory_engine import START, MemoryEngine
from tui.model.board import Board
from tui.model.filters import job_fits, narrows, parse
from tui.model.joborder import SORTS
from tui.model.jobrows import JobRows

NAMES = ("report", "till", "toys", "admin/till", "zoo")
STATES = ("WAITING", "INVALID")
FILTERS = (
    "",
    "t",
    "to",
    "!t",
    "!to",
    "t !z",
    "status:w",
    "status:wait",
    "job:t",
    "job:toys,zoo",
    "status:attention",
)


class Following(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.rows = JobRows(self.board)
        self.now = START
        self.filter, self.way, self.backwards = "", "attention", False
        self.board.take_jobs(job(name) for name in NAMES)

    @rule(
        name=st.sampled_from(NAMES), due=st.integers(-30, 90), status=st.sampled_from(["WAITING", "INVALID"])
    )
    def one_changes(self, name: str, due: int, status: str) -> None:
        self.board.take_job(job(name, due=self.now + timedelta(seconds=due), status=status))

    @rule(name=st.sampled_from(NAMES), went=st.sampled_from(["COMPLETE", "ERROR"]))
    def one_ran(self, name: str, went: str) -> None:
        if name in self.board.jobs:
            changed = replace(self.board.jobs[name], last_status=went, last_run=self.now)
            self.board.take_job(changed)

    @rule(names=st.sets(st.sampled_from(NAMES)))
    def all_are_fetched(self, names: set[str]) -> None:
        self.board.take_jobs(job(name) for name in names)

    @rule(seconds=st.integers(0, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(text=st.sampled_from(FILTERS))
    def something_is_typed(self, text: str) -> None:
        self.filter = text

    @rule(way=st.sampled_from(list(SORTS)), backwards=st.booleans())
    def sorted_otherwise(self, way: str, backwards: bool) -> None:
        self.way, self.backwards = way, backwards

    @invariant()
    def it_is_as_if_all_were_looked_at(self) -> None:
        terms = parse(self.filter)
        fitting = [job for job in self.board.jobs.values() if job_fits(job, terms)]
        by = SORTS[self.way]
        fitting.sort(key=lambda job: (by(job, self.now), job.name), reverse=self.backwards)
        assert list(self.rows.look(terms, self.way, self.now, backwards=self.backwards)) == fitting


def job(name: str, *, due: datetime | None = None, status: str = "WAITING") -> ListedJob:
    return replace(listed(MemoryEngine().add(name)), next_run=due, status=status)


TestFollowing = Following.TestCase
TestFollowing.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_only_typing_on_leaves_no_job_out_that_was_not_there_before() -> None:
    assert narrows(parse("rep"), parse("re"))
    assert narrows(parse("rep tag:shop"), parse("rep"))
    assert not narrows(parse("re"), parse("rep"))
    assert not narrows(parse("!rep"), parse("!re"))
    assert not narrows(parse("job:report,till"), parse("job:report"))
    assert not narrows(parse("tag:x"), parse("tag"))
