"""What job files declared, kept from one engine to the next.

A row is used only if all that the declaration came from is as it was: the file's name and text, the library
modules, and whatever else decides what a file declares (the fingerprint). The row's seal is a hash over these
and over the row's own body, so a damaged row and an outdated one are the same: the file is declared again.
Only the table that the file gave to `core.job` is remembered; it is judged anew at each start.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import msgspec
from sqlalchemy import Engine

from engine.errors import StoreError, StoreUnavailable
from engine.sandbox.program import Declaration
from engine.store.declared import DeclaredRow, forget_declared, keep_declared, stored_declared
from engine.store.journal import Journal

logger = logging.getLogger("moontide.catalog")

#: Rows of one transaction: runs that start meanwhile do not wait for all of them.
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Declared:
    """A file's declaration, good as long as its text and the modules it used stay the same.

    Attributes:
        modules: the library modules that the file asked for, by name the hash of each; None for one that
            could not be had.
    """

    source_hash: str
    modules: Mapping[str, str | None]
    declaration: Declaration


class _Body(msgspec.Struct, array_like=True):
    settings: dict[Any, Any]
    modules: dict[str, str | None]


_read_body = msgspec.msgpack.Decoder(_Body).decode


class Recollection:
    """What earlier engines learned, as it was when it was asked for."""

    def __init__(self, rows: Mapping[str, DeclaredRow] | None = None, fingerprint: str = "") -> None:
        self._rows = rows or {}
        self._fingerprint = fingerprint

    @property
    def jobs(self) -> Collection[str]:
        """The jobs of which anything is kept."""
        return self._rows.keys()

    def declared(self, job: str, source_hash: str) -> Declared | None:
        """Return what a file with this text declares; None if that is not known for certain."""
        row = self._rows.get(job)
        # SQLite gives whatever stands there, also what is no bytes at all.
        if row is None or not isinstance(row.body, bytes):
            return None
        if row.seal != seal_of(self._fingerprint, job, source_hash, row.body):
            return None
        try:
            body = _read_body(row.body)
        except msgspec.DecodeError:
            return None
        return Declared(source_hash, body.modules, Declaration(body.settings))


class Memory(Protocol):
    """Keeps what files declare from one engine to the next."""

    async def recall(self) -> Recollection:
        """Return all that is known."""

    def keep(self, learned: Mapping[str, Declared]) -> None:
        """Remember what files declared, by job; it does not wait until that is written."""

    def forget(self, jobs: Collection[str]) -> None:
        """Remember nothing of some jobs any more; it does not wait either."""


class Forgetful:
    """Keeps nothing."""

    async def recall(self) -> Recollection:
        return Recollection()

    def keep(self, learned: Mapping[str, Declared]) -> None:
        pass

    def forget(self, jobs: Collection[str]) -> None:
        pass


FORGETFUL = Forgetful()


class Declarations:
    """The memory in the database."""

    def __init__(self, journal: Journal, reader: Engine, *, fingerprint: str) -> None:
        """Make it.

        Args:
            fingerprint: differs whenever the same text could declare something else than before.
        """
        self._journal = journal
        self._reader = reader
        self._fingerprint = fingerprint

    async def recall(self) -> Recollection:
        """Return all that is known, in one query."""
        return Recollection(await asyncio.to_thread(stored_declared, self._reader), self._fingerprint)

    def keep(self, learned: Mapping[str, Declared]) -> None:
        """Remember what files declared, by job; what cannot be written is declared again the next time."""
        names = sorted(learned)
        for start in range(0, len(names), BATCH):
            rows = [self._row(name, learned[name]) for name in names[start : start + BATCH]]
            self._write(partial(keep_declared, rows=rows))

    def forget(self, jobs: Collection[str]) -> None:
        """Remember nothing of some jobs any more."""
        names = sorted(jobs)
        for start in range(0, len(names), BATCH):
            self._write(partial(forget_declared, jobs=names[start : start + BATCH]))

    def _row(self, job: str, declared: Declared) -> DeclaredRow:
        settings = declared.declaration.settings or {}
        body = msgspec.msgpack.encode(_Body(settings, dict(declared.modules)))
        return DeclaredRow(job, seal_of(self._fingerprint, job, declared.source_hash, body), body)

    def _write(self, work: Any) -> None:
        try:
            self._journal.transact(work).add_done_callback(_report)
        except StoreUnavailable:
            logger.debug("the engine stops: what files declared is not remembered")


def _report(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and isinstance(error := written.exception(), StoreError):
        logger.warning("what job files declared is not remembered (%s); they are declared again", error)


def seal_of(fingerprint: str, job: str, source_hash: str, body: bytes) -> str:
    """Return the seal of a row: another one for any other file, circumstance or body."""
    known = f"{fingerprint}\0{job}\0{source_hash}\0".encode()
    return hashlib.sha256(known + body).hexdigest()
