"""Faults for long: what is killed, frozen or taken away, at random moments under load, with a checker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from statistics import median

from tests.faults import cluster, troubles
from tests.faults.clocks import turn_clock, turnable
from tests.faults.dying import effects, kill_servers, served
from tests.faults.havoc import Havoc, for_minutes, wreak
from tests.faults.kills import Kills, kill_dashboards, kill_engines, kill_workers, kill_zygotes
from tests.faults.power import cut_power, logged
from tests.faults.scene import Scene, opened
from tests.faults.strikes import Trouble, strike
from tests.faults.surroundings import no_job_folder, rewrite_files
from tests.prove.proof import Effort, Finding, Proof

#: 2,400 kills in all.
_KILLS = (
    ("engines", kill_engines, 300),
    ("zygotes", kill_zygotes, 500),
    ("workers", kill_workers, 1500),
    ("dashboards", kill_dashboards, 100),
)
#: What lasts for a while: how often, and for how many seconds. Jobs may take one second, some of them 20.
_TROUBLES: tuple[tuple[str, Trouble, int, float], ...] = (
    ("database locked", troubles.locked, 3, 30.0),
    ("no file descriptors", troubles.no_descriptors, 10, 3.0),
    ("no file descriptors, no workers", troubles.no_descriptors_and_no_workers, 10, 3.0),
    ("engine frozen", troubles.frozen_engine, 3, 25.0),
    ("zygote frozen", troubles.frozen_zygote, 3, 25.0),
    ("workers frozen", troubles.frozen_workers, 3, 25.0),
)
_NOTHING_LOST = "nothing is lost, doubled or stuck, and the engine serves again by itself"


def proofs() -> list[Proof]:
    """Return the rows about faults."""
    killed = [
        Proof(f"faults: {what} killed", _NOTHING_LOST, partial(_killed, kill, times))
        for what, kill, times in _KILLS
    ]
    troubled = [
        Proof(f"faults: {what}", _NOTHING_LOST, partial(_troubled, trouble, times, seconds))
        for what, trouble, times, seconds in _TROUBLES
    ]
    others = (
        ("full disk", _full_disk),
        ("power cut", _power_cut),
        ("clock set by hours", _clock_set),
        ("jobs folder gone", _folder_gone),
        ("10,000 files rewritten", _files_rewritten),
        ("servers dying in calls", _servers_dying),
        ("engines, workers and PostgreSQL", _cluster_struck),
    )
    return [*killed, *troubled, *(Proof(f"faults: {what}", _NOTHING_LOST, run) for what, run in others)]


def _killed(kill: Callable[[Scene, int, Kills], None], times: int, effort: Effort) -> Finding:
    kills = Kills()
    with opened(effort.seed) as scene:
        kill(scene, times, kills)
        return _found(str(kills), scene)


def _troubled(trouble: Trouble, times: int, seconds: float, effort: Effort) -> Finding:
    with opened(effort.seed) as scene:
        strike(scene, trouble, times=times, seconds=seconds)
        return _found(f"{times} times {seconds:g} s", scene)


def _full_disk(effort: Effort) -> Finding:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(troubles.small_disk(256))
        except troubles.NotAllowed as reason:
            return Finding("", missing=str(reason))
        scene = stack.enter_context(opened(effort.seed, place=place))
        strike(scene, troubles.full_disk, times=10, seconds=5.0)
        return _found("10 times 5 s", scene)


def _power_cut(effort: Effort) -> Finding:
    with logged(effort.seed) as (scene, log):
        syncs = cut_power(scene, log, times=100)
        return _found(f"100 times, after {syncs} syncs", scene)


def _clock_set(effort: Effort) -> Finding:
    with turnable(effort.seed) as (scene, hands):
        turn_clock(scene, hands, times=20)
        return _found("60 times", scene)


def _folder_gone(effort: Effort) -> Finding:
    with opened(effort.seed) as scene:
        strike(scene, no_job_folder, times=20, seconds=2.0)
        return _found("20 times 2 s", scene)


def _files_rewritten(effort: Effort) -> Finding:
    with opened(effort.seed) as scene:
        rewrite_files(scene, files=10_000, reloads=2)
        return _found("10,000 files in 2 reloads", scene)


def _servers_dying(effort: Effort) -> Finding:
    with served(effort.seed) as (scene, services):
        cut = kill_servers(scene, services, times=200)
        found = _found(f"{cut} connections to {', '.join(one.job for one in services)} cut", scene)
        return replace(found, complaints=(*found.complaints, *effects(scene, services)))


def _cluster_struck(effort: Effort) -> Finding:
    havoc = Havoc()
    with cluster.opened(effort.seed, engines=3, workers=3) as all_of_it:
        wreak(all_of_it, for_minutes(all_of_it, effort.minutes), havoc)
        verdict = all_of_it.conclude()
    taken = sorted(all_of_it.takeovers)
    times = f"taken over in {median(taken):.1f} s (median), {taken[-1]:.1f} s (longest)" if taken else ""
    return Finding(f"{all_of_it.kind}: {havoc}; {verdict}; {times}", verdict.complaints)


def _found(tried: str, scene: Scene) -> Finding:
    verdict = scene.conclude()
    slowest = max(scene.recoveries)
    return Finding(f"{tried}; {verdict}; served again within {slowest:.1f} s", verdict.complaints)
