"""The command palette: every action of the screen, and every job by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.model.added import AddedScreen
from tui.model.places import JobPlace
from tui.model.rights import why_closed
from tui.page import Page
from tui.screens.help import bindings_here, bindings_of, key_name

JOBS_SHOWN = 20


class Actions(Provider):
    """What can be done here, with its key."""

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        everywhere = [(self.app, binding) for binding in bindings_of(type(self.app))]
        for owner, binding in [*bindings_here(self.screen), *everywhere]:
            if binding.description and binding.action != "command_palette":
                words = f"key {key_name(binding.key.split(',')[0])}{self._closed(binding.action)}"
                yield binding.description, words, partial(self.app.run_action, binding.action, owner)

    def _closed(self, action: str) -> str:
        if not isinstance(self.screen, Page):
            return ""
        reason = why_closed(action, self.screen.board.role)
        return f", {reason}" if reason else ""

    async def discover(self) -> Hits:
        """List everything."""
        for text, words, run in self._commands():
            yield DiscoveryHit(text, run, help=words)

    async def search(self, query: str) -> Hits:
        """List what holds the words typed."""
        for text, words, run in self._commands():
            if query.lower() in text.lower():
                yield Hit(1.0, text, run, help=words)


class Added(Provider):
    """The screens that plugins add."""

    def _screens(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        if isinstance(self.screen, Page):
            for added in self.screen.context.added:
                key = f"key {key_name(added.key)}, " if added.key else ""
                yield added.title, f"{key}plugin {added.plugin}", partial(_open_added, self.app, added)

    async def discover(self) -> Hits:
        """List all of them."""
        for title, words, run in self._screens():
            yield DiscoveryHit(title, run, help=words)

    async def search(self, query: str) -> Hits:
        """List those whose title holds the words typed."""
        for title, words, run in self._screens():
            if query.lower() in title.lower():
                yield Hit(0.95, title, run, help=words)


def _open_added(app: Any, added: AddedScreen) -> None:
    app.open_added(added)


class Jobs(Provider):
    """Jobs, by a part of their name; fuzzy matches would be noise."""

    async def search(self, query: str) -> Hits:
        """List the jobs whose name holds what is typed."""
        if not isinstance(self.screen, Page):
            return
        context = self.screen.context
        names = [name for name in sorted(context.board.jobs) if query.lower() in name.lower()]
        for name in names[:JOBS_SHOWN]:
            yield Hit(0.9, name, partial(context.guide.go, JobPlace(name)), help="open the job")
