"""What jobs are made of and what they reach goes away, and comes back."""

from __future__ import annotations

from tests.faults import dying, surroundings
from tests.faults.scene import opened
from tests.faults.strikes import strike


def test_a_jobs_folder_that_was_gone_and_files_that_changed_while_read_leave_nothing_behind() -> None:
    with opened(seed=1) as scene:
        strike(scene, surroundings.no_job_folder, times=1, seconds=1.0)
        surroundings.rewrite_files(scene, files=60, reloads=3)
        verdict = scene.conclude()
    assert verdict.complaints == ()


def test_servers_that_die_in_the_middle_of_calls_leave_each_run_with_an_end_and_no_effect_doubled() -> None:
    with dying.served(seed=1) as (scene, services):
        cut = dying.kill_servers(scene, services, times=4)
        verdict = scene.conclude()
        effects = dying.effects(scene, services)
    print(f"{cut} connections cut; {verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    assert effects == []
