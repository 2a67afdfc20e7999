"""The plugins that the documents show, as files of plugins_dir in a real engine."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Home, job
from tests.test_docs import plugin_blocks


@pytest.fixture
def home(home: Home) -> Home:
    """A home whose engine has the plugins of the documents, each in its file."""
    folder = home.path / "plugins"
    folder.mkdir()
    for block in plugin_blocks():
        (folder / block.words.removeprefix("plugin=")).write_text(block.text, "utf-8")
    home.settings('plugins_dir = "plugins"\nexecutor = "frugal"\n')
    return home


def test_the_examples_do_in_an_engine_what_their_pages_say(home: Home) -> None:
    home.write("deploy", job("core.sleep(0.6) return job.OK, run.data.branch", 'timeout = "1s"'))
    home.write("broken", job('error("no moon")', 'every = "10m", on_error = "until_monday", owner = "ann"'))
    home.write("lunar", job("return job.OK", 'moon = "full"'))
    with home.serving() as engine:
        views = {view.name: (view.status, view.reason) for view in engine.client.plugins()}
        started = engine.client.plugin("moontide_push", "push", method="POST", body={"branch": "main"})
        deployed = engine.finished(started["run"])
        log = engine.log(deployed.id)
        engine.run("broken")
        digest = home.moontide("digest", "failed")
        broken, lunar = engine.client.job("broken"), engine.client.job("lunar")
    # The dashboard finds screens of installed packages only.
    assert "must be in a module of the plugin's package" in views.pop("moontide_tags")[1]
    assert {reason for name, reason in views.items() if name.startswith("moontide_")} == {("loaded", "")}
    assert deployed.result == "main"
    assert [line for line in log if line.startswith("this run took 6")], log
    assert digest.code == 0
    assert "no moon" in digest.out
    assert (broken.status, broken.settings["owner"]) == ("SLEEPING", "ann")
    assert broken.next_run is not None
    assert broken.next_run.weekday() == 0
    assert lunar.schedule == "at each full moon"
    assert lunar.next_run is not None
