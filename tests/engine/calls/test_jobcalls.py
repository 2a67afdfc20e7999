"""What a job tells of its run."""

from __future__ import annotations

from tests.engine.conftest import OpenBench


def job(body: str, settings: str = "") -> str:
    """Return a job file with this body."""
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


async def test_info_is_kept_with_the_run_and_the_last_call_counts(open_bench: OpenBench) -> None:
    body = "job.save_info({ done = 1 }) job:save_info({ done = 2 }) return job.OK"
    async with open_bench({"a": job(body)}) as bench:
        assert (await bench.run("a")).info == {"done": 2}


async def test_info_is_kept_when_the_run_fails_or_is_stopped(open_bench: OpenBench) -> None:
    jobs = {
        "fails": job('job.save_info("half") error("no")'),
        "loops": job('job.save_info("half") while true do end', 'timeout = "300ms"'),
    }
    async with open_bench(jobs) as bench:
        runs = [await bench.run(name) for name in jobs]
    assert [(run.status, run.info) for run in runs] == [("ERROR", "half"), ("TIMEOUT", "half")]


async def test_info_that_is_too_large_is_refused_and_the_run_goes_on(open_bench: OpenBench) -> None:
    body = 'local ok, words, code = job.save_info(("x"):rep(2000)) return job.OK, { words, code }'
    async with open_bench({"a": job(body)}, toml='limits.result = "1KB"') as bench:
        run = await bench.run("a")
    assert run.result == ["job.save_info: more than 1 KB as JSON", 800]
    assert run.info is None


async def test_info_outside_of_a_run_is_refused(open_bench: OpenBench) -> None:
    async with open_bench({"a": "local job = core.job()\njob.save_info(1)\nreturn job\n"}) as bench:
        view = bench.desk.job("a")
    assert (view.status, "job.save_info: only inside job.run()" in view.reason) == ("INVALID", True)
