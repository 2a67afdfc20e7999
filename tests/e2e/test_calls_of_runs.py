"""Each run keeps what its core calls took, whatever became of them."""

from __future__ import annotations

from tests.e2e.conftest import Served, job


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


def test_a_run_without_calls_lists_none(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("nothing but a line") return job.OK'))
    assert shared.run(name).calls is None
