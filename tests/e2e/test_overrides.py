"""Settings that operators give at run time, in the place of what files say."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Home, Served, job

HOURLY = job("return job.OK, 1", 'every = "1h", tags = { team = "shop" }')


def test_what_was_set_is_shown_with_its_origin_and_outlives_a_killed_engine(home: Home) -> None:
    home.write("report", HOURLY)
    with home.serving() as engine:
        done = home.moontide("set", "report", "every", "2s", "priority", "-5", "--json")
        assert (done.code, done.json["schedule"], done.json["settings"]["priority"]) == (0, "every 2s", -5)
        engine.ends("report", 1)
        engine.kill()
    with home.serving() as engine:
        before = len(engine.ends("report", 1))
        engine.ends("report", before + 1)
        engine.client.reload()
        shown = home.moontide("show", "report").out
        assert "  every\t2s (operator, file: 1h)" in shown
        assert "  priority\t-5 (operator)" in shown
        assert '  tags\t{ team = "shop" } (file)' in shown
        assert "  retries\t0 (default)" in shown
        assert "set by operator: every, priority" in home.moontide("jobs").out
        view = home.moontide("reload", "--override", "--json").json
        assert view["dropped"] == {"report": {"every": "2s", "priority": -5}}
        assert engine.client.job("report").schedule == "every 1h"
        assert "set by operator" not in home.moontide("jobs").out


def test_tables_and_json_are_taken_and_unset_one_by_one(shared: Served, name: str) -> None:
    shared.add(name, HOURLY)
    command = shared.home.moontide
    typed = command("set", name, "tags", 'team = "web"', "cron", "*/5 * * * *", "--json").json
    assert typed["tags"] == {"team": "web"}
    given = command("set", name, "--values", '{"tags": {"a": "b"}, "cron": ["@daily", "@hourly"]}', "--json")
    assert (given.json["tags"], given.json["settings"]["cron"]) == ({"a": "b"}, ["@daily", "@hourly"])
    assert command("unset", name, "cron").out.splitlines()[2] == "schedule\tevery 1h"
    assert command("unset", name, "--json").json["origins"] == {"every": "file", "tags": "file"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "report", "every"), 2, "every has no value"),
        (("set", "report", "every", "soon"), 1, "every"),
        (("set", "report", "evry", "5m"), 1, "did you mean every?"),
        (("set", "report"), 1, "which setting"),
        (("set", "report", "active", "false"), 1, "moontide deactivate report"),
        (("set", "report", "--values", "[1]"), 2, "must be an object"),
        (("set", "report", "--values", "{"), 2, "not JSON"),
        (("set", "nobody", "every", "5m"), 1, "nobody"),
        (("unset", "report"), 1, "nothing to unset"),
        (("unset", "report", "every"), 1, "nobody set every"),
    ],
)
def test_wrong_use_is_told_and_changes_nothing(
    shared: Served, arguments: tuple[str, ...], code: int, words: str
) -> None:
    shared.add("report", HOURLY)
    done = shared.home.moontide(*arguments)
    assert (done.code, words in done.err) == (code, True), done.err
    assert shared.client.job("report").origins == {"every": "file", "tags": "file"}
