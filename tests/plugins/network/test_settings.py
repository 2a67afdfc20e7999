"""What the operator may set for core.network."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.network.settings import NetworkSettings
from tests.plugins.network.pages import (
    Desk,
    OpenDesk,
    in_module_loop,
    says,
)
from tests.plugins.web import answer, serve

pytestmark = in_module_loop


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"allow": ["http://nas"]}, "is neither a host nor an address"),
        ({"timeout": "0s"}, "timeout = '0s': must be more than 0"),
        ({"timeout": "soon"}, "is not a duration"),
        ({"max_body": "11MB"}, "must be between 1 byte and 10 MB"),
        ({"max_redirects": -1}, "must be between 0 and 20"),
        ({"user_agent": "a\nb"}, "user_agent: must be plain ASCII text"),
    ],
)
async def test_a_wrong_setting_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NetworkSettings(**values)


async def test_settings_of_the_operator_hold(open_desk: OpenDesk) -> None:
    desk = await open_desk('allow = ["127.0.0.1"]\nuser_agent = "Shop/1"\nmax_redirects = 0')
    async with serve(says(answer(302, Location="/b"))) as web:
        assert await desk.run("return job.OK, { core.network.get(run.data.url).status }", url=web.url()) == [
            302
        ]
    assert web.seen[0].headers["user-agent"] == "Shop/1"


async def test_a_job_that_runs_once_fetches_its_configuration_and_keeps_it(desk: Desk) -> None:
    body = """
      local wanted, problem = core.network.getJson(run.data.url)
      if not wanted then core.log(problem) return job.EXIT end
      local store = core.data("configuration")
      local id, refused = store:save(wanted)
      return job.OK, { id = id, refused = refused, kept = store:get(id) }"""
    async with serve(says(answer(200, b'{"theme": "dark", "level": 3}'))) as web:
        kept = await desk.run(body, url=web.url("/config.json"))
    assert kept["kept"] == {"_id": kept["id"], "theme": "dark", "level": 3}
    assert await desk.run(body.replace("return job.EXIT", "return job.OK, 0"), url="http://127.0.0.1:9/") == 0
