"""Questions of runs that an earlier engine may have carried out without its answer being on record.

A run asks one thing after the other. So of what it has asked for, at most the last is not in an answer yet.
"""

from __future__ import annotations

from engine.remote.parcels import Answer, Question, read_answer, read_question
from engine.store.leftruns import Asked

#: Questions that make something new each time: doing them twice would make it twice.
_MAKES_RUN = frozenset({"now", "at"})
_MAKES_SCHEDULE = frozenset({"schedule"})


def answer_from_before(question: Question, asked: Asked) -> Answer | None:
    """Return the answer to a question that was carried out already; None if it is to be carried out now.

    Args:
        asked: what its run has asked for so far, and what came of it.
    """
    if question.method in _MAKES_RUN:
        told = {answer.value for one, answer in _answered(asked) if one.method in _MAKES_RUN}
        return next((Answer(run) for run in asked.runs if run not in told), None)
    if question.method in _MAKES_SCHEDULE:
        told = {answer.value[0] for one, answer in _answered(asked) if one.method in _MAKES_SCHEDULE}
        return next((Answer([one, run]) for one, run in asked.schedules if one not in told), None)
    return None


def _answered(asked: Asked) -> list[tuple[Question, Answer]]:
    pairs = [(read_question(question), read_answer(answer)) for question, answer in asked.answered]
    return [(question, answer) for question, answer in pairs if answer.error is None]
