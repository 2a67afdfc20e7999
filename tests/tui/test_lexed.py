"""Colours, widths and places of a text that is edited: always as if the text were looked at anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.document._document import Document
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Offset

from tui.editor.flatdocument import FlatDocument
from tui.lua.lexed import LexedText

LINES = st.lists(
    st.sampled_from(["", "local x", "--[[ a", "b ]]", '"ünï"', "\tcore.log([[", "]] x", "end"]), max_size=8
)


@given(st.lists(LINES, min_size=1, max_size=5))
def test_what_is_brought_up_to_date_is_as_if_it_were_new(texts: list[list[str]]) -> None:
    edited = LexedText(2)
    for lines in texts:
        edited.update(lines)
        fresh = LexedText(2)
        fresh.update(lines)
        rows = range(len(lines))
        assert [edited[row] for row in rows] == [fresh[row] for row in rows]
        assert [edited.drawn_as(row) for row in rows] == [fresh.drawn_as(row) for row in rows]
        assert edited.width == fresh.width


def test_only_what_changed_is_looked_at_again() -> None:
    text = LexedText(2)
    text.update(["a", "b", "c"])
    before = [text[row] for row in range(3)]
    text.update(["a", "x = 1", "c"])
    assert [text[row] for row in (0, 2)] == [before[0], before[2]]
    assert text[1] == [(4, 5, "number")]


def test_an_opened_comment_goes_on_below_and_ends_again() -> None:
    text = LexedText(2)
    text.update(["a", "b = 1", "c"])
    text.update(["--[[", "b = 1", "c"])
    assert [text[row] for row in range(3)] == [[(0, 4, "comment")], [(0, 5, "comment")], [(0, 1, "comment")]]
    text.update(["a", "b = 1", "c"])
    assert [text[row] for row in range(3)] == [[], [(4, 5, "number")], []]


@given(LINES, st.integers(0, 9), st.integers(0, 9))
def test_places_are_those_of_textuals_own_document(lines: list[str], row: int, column: int) -> None:
    document = Document("\n".join(lines))
    flat, own = FlatDocument(document, 2), WrappedDocument(document, 0, 2)
    assert flat.height == own.height
    assert flat.offset_to_location(Offset(column, row)) == own.offset_to_location(Offset(column, row))
    row = min(row, document.line_count - 1)
    column = min(column, len(document.get_line(row)))
    assert flat.location_to_offset((row, column)) == own.location_to_offset((row, column))
    assert flat.get_sections(row) == own.get_sections(row)
    assert flat.get_offsets(row) == own.get_offsets(row)
    assert flat.get_tab_widths(row) == own.get_tab_widths(row)
