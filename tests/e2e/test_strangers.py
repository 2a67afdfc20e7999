"""A plugin of its own distribution, built and installed as users do, in a real engine."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Home, job
from tests.e2e.installed import EXAMPLES, REPOSITORY, carry_out, install
from tests.e2e.processes import until

pytestmark = pytest.mark.long

EXAMPLE = EXAMPLES / "moontide-slack"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has Moontide, the example plugin and pytest."""
    return install(tmp_path_factory.mktemp("strangers"), REPOSITORY, EXAMPLE, also=("pytest>=9.0",))


class Channel:
    """A web server that stands in for Slack."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        texts = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/key"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def channel() -> Iterator[Channel]:
    channel = Channel()
    yield channel
    channel.close()


@pytest.fixture
def home(tmp_path: Path, programs: Path) -> Home:
    """A home folder whose command is the one of the fresh environment."""
    return Home(tmp_path / "home", str(programs / "moontide"))


FLAKY = job('if run.data.fail then error("no moon") end\nreturn job.OK')
POST = job("return job.OK, { posted = core.slack.post(run.data.text), called = core.slack('short') }")


def test_the_tests_of_the_example_pass_where_it_is_installed(programs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(EXAMPLE, tmp_path / "example")
    for module in copy.glob("*.py"):
        module.unlink()
    out = carry_out(str(programs / "python"), "-m", "pytest", "-q", cwd=copy)
    assert "7 passed" in out


def test_jobs_post_and_the_channel_hears_of_failed_and_recovered_jobs(home: Home, channel: Channel) -> None:
    home.settings(f'[slack]\nwebhook = "{channel.url}"\n')
    home.write("post", POST)
    home.write("flaky", FLAKY)
    with home.serving() as engine:
        posted = engine.run("post", {"text": "ebb"})
        engine.run("flaky", {"fail": True})
        until(lambda: len(channel.texts) == 3)
        engine.run("flaky", {"fail": False})
        until(lambda: len(channel.texts) == 4)
        listed = home.moontide("plugins", "--json").json
    assert posted.result == {"posted": True, "called": True}
    assert channel.texts[:2] == ["ebb", "short"]
    assert channel.texts[2].startswith("Job flaky failed (ERROR, run ")
    assert channel.texts[2].endswith("no moon")
    assert channel.texts[3].startswith("Job flaky works again")
    slack = next(plugin for plugin in listed if plugin["name"] == "slack")
    assert slack == {
        "name": "slack",
        "version": "1.0",
        "origin": "moontide-slack",
        "hooks": [
            "moontide_api_routes",
            "moontide_commands",
            "moontide_core_modules",
            "moontide_dashboard_screens",
            "moontide_event_subscribers",
            "moontide_job_settings",
        ],
        "core": ["slack"],
        "status": "loaded",
        "reason": "",
        "adds": [
            "core.slack",
            "subscriber to RunFinished",
            "setting slack_tell",
            "routes /v1/plugins/slack",
            "command slack",
            "screen Slack",
        ],
        "screens": [{"title": "Slack", "key": "f9", "path": "moontide_slack_screen:SlackScreen"}],
    }
    assert channel.url not in engine.complaints + engine.output


def test_its_commands_ask_its_routes_and_what_they_change_is_audited(home: Home, channel: Channel) -> None:
    home.settings(f'[slack]\nwebhook = "{channel.url}"\n')
    home.write("flaky", FLAKY)
    absent = home.moontide("slack", "test")
    with home.serving() as engine:
        posted = home.moontide("slack", "test", "neap")
        engine.run("flaky", {"fail": True})
        until(lambda: len(channel.texts) == 2)
        failing = home.moontide("slack", "failing", "--json")
        wrong = home.moontide("slack", "tset")
        channel.close()
        refused = home.moontide("slack", "test")
        api = httpx.Client(transport=httpx.HTTPTransport(uds=str(home.path / "moontide.sock")))
        described = api.get("http://moontide/openapi.json").json()["paths"]
        api.close()
    audited = home.base.rows("SELECT action, target FROM audit WHERE target LIKE 'plugin%'")
    assert (absent.code, absent.out) == (3, "")
    assert (posted.code, posted.out) == (0, "posted\n")
    assert channel.texts[0] == "neap"
    assert failing.json == ["flaky"]
    assert wrong.code == 2
    assert (refused.code, refused.err) == (
        1,
        "moontide: core.slack.post: Slack was not reached: ConnectError\n",
    )
    assert {"/v1/plugins/slack/test", "/v1/plugins/slack/failing"} <= described.keys()
    assert audited == [("POST /test", "plugin slack")] * 2


def test_the_help_lists_commands_of_plugins_and_a_disabled_one_has_none(home: Home) -> None:
    helped = home.moontide("--help")
    home.settings('plugins.disable = ["slack"]\n')
    disabled = home.moontide("slack", "test")
    assert "Commands of plugins:\n  slack  Test the Slack channel, list what it heard." in helped.out
    assert disabled.code == 2
    assert "No such command 'slack'" in disabled.err


def test_a_plugin_without_its_settings_is_put_aside_and_the_engine_works(home: Home) -> None:
    home.write("post", job("local _, words = core.slack.post('x')\nreturn job.OK, words"))
    with home.serving() as engine:
        run = engine.run("post")
        [slack] = [plugin for plugin in engine.client.plugins() if plugin.name == "slack"]
        problems = engine.client.status().problems
    assert run.result == "core.slack is out of order; `moontide plugins` shows why"
    assert slack.status == "failed"
    assert slack.reason.startswith("core.slack could not be made ready: set the address of the channel")
    assert len(problems) == 1


def test_a_disabled_plugin_is_not_there_and_its_table_is_only_remarked(home: Home) -> None:
    home.settings('[slack]\nwebhook = "http://127.0.0.1:9/"\n')
    home.write("look", job("return job.OK, tostring(core.slack)"))
    with home.serving("serve", "--disable", "slack") as engine:
        assert engine.run("look").result == "nil"
        [slack] = [plugin for plugin in engine.client.plugins() if plugin.name == "slack"]
        problems = engine.client.status().problems
    assert (slack.status, slack.core) == ("disabled", [])
    assert any("[slack]" in problem for problem in problems)
