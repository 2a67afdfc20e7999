"""Which of several problems the editor shows, and where its key goes."""

from __future__ import annotations

from engine.views import DraftView, ProblemView
from tests.engine.api.memory_engine import MemoryEngine
from tui.facts.problems import Problem, ProblemList, of_draft, of_job


def test_the_line_of_the_cursor_tells_its_own_problem_and_others_the_first() -> None:
    problems = ProblemList([Problem(9, "late"), Problem(2, "early")])
    assert problems.words_at(9) == "✗ line 9: late  (2 of 2, F8 next)"
    assert problems.words_at(5) == "✗ line 2: early  (1 of 2, F8 next)"
    assert problems.count() == [("  ✗ 2 problems", "bad")]


def test_the_next_problem_is_below_and_after_the_last_comes_the_first() -> None:
    problems = ProblemList([Problem(9, "late"), Problem(2, "early"), Problem(None, "everywhere")])
    assert [problems.after(line) for line in (1, 2, 8, 9)] == [2, 9, 9, 2]


def test_without_a_problem_nothing_is_shown() -> None:
    assert (ProblemList().words_at(1), ProblemList().after(1), ProblemList().count()) == ("", None, [])


def test_the_place_stands_once() -> None:
    found = [ProblemView("a.lua", 3, "a.lua:3: '=' expected"), ProblemView("a.lua", None, "b.lua:4: no")]
    draft = DraftView("", [], "", "wrong", 3, None, "", [], problems=found)
    assert of_draft(draft) == [Problem(3, "'=' expected"), Problem(None, "b.lua:4: no")]


def test_a_line_of_a_library_module_is_none_of_the_jobs() -> None:
    engine = MemoryEngine()
    own = engine.add("shop/a", status="INVALID", reason="shop/a.lua:7: broken")
    other = engine.add("b", status="INVALID", reason="lib/money.lua:7: broken")
    assert of_job(own) == [Problem(7, "broken")]
    assert of_job(other) == [Problem(None, "lib/money.lua:7: broken")]
    assert of_job(engine.add("good")) == []
