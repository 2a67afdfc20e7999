"""Looking for words in a text."""

from __future__ import annotations

from tui.model.search import Search, next_span, number_at, span_before

TEXT = "Job, job; a.b axb JOB"


def test_capitals_matter_only_when_asked_for() -> None:
    assert Search("job").spans(TEXT) == [(0, 3), (5, 8), (18, 21)]
    assert Search("job", with_case=True).spans(TEXT) == [(5, 8)]


def test_words_are_taken_as_they_are() -> None:
    assert Search("a.b").spans(TEXT) == [(10, 13)]
    assert Search("a.b").replaced(TEXT, r"\1") == r"Job, job; \1 axb JOB"


def test_nothing_is_found_nowhere() -> None:
    assert Search("").spans(TEXT) == []
    assert Search("").replaced(TEXT, "x") == TEXT
    assert not Search("").fits("")
    assert next_span([], 0) is span_before([], 0) is None


def test_places_go_round_both_ends() -> None:
    spans = Search("job").spans(TEXT)
    assert [next_span(spans, at) for at in (0, 1, 5, 9, 19)] == [(0, 3), (5, 8), (5, 8), (18, 21), (0, 3)]
    assert [span_before(spans, at) for at in (0, 1, 5, 21)] == [(18, 21), (0, 3), (0, 3), (18, 21)]


def test_the_selected_place_has_its_number() -> None:
    spans = Search("job").spans(TEXT)
    assert [number_at(spans, one) for one in (*spans, (0, 2), (1, 3))] == [1, 2, 3, 0, 0]
