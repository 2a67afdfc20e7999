"""What is wrong with the text in the editor: which problem is shown, and to which line a key goes next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.views import DraftView, JobView, ListedJob, RunView
from tui.look import words
from tui.widgets.bars import Part


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its line from 1 on if that is known."""

    line: int | None
    text: str

    def words(self) -> str:
        """Return it as one paragraph for people."""
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{words.clean(self.text.strip())}"


def of_draft(draft: DraftView) -> list[Problem]:
    """Return what the engine says of a text that is not saved."""
    return [Problem(one.line, one.reason.removeprefix(f"{one.path}:{one.line}: ")) for one in draft.problems]


def of_job(job: JobView | ListedJob | None) -> list[Problem]:
    """Return what is wrong with a job's file as the engine has it."""
    if job is None or job.status != "INVALID":
        return []
    reason = job.error or job.reason
    return [_in_file(job.name, reason)]


def of_run(run: RunView) -> list[Problem]:
    """Return what a run ended with, if that was no good end."""
    if not run.error:
        return []
    problem = _in_file(run.job, run.error.strip().partition("\n")[0])
    return [Problem(problem.line, f"run {run.id}: {problem.text}")]


def _in_file(job: str, reason: str) -> Problem:
    """Return a reason with its line; a place in another file, such as a library module, is none."""
    place = re.search(rf"(?:^|\s){re.escape(job)}\.lua:(\d+):\s*", reason)
    if place is None:
        return Problem(None, reason)
    return Problem(int(place[1]), reason.replace(place[0], "", 1))


class ProblemList:
    """All problems known of a text, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._all = sorted(problems, key=lambda one: one.line or 0)

    @property
    def all(self) -> Sequence[Problem]:
        """The problems."""
        return self._all

    @property
    def lines(self) -> list[int]:
        """The lines that have any, from 1 on."""
        return [one.line for one in self._all if one.line is not None]

    def __bool__(self) -> bool:
        return bool(self._all)

    def at(self, line: int) -> Problem | None:
        """Return the problem to show while the cursor is on a line: that line's own, or the first of all."""
        own = (one for one in self._all if one.line == line)
        return next(own, self._all[0] if self._all else None)

    def after(self, line: int) -> int | None:
        """Return the next line below this one that has a problem, round the end; None without any."""
        below = (one for one in self.lines if one > line)
        return next(below, self.lines[0] if self.lines else None)

    def words_at(self, line: int) -> str:
        """Return what stands below the text while the cursor is on a line; empty if nothing is wrong."""
        shown = self.at(line)
        if shown is None:
            return ""
        count = f"  ({self._all.index(shown) + 1} of {len(self._all)}, F8 next)" if len(self._all) > 1 else ""
        return f"✗ {shown.words()}{count}"

    def count(self) -> list[Part]:
        """Return the number of problems as the title shows it."""
        return [(f"  ✗ {words.plural(len(self._all), 'problem')}", "bad")] if self._all else []
