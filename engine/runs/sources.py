"""Which sources the database has, so that each text is sent to it once."""

from __future__ import annotations

from collections.abc import Iterable

from engine.store.rows import SourceRow


class KnownSources:
    """The hashes of the sources that were handed to the journal since the last `forget`."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def new_rows(self, texts: Iterable[tuple[str, bytes]]) -> tuple[SourceRow, ...]:
        """Return those of some texts, each with its hash in front, that are not known yet; then they are."""
        rows = []
        for source_hash, text in texts:
            if source_hash not in self._known:
                self._known.add(source_hash)
                rows.append(SourceRow(source_hash, text.decode("utf-8", "replace")))
        return tuple(rows)

    def __contains__(self, source_hash: str) -> bool:
        return source_hash in self._known

    def forget(self) -> None:
        """Know none any more: each text is handed over again with its next run.

        Who removes sources calls this first. What is handed over afterwards is known again, and must stay.
        """
        self._known.clear()
