"""The hand that presses declared keys, and notes what they carried out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from textual.actions import ActionParseResult
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from engine.api.client import AsyncClient
from tests.engine.conftest import until
from tests.tui.conftest import READ_SECONDS, Seat
from tests.tui.showcase import Showcase
from tui.app import Dashboard
from tui.screens.help import own_bindings


def kinds_with_keys() -> list[type[DOMNode]]:
    """Return all screens, dialogs and parts of them that declare keys."""
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        importlib.import_module(module.name)
    own = {kind for kind in _below(DOMNode) if kind.__module__.startswith("tui.") and own_bindings(kind)}
    return sorted(own, key=lambda kind: (kind.__module__, kind.__name__))


def _below(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


class NotingDashboard(Dashboard):
    """A dashboard that notes each action that it carried out, and for what."""

    #: Textual looks for it beside the module of the class.
    CSS_PATH = Path(tui.__path__[0]) / "moontide.tcss"

    def __init__(self, client: AsyncClient, **options: Any) -> None:
        super().__init__(client, **options)
        self.carried_out: list[tuple[DOMNode, str]] = []

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        done = await super().run_action(action, default_namespace, namespaces)
        if done and isinstance(action, str):
            self.carried_out.append((default_namespace or self, action))
        return done


class Hand:
    """Presses the keys that a kind of screen declares, and sees what comes of each."""

    def __init__(self, kind: type[DOMNode], seat: Seat, engine: Showcase) -> None:
        self.kind, self.seat, self.engine = kind, seat, engine
        self.left: list[Binding] = list(own_bindings(kind))

    async def does(
        self, key: str, *words: str, gone: str = "", moves: Callable[[], object] | None = None
    ) -> None:
        """Press a key; it must carry out an action that is declared for it, with an effect that is seen.

        Args:
            words: stand on the screen afterwards, and not all of them before.
            gone: stands there before, and not afterwards.
            moves: gives something else afterwards than before.
        """
        app, before = self.seat.app, moves() if moves else None
        assert isinstance(app, NotingDashboard)
        assert not words or not all(word in self.seat.text for word in words), f"{words} stand there already"
        assert gone in self.seat.text, f"{gone} does not stand there"
        app.carried_out = []
        await self.seat.press(key)
        await self.seat.reads(*words)
        if gone:
            await self.seat.gone(gone)
        if moves:
            await until(lambda: moves() != before, READ_SECONDS)
        done = [action for node, action in app.carried_out if isinstance(node, self.kind)]
        found = [one for one in own_bindings(self.kind) if key in one.key.split(",") and one.action in done]
        if not found:
            pytest.fail(f"{key} carried out {done} for {self.kind.__name__}, not what is declared for it")
        self.left = [one for one in self.left if one not in found]

    async def back(self, *words: str) -> None:
        """Press Esc, and wait for what was there before."""
        await self.seat.press("escape")
        await self.seat.reads(*words)

    async def press(self, *keys: str) -> None:
        await self.seat.press(*keys)

    async def reads(self, *words: str) -> None:
        await self.seat.reads(*words)

    @property
    def text(self) -> str:
        return self.seat.text

    def focused(self) -> object:
        return self.seat.app.focused

    def change_run(self, number: int, **fields: Any) -> None:
        """Let a run be another one."""
        self.engine.all_runs[number] = replace(self.engine.all_runs[number], **fields)


@dataclass(frozen=True)
class Walk:
    """How the keys of a kind of screen are tried.

    Attributes:
        tour: the screen of the tour where it begins.
        take: presses the keys.
        size: of the terminal.
        options: of the dashboard.
    """

    tour: str
    take: Callable[[Hand], Awaitable[None]]
    size: tuple[int, int] = (120, 40)
    options: dict[str, Any] = field(default_factory=dict)
