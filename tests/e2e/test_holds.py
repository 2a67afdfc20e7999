"""Groups and pauses at the command line, over restarts of real engines."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.e2e.conftest import Home, job
from tests.e2e.processes import until

TICK = job("return job.OK", 'every = "1s", groups = { "night" }')
HAND = job("return job.OK", 'groups = { "night", "shop" }')


def test_a_group_is_switched_off_and_on_and_stays_so_over_a_kill(home: Home) -> None:
    home.write("tick", TICK)
    home.write("hand", HAND)
    with home.serving() as engine:
        off = home.moontide("group", "disable", "night", "--note", "moving house")
        assert (off.code, off.out) == (0, "group night of 2 jobs is disabled\n")
        refused = home.moontide("run", "hand")
        assert refused.code == 1
        assert "group night is disabled by " in refused.err
        assert "moving house; `moontide group enable night` lets it run" in refused.err
        engine.kill()
    with home.serving() as engine:
        shown = home.moontide("show", "tick", "--json").json
        assert (shown["status"], shown["next_run"], shown["groups"]) == ("DISABLED", None, ["night"])
        assert "held\tgroup night is disabled by" in home.moontide("status").out
        listed = {row["name"]: row for row in home.moontide("group", "list", "--json").json}
        assert (listed["night"]["enabled"], listed["shop"]["enabled"]) == (False, True)
        before = len(engine.client.runs(job="tick"))
        enabled_at = datetime.now(UTC)
        assert home.moontide("group", "enable", "night").out == "group night of 2 jobs is enabled\n"
        until(lambda: len(engine.client.runs(job="tick")) > before, 15)
        first = engine.client.runs(job="tick", limit=1000)[-1 - before]
        assert first.due > enabled_at
        assert home.moontide("run", "hand", "--wait").code == 0


def test_a_pause_holds_runs_back_until_it_is_resumed(home: Home) -> None:
    home.write("hand", HAND)
    with home.serving() as engine:
        paused = home.moontide("pause", "--group", "shop", "--for", "1h", "--note", "stocktaking")
        assert paused.out.startswith("group shop is paused until ")
        waiting = home.moontide("run", "hand")
        assert "is QUEUED" in waiting.out
        view = home.moontide("show", "hand", "--json").json
        assert "stocktaking" in view["paused"]
        assert datetime.fromisoformat(view["paused_until"]) > datetime.now(UTC)
        assert home.moontide("resume", "--group", "shop").out == "group shop is not paused any more\n"
        assert [run.status for run in engine.ends("hand", 1)] == ["COMPLETE"]


def test_a_pause_that_ended_while_no_engine_ran_is_over(home: Home) -> None:
    home.write("hand", HAND)
    with home.serving() as engine:
        assert home.moontide("pause", "--engine", "--for", "5s").code == 0
        end = engine.client.holds.holds()[0].until
        engine.kill()
    assert end is not None
    until(lambda: datetime.now(UTC) > end, 5)
    with home.serving() as engine:
        assert engine.client.holds.holds() == []
        assert engine.run("hand").status == "COMPLETE"


def test_wrong_use_is_told_in_words(home: Home) -> None:
    home.write("hand", HAND)
    with home.serving():
        assert "jobs, --group NAME or --engine" in home.moontide("pause").err
        assert home.moontide("pause", "hand", "--engine").code == 2
        assert "not both" in home.moontide("pause", "hand", "--for", "1h", "--until", "18:00").err
        assert "18:00 or 2026-12-24T18:00" in home.moontide("pause", "hand", "--until", "noon").err
        assert "did you mean shop" in home.moontide("group", "disable", "shopp").err
        assert "is not paused" in home.moontide("resume", "hand").err
        assert home.moontide("group", "show").code == 2
    assert home.moontide("pause", "--engine").code == 3
