"""The engine that leads is struck; another one takes over, and no planned time is lost or doubled."""

from __future__ import annotations

import pytest

from engine.rules.lead import LEASE_SECONDS, LOCK_GRACE_SECONDS, LOOK_SECONDS
from tests.e2e.processes import until
from tests.faults.scene import PATIENCE_SECONDS
from tests.faults.several import Post, Several, opened

pytestmark = pytest.mark.long

#: What a take-over may take altogether, from the death of the leader.
PROMISED_SECONDS = 10.0


def test_what_is_waited_for_by_the_rules_leaves_time_to_start() -> None:
    assert max(LEASE_SECONDS, LOCK_GRACE_SECONDS) + 2 * LOOK_SECONDS <= PROMISED_SECONDS - 2


@pytest.fixture
def several() -> Several:  # type: ignore[misc]
    with opened() as several:
        several.goes_on(several.posts[0])
        yield several


def test_another_engine_takes_over_from_one_that_was_killed(several: Several) -> None:
    leader, other = several.posts
    with other.scene.load(["quick", "slow"]):
        leader.served.kill()
        print("killed:", several.takes_over(other))
        several.goes_on(other)
    judged(several, other)


def test_another_engine_takes_over_from_one_that_is_frozen_and_writes_nothing_when_it_wakes_up(
    several: Several,
) -> None:
    leader, other = several.posts
    leader.freeze()
    print("frozen:", several.takes_over(other))
    several.goes_on(other)
    ends_by_itself(leader, leader.thaw)
    several.goes_on(other)
    judged(several, other)


def test_another_engine_takes_over_from_one_that_was_cut_off_and_writes_nothing_when_it_is_back(
    several: Several,
) -> None:
    leader, other = several.posts
    leader.line.die()
    print("cut off:", several.takes_over(other))
    several.goes_on(other)
    ends_by_itself(leader, leader.line.live)
    judged(several, other)


def test_another_engine_takes_over_from_one_that_was_stopped(several: Several) -> None:
    leader, other = several.posts
    leader.served.stop()
    print("stopped:", several.takes_over(other))
    several.goes_on(other)
    judged(several, other)


def ends_by_itself(post: Post, strike_ends) -> None:  # type: ignore[no-untyped-def]
    """Wait until an engine has ended by itself, in words, and after a change of nothing in the database."""
    strike_ends()
    until(lambda: post.served.process.poll() is not None, PATIENCE_SECONDS)
    assert post.served.process.returncode == 1
    assert "this engine ends" in post.served.complaints
    assert "Traceback" not in post.served.complaints, post.served.complaints


def judged(several: Several, leader: Post) -> None:
    verdict = several.conclude(leader)
    print(verdict)
    assert verdict.complaints == ()
    assert verdict.times > 0
