"""What people type behind "/": words, `tag:shop`, `status:inactive`, `text:"no connection"`, `!not`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.views import ListedJob
from tui.look.words import needs_attention


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        field: one of `FIELDS`, or "" for words.
        text: what is looked for, in lower case.
        wanted: False for what must not be there.
        typed: what is looked for, as it was typed.
    """

    field: str
    text: str
    wanted: bool
    typed: str


FIELDS = ("tag", "status", "job", "group", "alert", "trigger", "since", "until", "text")

#: A word, or a field with a word or with words in quotes; while one types, the last quote may be missing.
_TERM = re.compile(r'(?P<no>!?)(?:(?P<field>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S*))')


def parse(text: str) -> tuple[Term, ...]:
    """Return the conditions of a filter; all of them must hold."""
    found = (_term(match) for match in _TERM.finditer(text) if match[0].strip("!"))
    return tuple(term for term in found if term.text or term.field)


def _term(match: re.Match[str]) -> Term:
    field = (match["field"] or "").lower()
    typed = match["quoted"] if match["quoted"] is not None else match["plain"] or ""
    if field not in FIELDS and match["field"] is not None:
        # A word with a colon in it, such as part of a path.
        field, typed = "", f"{match['field']}:{typed}"
    return Term(field, typed.lower(), not match["no"], typed)


def job_fits(job: ListedJob, terms: Iterable[Term]) -> bool:
    """Return whether a job fits all conditions."""
    # A loop: for very many jobs, a generator would cost more than what it goes through.
    for term in terms:  # noqa: SIM110
        if _HAS[term.field](job, term) != term.wanted:
            return False
    return True


def narrows(terms: Sequence[Term], before: Sequence[Term]) -> bool:
    """Return whether what fits is surely among what fitted before, as while somebody types on."""
    if len(terms) < len(before):
        return False
    return all(map(_narrows, terms, before))


def _narrows(term: Term, before: Term) -> bool:
    if term == before:
        return True
    # `job:a,b` finds more than `job:a`; and what may not be there leaves more, the longer it is.
    both = term.wanted and before.wanted and term.field == before.field != "job"
    return both and before.text in term.text


def has_tag(job: ListedJob, text: str) -> bool:
    """Return whether a part of a job's tags, each written name=value, is this text in lower case."""
    return any(text in f"{name}={value}".lower() for name, value in job.tags.items())


def _has_state(job: ListedJob, term: Term) -> bool:
    text = term.text
    return (
        text in job.status.lower()
        or text in job.activity
        or text in (job.last_status or "").lower()
        or (text in "paused" and bool(job.paused))
        or (text in "attention" and needs_attention(job))
    )


def _has_words(job: ListedJob, term: Term) -> bool:
    return term.text in job.name.lower() or term.text in job.description.lower()


def _is_about_runs(job: ListedJob, term: Term) -> bool:
    # It says nothing of a job.
    return term.wanted


_HAS: dict[str, Callable[[ListedJob, Term], bool]] = {
    "": _has_words,
    "tag": lambda job, term: has_tag(job, term.text),
    "status": _has_state,
    "job": lambda job, term: any(part in job.name.lower() for part in term.text.split(",")),
    "group": lambda job, term: any(term.text in group.lower() for group in job.groups),
    "alert": lambda job, term: any(term.text in alert.kind.lower() for alert in job.alerts),
    "trigger": _is_about_runs,
    "since": _is_about_runs,
    "until": _is_about_runs,
    "text": lambda job, term: term.text in (job.error or job.reason).lower(),
}
