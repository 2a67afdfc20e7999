"""One command on many jobs."""

from __future__ import annotations

from tests.e2e.conftest import Home, job

WEB = job("return job.OK", 'tags = { team = "web" }, groups = "night"')
FAILS = job("return job.EXIT")


def test_commands_take_many_jobs_and_tell_of_each(home: Home) -> None:
    home.write("shop/a", WEB)
    home.write("shop/b", WEB)
    home.write("ends", FAILS)
    with home.serving() as engine:
        many = home.moontide("run", "shop/*", "ends", "--json")
        assert many.code == 0
        assert [row["target"] for row in many.json] == ["shop/a", "shop/b", "ends"]
        engine.ends("ends", 1)
        active = home.moontide("activate", "--status", "inactive")
        assert active.out == "TARGET\tDONE\tREASON\nends\tyes\tactive, INACTIVE\n"
        partly = home.moontide("deactivate", "shop/a", "nothing")
        assert partly.code == 1
        assert "shop/a\tyes\tnot active, INACTIVE" in partly.out
        assert "nothing\tno\tno job named 'nothing'" in partly.out
        assert home.moontide("pause", "--tag", "team=web", "--for", "1h").code == 0
        assert home.moontide("resume", "shop/*").code == 0
        waiting = [home.moontide("run", "shop/b").code, home.moontide("cancel", "--group", "night").code]
        assert waiting == [0, 0]


def test_a_command_that_says_no_job_is_wrong_use(home: Home) -> None:
    home.write("a", WEB)
    with home.serving():
        for command in ("run", "activate", "deactivate", "cancel"):
            result = home.moontide(command)
            assert result.code == 2
            assert "say which" in result.err
        assert "one job only" in home.moontide("run", "a", "b", "--wait").err
