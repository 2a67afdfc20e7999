"""SIGKILL at random moments under load: the engine, what workers are forked from, workers, dashboards."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from tests.e2e.conftest import MOONTIDE, Served
from tests.e2e.processes import Process, until
from tests.faults.scene import PATIENCE_SECONDS, Scene
from tests.terminal import Terminal


@dataclass
class Kills:
    """How many of each were killed."""

    counted: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{number} x {what}" for what, number in self.counted.items())


def kill_engines(scene: Scene, times: int, kills: Kills) -> None:
    """Kill the engine and start it again, also while it starts, in the middle of the load."""
    with scene.load():
        for _ in scene.progress.through("engines killed", range(times), times):
            scene.pass_time(scene.chance.uniform(0.0, 1.0))
            scene.served.kill()
            kills.counted["engine"] += 1
            scene.start()
            if scene.chance.random() < 0.3:
                scene.pass_time(scene.chance.uniform(0.0, 1.0))
                scene.served.kill()
                kills.counted["engine"] += 1
                scene.start()
            scene.serves()


def kill_zygotes(scene: Scene, times: int, kills: Kills) -> None:
    """Kill the process from which workers are made."""
    _kill_each(scene, times, kills, "zygote", lambda: zygotes(scene))


def kill_workers(scene: Scene, times: int, kills: Kills) -> None:
    """Kill workers, busy ones and idle ones."""
    _kill_each(scene, times, kills, "worker", scene.served.workers)


def kill_dashboards(scene: Scene, times: int, kills: Kills) -> None:
    """Kill dashboards, also before they have drawn anything."""
    with scene.load():
        for _ in scene.progress.through("dashboards killed", range(times), times):
            command = (MOONTIDE, "--home", str(scene.home.path), "tui")
            with closing(Terminal(*command)) as terminal:
                if scene.chance.random() < 0.5:
                    terminal.reads("quick", seconds=PATIENCE_SECONDS)
                else:
                    scene.pass_time(scene.chance.uniform(0.0, 1.0))
                terminal.process.kill()
                terminal.process.wait(PATIENCE_SECONDS)
            kills.counted["dashboard"] += 1
            scene.serves()


def _kill_each(scene: Scene, times: int, kills: Kills, what: str, find: Callable[[], list[Process]]) -> None:
    with scene.load():
        for number in scene.progress.through(f"{what}s killed", range(1, times + 1), times):
            scene.pass_time(scene.chance.uniform(0.0, 0.1))
            until(partial(_kill_one, scene, find), PATIENCE_SECONDS)
            kills.counted[what] += 1
            if number % 10 == 0 or number == times:
                scene.serves()


def _kill_one(scene: Scene, find: Callable[[], list[Process]]) -> bool:
    """Kill one of the processes there are; false if there is none at present."""
    try:
        victim = scene.chance.choice(find())
        os.kill(victim.pid, signal.SIGKILL)
    except (IndexError, AssertionError, ProcessLookupError):
        return False
    return True


def zygotes(scene: Scene) -> list[Process]:
    """Return the process from which workers are made."""
    return zygotes_of(scene.served)


def zygotes_of(engine: Served) -> list[Process]:
    """Return the process from which an engine's workers are made; they have its command line."""
    return [one for one in engine.family() if "engine.sandbox.zygote" in one.command][:1]
