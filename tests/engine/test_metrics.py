"""Figures for Prometheus, as its own parser reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.engine.conftest import OpenBench, until

TICK = 'local job = core.job { every = "1s" }\nfunction job.run() return job.OK end\nreturn job\n'
BAD = 'local job = core.job()\nfunction job.run() error("no") end\nreturn job\n'


def figures(text: bytes) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, sample.labels.get("status", "")): sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }


async def test_runs_are_counted_by_how_they_ended(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK, "bad": BAD}) as bench:
        await bench.run("bad")
        await until(lambda: len(bench.ends("tick")) >= 1)
        told = figures(bench.desk.metrics())
    assert told["moontide_runs_total", "ERROR"] == 1
    assert told["moontide_runs_total", "COMPLETE"] >= 1
    assert told["moontide_run_lateness_seconds_count", ""] >= 1
    assert told["moontide_run_duration_seconds_count", ""] >= 2
    assert told["moontide_jobs", "INACTIVE"] == 1
    assert told["moontide_pool_size", ""] == 10
    assert told["moontide_journal_commits_total", ""] > 0
    assert told["moontide_journal_commit_seconds_total", ""] > 0


async def test_a_run_by_hand_is_not_late(open_bench: OpenBench) -> None:
    async with open_bench({"bad": BAD}) as bench:
        await bench.run("bad")
        told = figures(bench.desk.metrics())
    assert told["moontide_run_lateness_seconds_count", ""] == 0
