"""What jobs keep from one run to the next."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

COUNTS = """
local done = job.get_state() or { n = 0 }
done.n = done.n + 1
assert(job.save_state(done))
if done.n < 3 then error("not yet") end
return job.OK, done.n
"""


def test_state_is_there_after_a_failure_and_gone_after_success(shared: Served, name: str) -> None:
    shared.add(name, job(COUNTS, 'on_error = "continue"'))
    runs = [shared.run(name) for _ in range(4)]
    assert [run.status for run in runs] == ["ERROR", "ERROR", "COMPLETE", "ERROR"]
    assert shared.client.states.show(name).value == {"n": 1}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("while true do end", "TIMEOUT"),
        ("return 7", "ERROR"),
        ("return job.OK", "COMPLETE"),
        ("return job.STOP", "COMPLETE"),
    ],
)
def test_only_a_complete_run_takes_the_state_away(shared: Served, name: str, body: str, status: str) -> None:
    settings = 'on_error = "continue", timeout = "0.5s"'
    shared.add(name, job(f"job.save_state('half') job.persist('mark') do {body} end", settings))
    run = shared.run(name)
    assert run.status == status
    kept = shared.client.states.show(name)
    assert kept.value == (None if status == "COMPLETE" else "half")
    assert shared.client.states.show(name, lasting=True).value == "mark"


def test_a_run_that_is_cancelled_leaves_the_state(shared: Served, name: str) -> None:
    shared.add(name, job('job.save_state("half") core.log("saved") while true do end'))
    run = shared.client.run_job(name)
    until(lambda: shared.log(run.id))
    shared.client.cancel(run.id)
    assert shared.client.states.show(name).value == "half"


def test_what_was_saved_outlives_the_engine_that_is_killed_right_after(home: Home) -> None:
    body = 'job.save_state({ page = 7 }) job.persist({ "a" }) core.log("saved") while true do end'
    home.write("walk", job(body))
    with home.serving() as engine:
        run = engine.client.run_job("walk")
        until(lambda: engine.log(run.id))
        engine.kill()
    home.write("walk", job("return job.OK, { state = job.get_state(), kept = job.persisted() }"))
    with home.serving() as engine:
        assert engine.client.run(run.id).status == "CRASHED"
        assert engine.run("walk").result == {"state": {"page": 7}, "kept": ["a"]}
        assert engine.run("walk").result == {"kept": ["a"]}


def test_the_states_of_two_jobs_are_two(shared: Served, name: str) -> None:
    for one in (name, f"{name}_b"):
        shared.add(one, job(f'job.persist("{one}") return job.OK'))
        shared.run(one)
    assert shared.client.states.show(name, lasting=True).value == name


def test_nil_keeps_nothing_any_more(shared: Served, name: str) -> None:
    shared.add(name, job("job.persist(1) job.persist(nil) return job.OK, { job.persisted() == nil }"))
    assert shared.run(name).result == [True]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"\\xff"', "not UTF-8"),
        ("print", "function"),
        ("0/0", "NaN"),
        ('("x"):rep(2^20)', "1 MB"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_old_value_stays(
    shared: Served, name: str, value: str, words: str
) -> None:
    body = f"job.persist('old') local ok, problem = job.persist({value}) return job.OK, problem"
    shared.add(name, job(body))
    assert words in shared.run(name).result
    assert shared.client.states.show(name, lasting=True).value == "old"


def test_secrets_are_masked_in_what_is_kept(home: Home) -> None:
    home.write("mask", job('job.persist({ core.secret("WORD") }) return job.OK'))
    with home.serving(MOONTIDE_SECRET_WORD="swordfish") as engine:
        assert engine.run("mask").status == "COMPLETE"
        kept = engine.client.states.show("mask", lasting=True)
    assert kept.value == ["***"]


def test_an_operator_sees_sets_and_clears_state(home: Home) -> None:
    home.write("walk", job("return job.STOP, job.get_state()"))
    with home.serving() as engine:
        assert home.moontide("state", "show", "walk").out == "walk keeps nothing\n"
        done = home.moontide("state", "set", "walk", '{"page": 3}', "--json")
        assert (done.code, done.json["value"], done.json["run_id"]) == (0, {"page": 3}, None)
        assert engine.run("walk").result == {"page": 3}
        home.moontide("state", "set", "walk", "[1]", "--persistent")
        shown = home.moontide("state", "show", "walk", "--persistent")
        assert (shown.code, "by an operator" in shown.out, "[1]" in shown.out) == (0, True, True)
        assert home.moontide("state", "clear", "walk", "--persistent").out == "walk keeps nothing\n"
        assert home.moontide("state", "show", "walk", "--persistent", "--json").json["value"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nobody"), 1, "nobody"),
        (("set", "walk"), 2, "needs one"),
        (("clear", "walk", "1"), 2, "belongs to `set`"),
        (("set", "walk", "{"), 2, "not JSON"),
        (("set", "walk", "null"), 1, "clear the state instead"),
        (("drop", "walk"), 2, "show"),
    ],
)
def test_wrong_use_of_the_command_is_told(
    shared: Served, arguments: tuple[str, ...], code: int, words: str
) -> None:
    shared.add("walk", job("return job.OK"))
    done = shared.home.moontide("state", *arguments)
    assert (done.code, words in done.err) == (code, True), done.err


def test_the_path_form_of_info_changes_one_place(shared: Served, name: str) -> None:
    body = """
    job.save_info({ files = { copied = 1, left = 9 } })
    assert(job.save_info("files.copied", 2))
    assert(job:save_info("files.last.name", "b.txt"))
    local ok, problem = job.save_info("a..b", 1)
    return job.OK, problem
    """
    shared.add(name, job(body))
    run = shared.run(name)
    assert run.info == {"files": {"copied": 2, "left": 9, "last": {"name": "b.txt"}}}
    assert "is a path such as" in run.result
