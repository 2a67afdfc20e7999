"""Several engines with homes of their own on one PostgreSQL database, each behind a line that can be cut."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import make_url

from engine.errors import EngineUnreachable
from tests.e2e.conftest import Home, Served
from tests.e2e.processes import until
from tests.faults import witness as witnesses
from tests.faults.cutter import Cutter, before
from tests.faults.scene import (
    EVERY_SECONDS,
    PATIENCE_SECONDS,
    SETTINGS,
    Scene,
    Verdict,
    furnish,
)
from tests.homebases import POSTGRESQL, Homebase, make_homebase

#: How far from each other two looks at who leads are.
_LEADING = "SELECT node.pid FROM lease JOIN node ON node.id = lease.node WHERE lease.until > now()"


@dataclass
class Post:
    """One engine of several.

    Attributes:
        line: leads from it to the database.
        scene: its home and its process, with what all of them share.
    """

    line: Cutter
    scene: Scene

    @property
    def served(self) -> Served:
        """Its engine."""
        return self.scene.served

    def start(self) -> None:
        """Start its engine; it may not be ready yet."""
        self.scene.start()

    def freeze(self) -> None:
        """Let its engine do nothing until `thaw`; what it started goes on."""
        self.served.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its engine go on."""
        self.served.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Takeover:
    """How long after a strike another engine had the lead, and served."""

    led_seconds: float
    served_seconds: float

    def __str__(self) -> str:
        return f"led after {self.led_seconds:.1f} s, served after {self.served_seconds:.1f} s"


@dataclass
class Several:
    """All engines of a database."""

    base: Homebase
    folder: Path
    posts: list[Post]

    def leads(self, post: Post) -> bool:
        """Return whether an engine has the lease."""
        return self.base.rows(_LEADING) == [(post.served.process.pid,)]

    def stands_by(self, post: Post) -> bool:
        """Return whether an engine has said that it stands by."""
        rows = self.base.rows(f"SELECT state FROM node WHERE pid = {post.served.process.pid}")
        return rows == [("standby",)]

    def takes_over(self, post: Post) -> Takeover:
        """Wait until an engine leads and serves; the strike was a moment ago."""
        began = time.monotonic()
        until(lambda: self.leads(post), PATIENCE_SECONDS)
        led = time.monotonic() - began
        until(lambda: serves(post.served), PATIENCE_SECONDS)
        return Takeover(led, time.monotonic() - began)

    def goes_on(self, post: Post, times: int = 3) -> None:
        """Wait until each scheduled job has run some more times."""
        counts = {job: len(post.served.ends(job, 0)) for job in post.scene.orders.every}
        for job, count in counts.items():
            post.served.ends(job, count + times, PATIENCE_SECONDS)

    def conclude(self, leader: Post) -> Verdict:
        """Stop all engines in order, and let the checker judge what the database says."""
        leader.served.stop()
        for post in self.posts:
            if post is not leader and post.served.process.poll() is None:
                post.served.stop()
        copy = self.folder / "copy.db"
        moved = leader.scene.home.moontide("move-database", self.base.url, str(copy))
        assert moved.code == 0, moved.err
        return leader.scene.check(copy)


@contextmanager
def opened(count: int = 2, *, seed: int = 1, settings: str = "") -> Iterator[Several]:
    """Give some engines of which the first one leads and the others stand by."""
    folder = Path(tempfile.mkdtemp(prefix="ms-"))
    base = make_homebase(POSTGRESQL, folder)
    try:
        with witnesses.watching(folder / "sightings") as witness, ExitStack() as lines:
            posts = []
            for number in range(count):
                home = Home(folder / f"h{number}")
                home.start_seconds = PATIENCE_SECONDS
                home.settings(f'{SETTINGS}\n{settings}\n[node]\nname = "engine{number}"\n')
                orders = furnish(home, witness, f'every = "{EVERY_SECONDS:g}s"')
                line = lines.enter_context(before(make_url(base.url).port or 5432))
                home.base = _through(base, line)
                posts.append(Post(line, Scene(home, witness, orders, random.Random(seed + number))))
            several = Several(base, folder, posts)
            try:
                _begin(several)
                yield several
            finally:
                for post in posts:
                    post.scene.end()
    finally:
        shutil.rmtree(folder)


def _begin(several: Several) -> None:
    first, *others = several.posts
    first.scene.begin()
    for post in others:
        post.start()
        until(lambda post=post: several.stands_by(post), PATIENCE_SECONDS)  # type: ignore[misc]


def serves(served: Served) -> bool:
    """Return whether an engine answers as the one that leads; until then it says that nobody does."""
    with suppress(EngineUnreachable):
        status = served.client.status()
        return status.state == "Running" and status.pid == served.process.pid
    return False


def _through(base: Homebase, line: Cutter) -> Homebase:
    url = make_url(base.url).set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
    return replace(base, url=base.url, environment={"MOONTIDE_DATABASE": url})
