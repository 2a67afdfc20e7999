"""One trouble after another, at moments that chance chooses, under load."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.faults.scene import Scene

Trouble = Callable[[Scene], AbstractContextManager[None]]


def strike(scene: Scene, trouble: Trouble, *, times: int, seconds: float) -> None:
    """Let a trouble come and go under load, and wait each time until the engine serves again.

    Args:
        times: how often.
        seconds: how long it lasts each time.
    """
    with scene.load():
        for _ in scene.progress.through("strikes", range(times), times):
            scene.pass_time(scene.chance.uniform(0.2, 1.0))
            with trouble(scene):
                scene.pass_time(seconds)
            scene.serves()
