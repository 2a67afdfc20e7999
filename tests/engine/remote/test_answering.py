"""What an engine answers to runs on workers when it writes nothing any more."""

from __future__ import annotations

from pathlib import Path
from typing import Never

import pytest

from engine.errors import JobFileError, StoreUnavailable
from engine.remote.answering import Answers
from engine.remote.parcels import Answer, Question
from engine.store.journal import Journal
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON
from tests.engine.store.servers import migrated


async def library(module: str) -> bytes:
    if module != "lib.words":
        raise JobFileError(f"there is no {module}")
    return b"return {}"


def unused() -> Never:
    raise AssertionError("a module is no other run, and not the job")


def answers_with(journal: Journal) -> Answers:
    return Answers(runs=unused, own_job=unused, library=library, journal=journal)


async def test_what_an_engine_that_ends_cannot_write_is_left_to_the_next_one_to_answer(
    tmp_path: Path,
) -> None:
    with migrated("sqlite", tmp_path) as database:
        journal = Journal(
            database.writer,
            clock=ManualClock(NOON),
            on_stalled=lambda *_: None,
            on_recovered=lambda _: None,
        )
        answers = answers_with(journal)
        journal.start()
        assert (await answers.answer(Question("require", ["lib.words"]))).error is None
        refused = await answers.answer(Question("require", ["lib.none"]))
        assert refused == Answer(error="there is no lib.none", code=0)
        await journal.stop()
        with pytest.raises(StoreUnavailable):
            await answers.answer(Question("require", ["lib.words"]))
