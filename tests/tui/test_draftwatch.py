"""Questions about a text that is being typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.engine.conftest import until
from tui.model.draftwatch import DraftWatch


class Oracle:
    """Answers with the text as it was asked about, when it is let."""

    def __init__(self) -> None:
        self.text = ""
        self.asked: list[str] = []
        self.taken: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.watch = DraftWatch(self.ask, self.taken.append, rest_seconds=0.01)

    def type(self, text: str) -> None:
        self.text = text
        self.watch.changed()

    async def ask(self) -> str:
        self.asked.append(text := self.text)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.may_answer.wait()
        self.under_way -= 1
        return text


@asynccontextmanager
async def watching() -> AsyncIterator[Oracle]:
    oracle = Oracle()
    task = asyncio.ensure_future(oracle.watch.keep())
    try:
        yield oracle
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_typed_in_one_go_is_asked_about_once() -> None:
    async with watching() as oracle:
        for text in ("a", "ab", "abc"):
            oracle.type(text)
        await until(lambda: oracle.taken)
        assert oracle.asked == oracle.taken == ["abc"]
        assert oracle.watch.is_answered


async def test_an_answer_about_an_older_text_is_dropped() -> None:
    async with watching() as oracle:
        oracle.may_answer.clear()
        oracle.type("old")
        await until(lambda: oracle.asked == ["old"])
        oracle.type("new")
        assert not oracle.watch.is_answered
        oracle.may_answer.set()
        await until(lambda: oracle.taken)
        assert oracle.taken == ["new"]


async def test_there_is_never_more_than_one_question_under_way() -> None:
    async with watching() as oracle:
        oracle.may_answer.clear()
        for text in ("a", "ab", "abc"):
            oracle.type(text)
            await until(lambda: oracle.asked)
        oracle.may_answer.set()
        await until(lambda: oracle.taken == ["abc"])
        assert oracle.most_under_way == 1
