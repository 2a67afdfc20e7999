"""One job file as an editor has it: what was read, and what happens when it is written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import JobNotFound, Refused
from engine.views import JobView

if TYPE_CHECKING:
    from engine.api.answers import Source
    from engine.api.client import AsyncClient


#: What a new job begins with.
STARTER = """\
local job = core.job {
  every = "1h",
  description = "",
}

function job.run(run)
  core.log("hello")
  return job.OK
end

return job
"""


class ChangedMeanwhile(Exception):
    """Somebody else wrote the file since it was read."""

    def __init__(self, theirs: Source) -> None:
        super().__init__("the file was changed meanwhile")
        self.theirs = theirs


class JobFile:
    """A job's file, read and written through the engine with the hash of what was read.

    Attributes:
        saved: the text as it was read or written last.
        is_new: the file does not exist yet.
    """

    def __init__(self, client: AsyncClient, name: str, *, new: bool) -> None:
        self._client = client
        self.name = name
        self.is_new = new
        self.saved = ""
        # While the file is written, what the engine has is not somebody else's.
        self._asking = asyncio.Lock()
        self.hash: str | None = None

    async def read(self) -> str:
        """Return the text as the file has it now."""
        self.take(await self._client.job_source(self.name))
        return self.saved

    def take(self, source: Source) -> None:
        """Go on from a text that was read."""
        self.saved, self.hash, self.is_new = source.text, source.hash, False

    def build_on(self, source: Source) -> None:
        """Let the next write take the place of a text that was read, also where nothing of it is kept."""
        self.hash, self.is_new = source.hash, False

    async def theirs(self) -> Source | None:
        """Return the file's text if it is another than the one that was read or written here."""
        async with self._asking:
            return await self._theirs()

    async def _theirs(self) -> Source | None:
        try:
            source = await self._client.job_source(self.name)
        except JobNotFound:
            return None
        return None if source.hash == self.hash else source

    async def write(self, text: str) -> JobView:
        """Write the file; the engine reloads the job. One that somebody deleted is made anew.

        Raises:
            ChangedMeanwhile: somebody else wrote it since; nothing was written.
            MoontideError: it cannot be written.
        """
        async with self._asking:
            return await self._write_or_tell(text)

    async def _write_or_tell(self, text: str) -> JobView:
        try:
            job = await self._write(text)
        except Refused as refusal:
            theirs = await self._theirs()
            if theirs is None:
                raise
            raise ChangedMeanwhile(theirs) from refusal
        except JobNotFound:
            self.is_new = True
            return await self._write_or_tell(text)
        self.saved, self.hash, self.is_new = text, job.source_hash, False
        return job

    async def _write(self, text: str) -> JobView:
        expected = None if self.is_new else self.hash
        return await self._client.write_job(self.name, text, expected_hash=expected, create=self.is_new)
