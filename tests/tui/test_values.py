"""The plain parts: words, filters, plots, colours and the Lua lexer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from textual.color import Color
from textual.theme import Theme

from engine.states import EngineState, JobStatus, RunStatus
from tests.engine.api.memory_engine import START, MemoryEngine
from tui.charts.plots import ends_line, percent_complete
from tui.facts.jobsummary import job_summary
from tui.look import words
from tui.look.themes import SHADES, THEMES, fitting_theme, speaks_unicode
from tui.lua.tokens import all_tokens, coloured, error_line, tokens
from tui.model.board import Board, End
from tui.model.filters import job_fits, parse
from tui.model.joborder import SORTS
from tui.model.jobrows import JobRows
from tui.screens.jobs import JobsScreen
from tui.screens.runs import RunsScreen
from tui.widgets.bars import fitting_hints

HELP = ("?", "Help", "app.help")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

HALF_TYPED = ["x((", 'local s = "abc', "for i=1,", "local t = {", "function f(", "foo[", "if a then"]


@pytest.mark.parametrize("status", [*JobStatus, *RunStatus, *EngineState])
def test_every_status_has_an_icon_of_one_column_and_a_plain_one(status: str) -> None:
    look = words.LOOKS[status]
    assert len(look.icon) == 1
    assert look.plain.isascii()
    assert look.shade in SHADES


def test_no_two_job_statuses_share_an_icon() -> None:
    assert len({words.LOOKS[status].icon for status in JobStatus}) == len(JobStatus)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(12, "in 12s"), (90, "in 90s"), (240, "in 4m"), (0, "now"), (-3, "now"), (-60, "late 60s")],
)
def test_a_due_time_is_said_in_one_unit(seconds: int, said: str) -> None:
    assert words.until(NOW + timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, "—"),
        (12.4, "12ms"),
        (3400, "3.4s"),
        (59_960, "1m00s"),
        (125_000, "2m05s"),
        (7_380_000, "2h03m"),
    ],
)
def test_a_duration_fits_six_columns(milliseconds: float | None, said: str) -> None:
    assert words.duration(milliseconds) == said
    assert len(said) <= 6


def test_a_filter_wants_all_its_terms_and_none_of_the_refused() -> None:
    job = MemoryEngine().add("report", tags={"team": "shop"}, description="Mark toys")
    assert job_fits(job, parse("REP tag:shop status:waiting"))
    assert job_fits(job, parse("toys !invalid !tag:mail"))
    assert not job_fits(job, parse("rep tag:mail"))
    assert not job_fits(job, parse("!rep"))


def test_an_unfinished_filter_hides_nothing() -> None:
    job = MemoryEngine().add("report")
    assert job_fits(job, parse("!"))
    assert job_fits(job, parse("status:"))


def test_failures_stand_out_in_the_plot_of_ends() -> None:
    ends = [End(1, "COMPLETE", 10), End(2, "ERROR", 5), End(3, "COMPLETE", 80), End(4, "SKIPPED", None)]
    assert ends_line(ends, 10) == "▂✗█·"
    assert ends_line(ends, 2) == "█·"
    assert percent_complete(ends) == "66%"


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [part / 255 for part in Color.parse(colour).rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
@pytest.mark.parametrize("shade", SHADES)
def test_every_shade_can_be_read_on_every_ground(theme: Theme, shade: str) -> None:
    text = theme.variables[f"shade-{shade}"]
    for ground in (theme.background, theme.surface, theme.panel):
        assert contrast(text, str(ground)) >= 4.5
    assert contrast(text, theme.variables["line-cursor"]) >= 4.5


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
def test_all_colours_are_among_the_256_of_xterm(theme: Theme) -> None:
    levels = {0, 95, 135, 175, 215, 255}
    for name, value in theme.variables.items():
        if value.startswith("#"):
            red, green, blue = Color.parse(value).rgb
            grey = red == green == blue and (red - 8) % 10 == 0
            assert grey or {red, green, blue} <= levels, f"{name} {value}"


def test_the_theme_fits_the_terminal() -> None:
    assert fitting_theme("256", {}) == "moon"
    assert fitting_theme("standard", {}) == "moon-terminal"
    assert fitting_theme("truecolor", {"NO_COLOR": "1"}) == "moon-grey"


@pytest.mark.parametrize(
    ("environment", "can"),
    [
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, True),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, False),
        ({"TERM": "xterm", "LC_ALL": "C", "LANG": "C.UTF-8"}, False),
    ],
)
def test_icons_are_drawn_only_where_the_terminal_can(environment: dict[str, str], can: bool) -> None:
    assert speaks_unicode(environment) is can


@pytest.mark.parametrize("screen", [JobsScreen, RunsScreen])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_hints_fit_and_always_lead_to_help(screen: type, width: int) -> None:
    hints = fitting_hints(screen.HINTS, HELP, width - 1)  # type: ignore[attr-defined]
    assert hints[-1][1] == "Help"
    assert sum(len(key) + len(label) + 3 for key, label, _ in hints) <= max(width, 10)


def test_at_80_columns_all_hints_of_the_jobs_are_there() -> None:
    assert len(fitting_hints(JobsScreen.HINTS, HELP, 79)) == len(JobsScreen.HINTS) + 1


def kinds(line: str) -> list[tuple[str, str]]:
    return [(line[token.start : token.end], token.kind) for token in tokens(line)[0]]


def test_lua_is_told_apart() -> None:
    line = 'local x = core.sf("a%d", 0x1F) -- why'
    assert kinds(line) == [
        ("local", "keyword"),
        ("core", "provided"),
        ("sf", "call"),
        ('"a%d"', "string"),
        ("0x1F", "number"),
        ("-- why", "comment"),
    ]


def test_long_brackets_go_over_lines() -> None:
    found = all_tokens(["x = [==[ one", "local ]] still", "]==] local y"])
    assert [token.kind for token in found[1]] == ["string"]
    assert [token.kind for token in found[2]] == ["string", "keyword"]


@pytest.mark.parametrize("half", HALF_TYPED)
def test_a_half_typed_line_leaves_the_colours_below_it(half: str) -> None:
    below = ["local function f()", "  return true", "end"]
    assert all_tokens([half, *below])[1:] == all_tokens(below)


def test_colouring_loses_no_character() -> None:
    text = 'local a = "x" .. [[y]] -- z\n\n  return nil'
    assert ["".join(part for part, _ in line) for line in coloured(text)] == text.splitlines()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("shop.lua:5: attempt to index\n  shop.lua:9: in job.run()", 5),
        ("line 3: broken", 3),
        ("stopped after 30 s: the job's timeout", None),
        (None, None),
    ],
)
def test_the_line_of_an_error_is_found(error: str | None, line: int | None) -> None:
    assert error_line(error) == line


SORTED = {
    "attention": ["torn", "late", "done", "next", "plain"],
    "name": ["done", "late", "next", "plain", "torn"],
    "next": ["late", "next", "done", "plain", "torn"],
    "last": ["done", "late", "next", "plain", "torn"],
    "status": ["torn", "done", "late", "next", "plain"],
}


@pytest.mark.parametrize("way", SORTS)
def test_jobs_are_sorted_and_equal_ones_go_by_their_names(way: str) -> None:
    engine = MemoryEngine()
    engine.add("plain", next_run=None)
    engine.add("next", next_run=START + timedelta(hours=1))
    engine.add("done", next_run=None, last_run=START)
    engine.add("late", next_run=START - timedelta(minutes=1))
    engine.add("torn", next_run=None, status="INVALID")
    board = Board()
    board.take_jobs(engine.views.values())

    def names(*, backwards: bool) -> list[str]:
        return [job.name for job in JobRows(board).look((), way, START, backwards=backwards)]

    assert names(backwards=False) == SORTED[way]
    assert names(backwards=True) == SORTED[way][::-1]


def test_what_a_job_lacks_is_one_dash_in_its_summary() -> None:
    engine, board = MemoryEngine(), Board()
    job = engine.add("report", next_run=None)
    lines = ["".join(text for text, _ in line).split() for line in job_summary(job, board)]
    assert ["next", "—"] in lines
    assert ["last", "—"] in lines


def test_jobs_that_need_attention_are_counted_anew_when_one_changes() -> None:
    engine, board = MemoryEngine(), Board()
    engine.add("report")
    board.take_jobs(engine.listed_jobs())
    assert board.needing_attention() == 0
    board.take_job(replace(engine.job("report"), last_status="ERROR"))
    assert board.needing_attention() == 1


async def test_the_board_follows_a_run_from_queued_to_ended() -> None:
    from engine.events import RunFinished, RunQueued, RunStarted

    engine, board = MemoryEngine(), Board()
    engine.add("report")
    board.take_engine(engine.status())
    board.take_jobs(engine.listed_jobs())
    board.take(RunQueued(START, 1, "report", "manual"))
    assert board.jobs["report"].activity == "queued"
    board.take(RunStarted(START, 1, "report", "manual", 1))
    assert board.jobs["report"].activity == "running"
    assert board.engine is not None
    assert board.engine.running == 1
    board.take(RunFinished(START, 1, "report", "ERROR", None, 12.5, "it broke"))
    assert board.jobs["report"].activity == "idle"
    assert board.jobs["report"].error == "it broke"
    assert board.engine.running == 0
    assert words.needs_attention(board.jobs["report"])
