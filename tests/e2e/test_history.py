"""What people ask about runs, with the real command and a real engine."""

from __future__ import annotations

from tests.e2e.conftest import Served, job


def test_runs_are_found_by_words_time_and_pattern_and_counted(shared: Served, name: str) -> None:
    shared.add(f"{name}/good", job('core.log("sold 17 toys") return job.OK', 'tags = { team = "shop" }'))
    shared.add(f"{name}/bad", job('error("connection refused")', 'on_error = "continue"'))
    good, bad = shared.run(f"{name}/good"), shared.run(f"{name}/bad")

    def ids(*options: str) -> list[int]:
        return [run["id"] for run in shared.home.moontide("runs", f"{name}/*", *options, "--json").json]

    assert ids() == [bad.id, good.id]
    assert ids("--text", "17 toys") == [good.id]
    assert ids("--text", '"connection refused"', "--since", "-1h") == [bad.id]
    assert ids("--until", "-1h") == []
    assert ids("--tag", "team=shop") == [good.id]
    assert ids("--status", "error", "--status", "complete", "--before", str(bad.id)) == [good.id]
    assert ids("--trigger", "schedule") == []
    counts = shared.home.moontide("runs", f"{name}/*", "--counts", "--json").json
    assert counts == {"COMPLETE": 1, "ERROR": 1}


def test_a_question_that_makes_no_sense_says_why(shared: Served) -> None:
    words = shared.home.moontide("runs", "--text", "...")
    assert words.code == 1
    assert "holds no word to search for" in words.err
    time = shared.home.moontide("runs", "--since", "yesterday")
    assert time.code == 2
    assert "is no time; write one such as 2026-12-24T18:00, or -24h" in " ".join(time.err.split())
    unknown = shared.home.moontide("runs", "nobody")
    assert (unknown.code, "no job named 'nobody'" in unknown.err) == (1, True)


def test_the_code_of_runs_is_shown_and_compared(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, 1"))
    first = shared.run(name)
    shared.add(name, job("return job.OK, 2"))
    second = shared.run(name)
    moontide = shared.home.moontide
    assert moontide("source", str(first.id)).out == job("return job.OK, 1")
    changed = moontide("diff", str(first.id), str(second.id))
    assert "-return job.OK, 1\n+return job.OK, 2\n" in changed.out
    assert f"+++ {name}.lua (run {second.id})" in changed.out
    assert "the same code" in moontide("diff", str(second.id)).out
    assert moontide("diff", str(first.id), "--json").json["files"][0]["path"] == f"{name}.lua"
    assert moontide("source", str(first.id), "--module", "lib.x").code == 1
    assert moontide("diff", "999999999").code == 1
