"""Reading job files: what each declares, from memory where nothing changed, or else from the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from engine.declarations import FORGETFUL, Declared, Memory, Recollection
from engine.errors import JobFileError
from engine.jobsources import JobSources, Library
from engine.runs.job import Source
from engine.sandbox.program import Declaration

#: How many files are declared side by side.
TOGETHER = 8

#: Files that are read in one turn of a thread, and judged in one turn of the loop.
MOST_AT_ONCE = 32

Declare = Callable[[str, bytes, Library], Awaitable[Declaration]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileRead:
    """What reading one job file gave: its declaration, or why it cannot be used at all."""

    name: str
    path: str
    declared: Declared | None = None
    error: str | None = None


class Declaring:
    """Knows what each file of the folder declared when it was last read."""

    def __init__(self, *, sources: JobSources, declare: Declare, memory: Memory = FORGETFUL) -> None:
        """Make it.

        Args:
            declare: runs a file's declare phase in the sandbox.
            memory: keeps what files declare from one engine to the next.
        """
        #: Files that were declared in the sandbox since the start, and files that did not have to be.
        self.declared_files = 0
        self.remembered_files = 0
        self._sources = sources
        self._declare = declare
        self._memory = memory
        self._past = Recollection()
        self._known: dict[str, Declared] = {}
        self._learned: dict[str, Declared] = {}

    async def recall(self) -> None:
        """Ask the memory, for the first reading of the folder."""
        self._past = await self._memory.recall()

    async def read(self, files: list[tuple[str, str]], judge: Callable[[FileRead], T]) -> list[T]:
        """Read files, given by name and path, and return what `judge` makes of each, in any order."""
        waiting, judged = list(reversed(files)), list[T]()
        modules: dict[str, str | None] = {}
        at_once = min(max(1, len(files) // (4 * TOGETHER)), MOST_AT_ONCE)

        async def take() -> None:
            while waiting:
                taken, waiting[-at_once:] = waiting[-at_once:], []
                for file in await asyncio.to_thread(self._look_at, taken, modules):
                    judged.append(judge(await self._declared(file)))

        await asyncio.gather(*(take() for _ in range(min(TOGETHER, len(waiting)))))
        self._remember()
        return judged

    def forget_missing(self, present: Collection[str], asked: Collection[str] | None) -> None:
        """Forget jobs whose files are gone, after a look at all (None) or at those that were asked for."""
        known = self._known.keys() | self._past.jobs
        gone = {name for name in (known if asked is None else known & set(asked)) if name not in present}
        for name in gone:
            self._known.pop(name, None)
        if gone:
            self._memory.forget(gone)
        if asked is None:
            self._past = Recollection()

    def modules(self, name: str) -> Mapping[str, str | None]:
        """Return the library modules that a job's file asked for, with their hashes (None: not there)."""
        declared = self._known.get(name)
        return declared.modules if declared else {}

    # Files, in a thread

    def _look_at(self, files: list[tuple[str, str]], modules: dict[str, str | None]) -> list[_Looked]:
        """Read some files, and say of each what is known of it."""
        return [self._look_at_one(name, path, modules) for name, path in files]

    def _look_at_one(self, name: str, path: str, modules: dict[str, str | None]) -> _Looked:
        try:
            source = self._sources.read(path)
        except JobFileError as error:
            return _Looked(name, path, error=str(error))
        known = self._known.get(name)
        if known is None or known.source_hash != source.hash:
            known = self._past.declared(name, source.hash)
        if known is None or not self._still_good(known, modules):
            return _Looked(name, path, source)
        return _Looked(name, path, known=known)

    def _still_good(self, known: Declared, modules: dict[str, str | None]) -> bool:
        if known.declaration.error is not None:
            return False
        for module, module_hash in known.modules.items():
            if module not in modules:
                modules[module] = self._sources.module_hash(module)
            if modules[module] != module_hash:
                return False
        return True

    # Declarations, on the loop

    async def _declared(self, file: _Looked) -> FileRead:
        if file.source is not None:
            declared = await self._declare_twice(file.path, file.source)
            self._learned[file.name] = declared
            self.declared_files += 1
        elif file.known is not None:
            declared = file.known
            self.remembered_files += 1
        else:
            return FileRead(file.name, file.path, error=file.error)
        self._known[file.name] = declared
        return FileRead(file.name, file.path, declared)

    async def _declare_twice(self, path: str, source: Source) -> Declared:
        """Declare a file; again if it was interrupted, which may be the machine's fault."""
        declared = await self._declare_once(path, source)
        return await self._declare_once(path, source) if declared.declaration.interrupted else declared

    async def _declare_once(self, path: str, source: Source) -> Declared:
        library = self._sources.library()
        declaration = await self._declare(path, source.text, library)
        return Declared(source.hash, library.modules, declaration)

    def _remember(self) -> None:
        """Let the memory keep what was learned, as far as it is the same the next time."""
        learned, self._learned = self._learned, {}
        lasting = {name: one for name, one in learned.items() if _lasts(one.declaration)}
        if lasting:
            self._memory.keep(lasting)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A file as it lies there: what is known of it, or its text to be declared, or why it cannot be read."""

    name: str
    path: str
    source: Source | None = None
    known: Declared | None = None
    error: str | None = None


def _lasts(declaration: Declaration) -> bool:
    return declaration.error is None and not declaration.varies
