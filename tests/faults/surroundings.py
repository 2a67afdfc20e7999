"""What jobs reach goes away in the middle of a call, and what they are made of changes while it is read."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from engine.errors import MoontideError
from tests.e2e.processes import until
from tests.faults.scene import PATIENCE_SECONDS, Scene, job_file

_EXTRA = "many/job_{number}"


@contextmanager
def no_job_folder(scene: Scene) -> Iterator[None]:
    """Let the jobs folder be gone, and be looked for by a reload."""
    away = scene.home.path / "away"
    scene.home.jobs.rename(away)
    try:
        with suppress(MoontideError):
            scene.served.client.reload()
        yield
    finally:
        away.rename(scene.home.jobs)
        scene.served.client.reload()


def rewrite_files(scene: Scene, files: int, reloads: int) -> None:
    """Rewrite many job files while reloads read them, half of them in place, and see each as it was left.

    Raises:
        AssertionError: after the last reload a job is not what its file says.
    """
    for number in scene.progress.through("files written", range(files), files):
        scene.home.write(_EXTRA.format(number=number), job_file("", 'description = "0"'))
    with scene.load():
        for turn in scene.progress.through(
            "reloads, while the files are rewritten", range(1, reloads + 1), reloads
        ):
            writer = threading.Thread(target=_rewrite, args=(scene, files, turn))
            writer.start()
            scene.served.client.reload()
            writer.join(PATIENCE_SECONDS)
        scene.serves()
    scene.progress.say("the last reload")
    scene.served.client.reload()
    until(partial(_are_all, scene, files, str(reloads)), PATIENCE_SECONDS)


def _rewrite(scene: Scene, files: int, turn: int) -> None:
    text = job_file("", f'description = "{turn}"')
    for number in range(files):
        path = scene.home.jobs / f"{_EXTRA.format(number=number)}.lua"
        if number % 2:
            path.write_text(text)
        else:
            path.with_suffix(".new").write_text(text)
            os.replace(path.with_suffix(".new"), path)


def _are_all(scene: Scene, files: int, description: str) -> bool:
    jobs = {job.name: job for job in scene.served.client.jobs()}
    found = [jobs[_EXTRA.format(number=number)] for number in range(files)]
    return all((job.status, job.description) == ("WAITING", description) for job in found)
