"""Startup jobs in real engines: their order, and what becomes of the engine when one fails."""

from __future__ import annotations

from itertools import pairwise

from tests.e2e.conftest import START_SECONDS, STOP_SECONDS, Home, job

GOOD = job("return job.OK", "startup = 2")


def test_they_run_one_after_another_in_order_before_anything_is_due(home: Home) -> None:
    home.write("third", job("core.sleep(0.3) return job.OK", "startup = 3"))
    home.write("first", job("core.sleep(0.6) return job.OK", "startup = 1"))
    home.write("second/b", GOOD)
    home.write("second/a", GOOD)
    home.write("eager", job("return job.OK", 'every = "1h", run_at_start = true'))
    with home.serving() as engine:
        engine.ends("eager", 1)
        runs = list(reversed(engine.client.runs()))
        engine.client.reload()
        assert len(engine.client.runs()) == len(runs)
    assert [run.job for run in runs] == ["first", "second/a", "second/b", "third", "eager"]
    assert [run.trigger for run in runs] == ["startup"] * 4 + ["start"]
    for before, after in pairwise(runs):
        assert before.finished is not None
        assert after.started is not None
        assert before.finished <= after.started


def test_one_that_fails_keeps_the_engine_from_starting_until_it_is_mended(home: Home) -> None:
    home.write("a/good", job("return job.OK", "startup = 1"))
    home.write("bad", job("error('no table')", "startup = 2, retries = 3"))
    home.write("later", job("return job.OK", "startup = 3"))
    for _ in range(2):
        served = home.start()
        try:
            assert served.process.wait(START_SECONDS + STOP_SECONDS) == 1
            words = served.complaints.splitlines()[-1]
            assert words.startswith("moontide: startup job bad ended ERROR in run ")
            assert "no table; the engine does not start" in words
        finally:
            served.end()
    home.write("bad", GOOD)
    with home.serving() as engine:
        assert engine.client.job("bad").active
        ended = [(run.job, run.status) for run in reversed(engine.client.runs())]
    failed = [("a/good", "COMPLETE"), ("bad", "ERROR")]
    assert ended == [*failed, *failed, ("a/good", "COMPLETE"), ("bad", "COMPLETE"), ("later", "COMPLETE")]


def test_what_it_asks_for_does_not_hold_up_the_start(home: Home) -> None:
    home.write("slow", job("core.sleep(30) return job.OK"))
    home.write(
        "asks",
        job('return job.OK, { core.jobs.now("slow"), core.jobs.after("1h", "slow") }', "startup = 1"),
    )
    with home.serving() as engine:
        (asked,) = engine.client.runs(job="asks")
        now, after = asked.result
        assert engine.client.run(now).status == "RUNNING"
        assert engine.client.run(after).status == "PLANNED"
        engine.client.cancel(now)


def test_one_that_is_switched_off_is_passed_by(home: Home) -> None:
    home.write("bad", job("error('no')", "startup = 1, active = false"))
    with home.serving() as engine:
        assert engine.client.runs() == []
