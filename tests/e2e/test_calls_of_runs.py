"""Each run keeps what its core calls took, whatever became of them."""

from __future__ import annotations

from tests.e2e.conftest import Served, job
from tests.e2e.processes import until


def test_calls_are_listed_in_their_order(shared: Served, name: str) -> None:
    body = """
    local notes = core.data("tallied")
    for at = 1, 3 do notes:save({ at = at }) end
    core.files.read("none.txt")
    core.log("lines of the log are no calls")
    return job.OK
    """
    shared.add(name, job(body))
    run = shared.run(name)
    lines = run.calls or []
    assert [(line["call"], line["count"], line["failed"]) for line in lines] == [
        ("data.save", 3, 0),
        ("files.read", 1, 1),
    ]
    assert "none.txt" in lines[-1]["error"]
    assert [line["at_ms"] for line in lines] == sorted(line["at_ms"] for line in lines)
    assert all(0 < line["longest_ms"] <= line["ms"] for line in lines)
    assert sum(line["ms"] for line in lines) < (run.duration_ms or 0)


def test_a_call_that_had_no_answer_at_the_end_says_so(shared: Served, name: str) -> None:
    shared.add(name, job("core.sleep(3600) return job.OK", 'timeout = "300ms"'))
    run = shared.run(name)
    assert run.status == "TIMEOUT"
    [line] = run.calls or []
    assert (line["call"], line["failed"]) == ("sleep.pause", 1)
    assert line["error"] == "not answered when the run ended"


def test_calls_are_listed_while_the_run_goes_on(shared: Served, name: str) -> None:
    shared.add(name, job('core.data("live"):save({}) core.log("up") core.sleep(600) return job.OK'))
    run = shared.client.run_job(name)
    until(lambda: len(shared.client.run(run.id).calls or []) == 2)
    saved, slept = shared.client.run(run.id).calls or []
    assert (saved["call"], saved["count"], "going" in saved) == ("data.save", 1, False)
    assert (slept["call"], slept["going"]) == ("sleep.pause", True)
    assert shared.client.runs(job=name)[0].calls is not None
    ended = shared.client.cancel(run.id)
    assert [(line["call"], line["count"], "going" in line) for line in ended.calls or []] == [
        ("data.save", 1, False),
        ("sleep.pause", 1, False),
    ]


def test_a_run_that_goes_on_without_calls_lists_none_yet(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("up") while true do end'))
    run = shared.client.run_job(name)
    until(lambda: shared.log(run.id))
    assert shared.client.run(run.id).calls == []
    shared.client.cancel(run.id, now=True)


def test_a_run_without_calls_lists_none(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("nothing but a line") return job.OK'))
    assert shared.run(name).calls is None
