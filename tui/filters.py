"""What people type behind "/": words, `tag:shop`, `status:inactive`, `group:night`, `!not`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.views import JobView, RunView
from tui.words import needs_attention


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        field: one of `FIELDS`, or "" for words.
        text: what is looked for, in lower case.
        wanted: False for what must not be there.
    """

    field: str
    text: str
    wanted: bool


FIELDS = ("tag", "status", "job", "group", "alert")


def parse(text: str) -> tuple[Term, ...]:
    """Return the conditions of a filter; all of them must hold."""
    return tuple(_term(word) for word in text.lower().split() if word.strip("!"))


def _term(word: str) -> Term:
    bare = word.removeprefix("!")
    field, colon, rest = bare.partition(":")
    known = colon and field in FIELDS
    return Term(field if known else "", rest if known else bare, not word.startswith("!"))


def job_fits(job: JobView, terms: Iterable[Term]) -> bool:
    """Return whether a job fits all conditions."""
    return all(_job_has(job, term) == term.wanted for term in terms)


def _job_has(job: JobView, term: Term) -> bool:
    match term.field:
        case "tag":
            return any(term.text in f"{name}={value}".lower() for name, value in job.tags.items())
        case "status":
            return any(term.text in state for state in _job_states(job))
        case "job":
            return term.text in job.name.lower()
        case "group":
            return any(term.text in group.lower() for group in job.groups)
        case "alert":
            return any(term.text in alert.kind.lower() for alert in job.alerts)
    return term.text in job.name.lower() or term.text in job.description.lower()


def _job_states(job: JobView) -> list[str]:
    states = [job.status.lower(), job.activity, (job.last_status or "").lower()]
    if job.paused:
        states.append("paused")
    return [*states, "attention"] if needs_attention(job) else states


def run_fits(run: RunView, terms: Iterable[Term]) -> bool:
    """Return whether a run fits all conditions."""
    return all(_run_has(run, term) == term.wanted for term in terms)


def _run_has(run: RunView, term: Term) -> bool:
    match term.field:
        case "status":
            return term.text in run.status.lower() or term.text in (run.returned or "").lower()
        case "tag" | "group" | "alert":
            return False
        case "job":
            return term.text in run.job.lower()
    return any(term.text in text.lower() for text in (run.job, run.error or "", run.trigger, str(run.id)))
