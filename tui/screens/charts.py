"""Charts over all jobs: a timeline that shows what overlaps what, and where failures gather."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from engine.views import FailuresView, TimelineView
from tui.charts.timeplots import RUNNING, Span, bars, days_before, failure_map, time_axis, timeline_rows
from tui.look import words
from tui.page import Context, Page
from tui.widgets.bars import Hint, Part, Prose, ProseLine, TitleBar
from tui.widgets.grid import fit

DAYS = 7
#: Failures are counted in steps that fit into the hours of every time zone.
STEP = timedelta(minutes=15)
NAME_WIDTH, WIDE_NAME_WIDTH = 18, 32
#: From so many columns on names have more room.
WIDE = 110
#: Fetched anew so often while things happen.
EVERY_SECONDS = 5.0

#: The spans that `+` and `-` go through.
SPANS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(days=7))

TABS = ("timeline", "failures")

NO_RUNS = "Nothing ran in this time. - shows a longer one, left an earlier one."
NO_FAILURES = "No run failed in the last 7 days."
LEGEND = "█ runs   ✗ failed   » ended without a start   · nothing"


class ChartsScreen(Page):
    """Timeline and failures, kept up to date."""

    AUTO_FOCUS = "#timeline"
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("1 2", "Tabs", "screen.next_tab"),
        ("← →", "Earlier, later", "screen.earlier"),
        ("- +", "Longer, shorter", "screen.longer"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('timeline')", "Timeline: what ran when, and at once"),
        Binding("2", "tab('failures')", "Failures by day and hour"),
        Binding("tab", "next_tab", "Next tab"),
        Binding("left", "earlier", "An earlier time", priority=True),
        Binding("right", "later", "A later time", priority=True),
        Binding("minus", "longer", "A longer time", key_display="-"),
        Binding("plus", "shorter", "A shorter time", key_display="+"),
        Binding("y", "copy", "Copy the chart as text"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._span = 2
        #: How many half spans the timeline lies in the past.
        self._back = 0
        self._ran = TimelineView([], [], 0)
        #: What the timeline was fetched for: the axis belongs to it.
        self._span_drawn = self.span
        self._failures = FailuresView([], [])
        self._drawn = -1
        self._fetching = False
        self._asked = self._fetched = False

    def body(self) -> Iterable[Widget]:
        """Hold the two charts."""
        yield TitleBar(self._title)
        with ContentSwitcher(initial="timeline"):
            yield Prose(id="timeline")
            yield Prose(id="failures")

    def on_mount(self) -> None:
        """Look for new runs now and then."""
        for prose in self.query(Prose):
            prose.show([[("Fetching …", "faint")]])
        self.set_interval(EVERY_SECONDS, self._fetch_news)

    def on_resize(self) -> None:
        """Draw anew in the room that there is."""
        self._draw()

    @property
    def span(self) -> Span:
        """What the timeline shows."""
        length = SPANS[self._span]
        until = self.board.now() - self._back * length / 2
        return Span(until - length, until, max(20, self.size.width - self._name_width - 4))

    @property
    def _name_width(self) -> int:
        return WIDE_NAME_WIDTH if self.size.width >= WIDE else NAME_WIDTH

    def _title(self) -> list[Part]:
        current = self.query_one(ContentSwitcher).current if self.is_mounted else TABS[0]
        named = [
            (f" {at} {tab.title()} ", "name" if tab == current else "faint") for at, tab in enumerate(TABS, 1)
        ]
        span = self.span
        words_of = f"   {words.moment(span.since)[:16]} to {words.moment(span.until)[:16]}"
        return [
            (" charts ", "faint"),
            *named,
            (words_of if current == TABS[0] else "   last 7 days", "faint"),
        ]

    # Following the engine

    def tick(self) -> None:
        """Fetch at once when the page opens; later `_fetch_news` does."""
        self.query_one(TitleBar).tick()
        if not self._asked and self.board.is_live:
            self._fetch()

    def _fetch_news(self) -> None:
        news = self._drawn != self.board.runs_edition and not self._fetching
        if news and self.is_current and self.board.is_live:
            self._fetch()

    @work(exclusive=True)
    async def _fetch(self) -> None:
        self._fetching, self._asked, self._drawn = True, True, self.board.runs_edition
        span, history = self.span, self.client.history
        since = days_before(self.board.now(), DAYS)
        steps = -((since - self.board.now()) // STEP)
        try:
            async with self.telling():
                ran = await history.timeline(span.since, span.until, steps=span.columns)
                self._failures = await history.failures(since, since + steps * STEP, steps=steps)
                self._ran, self._span_drawn, self._fetched = ran, span, True
        finally:
            self._fetching = False
        self._draw()

    def _draw(self) -> None:
        if not self._fetched:
            return
        for prose, lines in (("#timeline", self._timeline), ("#failures", self._failure_lines)):
            for widget in self.query(prose).results(Prose):
                widget.show(lines())

    # The charts

    def _timeline(self) -> Iterator[ProseLine]:
        span, counts, width = self._span_drawn, self._ran.at_once, self._name_width
        rows = timeline_rows(self._ran.jobs, span.columns)
        if not rows:
            yield [(NO_RUNS, "faint")]
            return
        yield [
            (f"{'at once, most ' + str(max(counts)):<{width}} ", "faint"),
            (bars(counts, 1)[0], "busy"),
        ]
        yield [(" " * (width + 1), ""), (time_axis(span), "faint")]
        for job, row in rows:
            yield [(f"{fit(words.clean(job), width)} ", ""), *_shaded(row)]
        yield []
        yield [(LEGEND, "faint")]
        if self._ran.more_jobs:
            yield [(f"{words.plural(self._ran.more_jobs, 'more job')} ran in this time.", "late")]

    def _failure_lines(self) -> Iterator[ProseLine]:
        if not self._failures.jobs:
            yield [(NO_FAILURES, "ok")]
            return
        yield from failure_map(self._failures, STEP, self.board.now(), DAYS)
        yield []
        yield [("most failures", "head")]
        for one in self._failures.jobs:
            yield [(f"  {one.count:>5}  ", "bad"), (words.clean(one.job), "")]

    # Actions

    def action_tab(self, name: str) -> None:
        """Show a chart."""
        self.query_one(ContentSwitcher).current = name
        self.set_focus(self.query_one(f"#{name}"))
        self.tick()

    def action_next_tab(self) -> None:
        """Show the other chart."""
        current = self.query_one(ContentSwitcher).current or TABS[-1]
        self.action_tab(TABS[(TABS.index(current) + 1) % len(TABS)])

    def action_earlier(self) -> None:
        """Go half a span back."""
        self._back += 1
        self._fetch_span()

    def action_later(self) -> None:
        """Go half a span on, at most to now."""
        self._back = max(0, self._back - 1)
        self._fetch_span()

    def action_longer(self) -> None:
        """Show a longer time."""
        self._span = min(len(SPANS) - 1, self._span + 1)
        self._fetch_span()

    def action_shorter(self) -> None:
        """Show a shorter time."""
        self._span = max(0, self._span - 1)
        self._fetch_span()

    def _fetch_span(self) -> None:
        if self.can_act():
            self._fetch()

    def action_copy(self) -> None:
        """Copy the chart as text."""
        current = self.query_one(ContentSwitcher).current
        self.copy(self.query_one(f"#{current}", Prose).plain, "the chart as text")


def _shaded(row: str) -> Iterator[Part]:
    shades = {RUNNING: "ok", "✗": "bad", "»": "late"}
    for char in row:
        yield char, shades.get(char, "faint")
