"""The engine's side of what runs on workers ask."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from engine.calls.core import RunControl, RunInfo
from engine.calls.jobcontrol import JobControl
from engine.errors import CoreError, JobFileError, SessionClosed, StoreUnavailable
from engine.remote.parcels import Answer, Question
from engine.store.journal import Journal
from engine.store.rows import Changes, SourceRow

logger = logging.getLogger("moontide.remote")

Library = Callable[[str], Awaitable[bytes]]
Method = Callable[..., Awaitable[Any]]


class Answers:
    """Answers questions as the engine answers its own runs."""

    def __init__(
        self,
        *,
        runs: Callable[[], RunControl],
        own_job: Callable[[], JobControl],
        library: Library,
        journal: Journal,
    ) -> None:
        """Make it of what the engine's own runner has.

        Args:
            library: gives the source of a module by its name; raises JobFileError.
        """
        self._runs = runs
        self._own_job = own_job
        self._library = library
        self._journal = journal
        self._methods: Mapping[str, Method] = {
            "now": lambda job, data, by: runs().now(job, data, by=_info(by)),
            "at": lambda due, job, data, by: runs().at(due, job, data, by=_info(by)),
            "cancel": lambda run_id, by: runs().cancel(run_id, by=_info(by)),
            "status": lambda run_id: runs().status(run_id),
            "schedule": lambda job, options, by: runs().schedule(job, options, by=_info(by)),
            "unschedule": lambda schedule_id, by: runs().unschedule(schedule_id, by=_info(by)),
            "schedules": lambda job, user_id: runs().schedules(job, user_id),
            "schedule_standing": lambda schedule_id: runs().schedule_standing(schedule_id),
            "state": lambda job, lasting: own_job().state(job, lasting=lasting),
            "keep_state": lambda job, value, lasting, run_id: own_job().keep_state(
                job, value, lasting=lasting, run_id=run_id
            ),
            "next": lambda job, when: own_job().next(job, _when(when)),
            "require": self._require,
        }

    async def answer(self, question: Question) -> Answer:
        """Return the answer to a question; whatever goes wrong is an answer too.

        Raises:
            StoreUnavailable, SessionClosed: this engine writes nothing any more; the next one is to answer.
        """
        method = self._methods.get(question.method)
        if method is None:
            return Answer(
                error=f"the engine cannot be asked for {question.method[:80]}; is it older?", code=810
            )
        try:
            return Answer(await method(*question.arguments))
        except CoreError as error:
            return Answer(error=error.message, code=error.code)
        except JobFileError as error:
            return Answer(error=str(error), code=0)
        except (StoreUnavailable, SessionClosed):
            raise
        except Exception:
            logger.exception("a run on a worker asked for %s, and that failed", question.method)
            return Answer(error="the engine failed to answer; its log says more", code=810)

    async def _require(self, module: str) -> str:
        """Return the hash of a library module's source, once the database has that."""
        text = await self._library(module)
        source_hash = hashlib.sha256(text).hexdigest()
        await self._journal.together(
            Changes(sources=(SourceRow(source_hash, text.decode("utf-8", "replace")),))
        )
        return source_hash


def _info(value: Any) -> RunInfo:
    return msgspec.convert(value, RunInfo)


def _when(value: datetime | float) -> datetime | timedelta:
    return value if isinstance(value, datetime) else timedelta(seconds=value)
