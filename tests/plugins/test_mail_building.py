"""Large letters, built in processes of their own."""

from __future__ import annotations

import asyncio
import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import CoreError
from plugins.mail.building import LARGE_BYTES, Builder
from plugins.mail.message import Attachment, Draft, Letter
from plugins.mail.order import STEP, Order, read_order, write_order
from tests.e2e.processes import until

LARGE = ".Grüße 😀\n" * (LARGE_BYTES // 8)

LONG = st.builds(
    lambda unit, times: unit * times,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(0, 30_000),
)


def a_draft(**given: object) -> Draft:
    return Draft(sender="shop@x.example", to=["ann@x.example"], **given)  # type: ignore[arg-type]


def a_builder(seconds: float = 60.0) -> Builder:
    return Builder(default_sender="", tag_field="X-Tag", seconds=seconds)


def read(letter: Letter) -> EmailMessage:
    lines = b"".join(letter.pieces).split(b"\r\n")
    text = b"\r\n".join(line.removeprefix(b".") for line in lines)
    assert len(text) == letter.size
    message = message_from_bytes(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


@given(st.none() | LONG, st.none() | LONG, st.lists(LONG, max_size=2))
def test_an_order_is_read_as_it_was_written(text: str | None, html: str | None, files: list[str]) -> None:
    attachments = [Attachment(f"{number}.txt", file.encode()) for number, file in enumerate(files)]
    order = Order(a_draft(text=text, html=html, attachments=attachments), "me@x.example", "X-Tag")
    frames = list(write_order(order))
    assert read_order(BytesIO(b"".join(frames))) == order
    assert max(map(len, frames)) <= 4 * STEP + 4


def test_an_order_that_is_cut_short_is_noticed() -> None:
    data = b"".join(write_order(Order(a_draft(text="x"), "", "X-Tag")))
    with pytest.raises(EOFError):
        read_order(BytesIO(data[:-1]))


@pytest.mark.parametrize("text", ["short", LARGE])
async def test_small_and_large_letters_say_what_was_set(text: str) -> None:
    content = os.urandom(1000) + b"\r\n.\r\n"
    draft = a_draft(text=text, html=text, tag="t", attachments=[Attachment("a.bin", content)])
    letter = await a_builder().build(draft)
    message = read(letter)
    assert (letter.sender, letter.recipients) == ("shop@x.example", ("ann@x.example",))
    assert (message["Message-ID"], message["X-Tag"]) == (letter.message_id, "t")
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n")
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == content


async def test_what_is_wrong_with_a_large_letter_is_told_as_with_a_small_one() -> None:
    with pytest.raises(CoreError, match="replyTo: 'nobody' is no mail address") as caught:
        await a_builder().build(a_draft(text=LARGE, reply_to="nobody"))
    assert caught.value.code == 704


async def test_a_letter_that_takes_too_long_is_given_up_with_its_process() -> None:
    before = children()
    with pytest.raises(CoreError, match="not built: it took longer than 10 ms") as caught:
        await a_builder(0.01).build(a_draft(text=LARGE))
    assert caught.value.code == 701
    assert children() <= before


async def test_a_letter_of_millions_of_lines_takes_no_memory_of_the_engine() -> None:
    with pytest.raises(CoreError, match="more time or memory than a message may have") as caught:
        await a_builder().build(a_draft(text="\n" * 2**24))
    assert caught.value.code == 701


async def test_a_run_that_ends_takes_its_letter_with_it() -> None:
    before = children()
    building = asyncio.create_task(a_builder().build(a_draft(text=LARGE * 50)))
    await asyncio.to_thread(until, lambda: children() - before)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert children() <= before
