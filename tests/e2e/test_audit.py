"""Who did what, from where: every action of an operator stands in the audit trail."""

from __future__ import annotations

from tests.e2e.conftest import Home, job

HAND = job("return job.OK", 'groups = "night"')
LONG = job("core.sleep(60) return job.OK")


def test_every_action_is_in_the_trail_with_who_from_where_and_what_it_changed(home: Home) -> None:
    home.write("hand", HAND)
    home.write("long", LONG)
    with home.serving() as engine:
        client = engine.client
        client.deactivate("hand")
        client.activate("hand")
        client.reload()
        client.reload("hand")
        client.write_job("made", HAND, expected_hash=None, create=True)
        client.write_job("made", LONG, expected_hash=None, create=False)
        client.delete_job("made")
        run = client.run_job("long")
        client.cancel(run.id)
        client.holds.disable_group("night", note="moving")
        client.holds.enable_group("night")
        client.holds.pause("job", "hand")
        client.holds.resume("job", "hand")
        client.states.set("hand", {"n": 1})
        client.states.clear("hand")
        trail = list(reversed(client.audit.entries()))
        assert {(entry.actor, entry.origin) for entry in trail} == {("tester@here", "socket")}
        assert [(entry.action, entry.target) for entry in trail][:13] == [
            ("deactivate", "hand"),
            ("activate", "hand"),
            ("reload", ""),
            ("reload job", "hand"),
            ("create job", "made"),
            ("edit job", "made"),
            ("delete job", "made"),
            ("run job", "long"),
            ("cancel run", str(run.id)),
            ("disable group", "night"),
            ("enable group", "night"),
            ("pause job", "hand"),
            ("resume job", "hand"),
        ]
        assert len(trail) == 15
        assert (trail[0].before, trail[0].after) == ("WAITING", "INACTIVE")
        assert trail[5].before == trail[4].after != trail[5].after == trail[6].before
        shown = home.moontide("audit", "--target", "night", "--limit", "1").out
        assert (
            "\ttester@here\tsocket\tenable group\tnight\tgroup night is disabled by tester@here: moving"
            in shown
        )
        assert home.moontide("audit", "--who", "nobody", "--json").json == []
        assert home.moontide("audit", "--since", "-1h", "--who", "tester", "--json").json[0]["id"] == 15
        assert home.moontide("audit", "--since", "soon").code == 2


def test_what_was_refused_is_not_in_the_trail(home: Home) -> None:
    home.write("hand", HAND)
    with home.serving() as engine:
        assert home.moontide("activate", "nothing").code == 1
        assert home.moontide("resume", "hand").code == 1
        assert engine.client.audit.entries() == []
