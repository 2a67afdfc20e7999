"""core.template in real runs: what a template can say, and what it cannot reach or use up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.errors import SettingsError
from engine.extensions.modules import module_settings
from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from engine.states import RunStatus
from plugins.rendering.renderers import Renderers
from tests.lab import Lab, open_lab, open_pool, plugins_with

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "moontide.toml").write_text('[template]\ntimeout = "2s"\n')
    (tmp_path / "templates/mail").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("outside")
    return tmp_path


@pytest_asyncio.fixture(loop_scope="module")
async def lab(workers: tuple[WorkerPool, Plugins], home: Path) -> AsyncIterator[Lab]:
    async with open_lab(*workers, home, home, settings=load_settings(home)) as lab:
        yield lab


@pytest_asyncio.fixture(loop_scope="module")
async def renderers(home: Path) -> AsyncIterator[Renderers]:
    renderers = Renderers(home / "templates", seconds=5.0)
    yield renderers
    await renderers.close()


def put(home: Path, name: str, text: str) -> None:
    (home / "templates" / name).write_text(text)


async def render(lab: Lab, file: str, values: str = "{}") -> list[Any]:
    """Render in a job; return the values of the call."""
    text = f"""
local job = core.job()
function job.run()
  local text, problem, code = core.template.render({file!r}, {values})
  return job.OK, {{ text or core.NULL, problem, code }}
end
return job
"""
    outcome = await lab.run("template", text)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    found: list[Any] = outcome.result
    return found


async def test_values_loops_conditions_and_filters_are_filled_in(lab: Lab, home: Path) -> None:
    put(
        home,
        "mail/daily.txt",
        "{{ shop.name }}:{% for toy in toys %} {{ loop.index }}={{ toy.name|upper }}"
        "{% if toy.stock == 0 %}!{% endif %}{% endfor %} {{ missing }}{{ 1.5 * 2 }}",
    )
    values = (
        '{ shop = { name = "Moon" }, toys = { { name = "kite", stock = 0 }, { name = "ball", stock = 2 } } }'
    )
    assert await render(lab, "mail/daily.txt", values) == ["Moon: 1=KITE! 2=BALL 3.0"]


async def test_whole_numbers_print_as_such(lab: Lab, home: Path) -> None:
    put(home, "a.txt", "{{ total }} {{ total + 1 }}")
    assert await render(lab, "a.txt", "{ total = 12 }") == ["12 13"]


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("a.html", True), ("a.HTM", True), ("a.xml", True), ("a.txt", False), ("a.tpl", False)],
)
async def test_values_are_escaped_in_markup_only(lab: Lab, home: Path, name: str, escaped: bool) -> None:
    put(home, name, "<i>{{ x }}</i>{{ x|safe }}{{ x|e }}")
    sure, value = "&lt;b&gt;&amp;", "<b>&"
    first = sure if escaped else value
    assert await render(lab, name, '{ x = "<b>&" }') == [f"<i>{first}</i>{value}{sure}"]


async def test_templates_include_and_extend_others_of_the_folder(lab: Lab, home: Path) -> None:
    put(home, "base.txt", "[{% block body %}{% endblock %}]")
    put(home, "mail/part.txt", "part {{ x }}")
    put(home, "a.txt", '{% extends "base.txt" %}{% block body %}{% include "mail/part.txt" %}{% endblock %}')
    assert await render(lab, "a.txt", "{ x = 1 }") == ["[part 1]"]


async def test_raw_text_is_not_interpreted(lab: Lab, home: Path) -> None:
    put(home, "a.txt", "{% raw %}{{ x }}{% endraw %}")
    assert await render(lab, "a.txt") == ["{{ x }}"]


async def test_a_field_called_as_a_method_of_python_is_the_field(lab: Lab, home: Path) -> None:
    put(
        home,
        "a.txt",
        "{{ order.items }}{{ order.keys }}{% for k, v in plain.items() %}{{ k }}{{ v }}{% endfor %}",
    )
    assert await render(lab, "a.txt", "{ order = { items = 3, keys = 4 }, plain = { a = 1 } }") == ["34a1"]


async def test_strings_that_are_no_utf_8_are_shown_with_marks(lab: Lab, home: Path) -> None:
    put(home, "a.txt", "{{ x }}")
    assert await render(lab, "a.txt", '{ x = "a\\xff" }') == ["a\ufffd"]


async def test_a_changed_template_is_used_at_once(lab: Lab, home: Path) -> None:
    put(home, "part.txt", "old")
    put(home, "a.txt", '{% include "part.txt" %}')
    assert await render(lab, "a.txt") == ["old"]
    put(home, "part.txt", "new")
    assert await render(lab, "a.txt") == ["new"]


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "mail/../../outside.txt", "", "a//b"])
async def test_no_path_leads_out(lab: Lab, home: Path, path: str) -> None:
    assert (await render(lab, path))[2] == 801
    put(home, "a.txt", '{% include "' + path + '" %}')
    nothing, message, code = await render(lab, "a.txt")
    assert (nothing, code) == (None, 820), message


async def test_no_link_leads_out(lab: Lab, home: Path) -> None:
    (home / "templates/link.txt").symlink_to(home / "outside.txt")
    (home / "templates/up").symlink_to(home)
    for path in ("link.txt", "up/outside.txt"):
        assert (await render(lab, path))[2] == 820
        put(home, "a.txt", '{% include "' + path + '" %}')
        assert (await render(lab, "a.txt"))[2] == 820


async def test_a_missing_template_is_named(lab: Lab) -> None:
    _, message, code = await render(lab, "mail/no.txt")
    assert (code, "there is no template 'mail/no.txt'" in message) == (820, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\n{% for %}", "a.txt, line 2: "),
        ("one\ntwo\n{{ toy.name.first }}", "a.txt, line 3: "),
        ("{{ 1 / 0 }}", "a.txt, line 1: division by zero"),
        ("\n{{ 'a' + 1 }}", "a.txt, line 2: "),
        ("{{ x|nofilter }}", "a.txt, line 1: No filter named 'nofilter'"),
        ("{(other.tpl)} {{ {* x *} }}", "a.txt, line 1: "),
        ('{% include "a.txt" %}', "include each other"),
    ],
)
async def test_a_mistake_is_named_with_its_line(lab: Lab, home: Path, text: str, words: str) -> None:
    put(home, "a.txt", text)
    nothing, message, code = await render(lab, "a.txt")
    assert (nothing, code) == (None, 810)
    assert words in message
    assert str(home) not in message


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'].__mro__ }}",
        "{{ ''|attr('__class__') }}{{ (''|attr('__class__')).__mro__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__['os'].environ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "{{ x.append(1) }}",
        "{{ x.__setitem__(0, 1) }}",
    ],
)
async def test_a_template_reaches_nothing_but_its_values(lab: Lab, home: Path, text: str) -> None:
    put(home, "a.txt", text)
    answer = await render(lab, "a.txt", "{ x = { 1 } }")
    assert answer[0] is None or answer[0].strip() == "", answer


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x=2) %}{% for a in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "{{ 2 ** (10 ** 9) }}",
    ],
)
async def test_a_template_without_end_is_stopped_in_time(lab: Lab, home: Path, text: str) -> None:
    put(home, "a.txt", text)
    nothing, message, code = await render(lab, "a.txt")
    assert (nothing, code) == (None, 810)
    assert "longer than 2 s" in message
    put(home, "a.txt", "well")
    assert await render(lab, "a.txt") == ["well"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 1000001 }}",
        "{% for a in range(99999) %}xxxxxxxxxxxxxxx{% endfor %}",
        "{{ 'x' * 10 ** 10 }}",
        "{{ 'x'.ljust(10 ** 9) }}",
        "{{ 'x'|center(10 ** 9) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ range(10 ** 9)|list }}",
    ],
)
async def test_a_template_that_gives_or_takes_too_much_is_stopped(lab: Lab, home: Path, text: str) -> None:
    put(home, "a.txt", text)
    nothing, message, code = await render(lab, "a.txt")
    assert nothing is None, message
    assert code in (800, 810), message
    put(home, "a.txt", "well")
    assert await render(lab, "a.txt") == ["well"]


async def test_the_largest_text_that_fits_arrives(lab: Lab, home: Path) -> None:
    put(home, "a.txt", "{{ 'x' * 1000000 }}")
    (text,) = await render_length(lab, "a.txt")
    assert text == 1_000_000


async def render_length(lab: Lab, file: str) -> list[Any]:
    text = f"""
local job = core.job()
function job.run() return job.OK, {{ #assert(core.template.render({file!r}, {{}})) }} end
return job
"""
    outcome = await lab.run("length", text)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    found: list[Any] = outcome.result
    return found


async def test_wrong_arguments_are_named(lab: Lab, home: Path) -> None:
    put(home, "a.txt", "")
    assert (await render(lab, "a.txt", "nil"))[1:] == [
        "core.template.render: values must be a table, got nil",
        804,
    ]
    assert (await render(lab, "a.txt", '"x"'))[2] == 801
    assert (await render(lab, "a.txt", "{ 1, 2 }"))[2] == 801


async def test_permissions_cover_the_template(workers: Any, home: Path) -> None:
    (home / "moontide.toml").write_text('permissions = "declared"\n')
    put(home, "mail/a.txt", "mine")
    put(home, "b.txt", "other")
    text = """
local job = core.job { allow = { template = { "mail/" } } }
function job.run()
  return job.OK, { core.template.render("mail/a.txt", {}), (select(3, core.template.render("b.txt", {}))) }
end
return job
"""
    async with open_lab(*workers, home, home, settings=load_settings(home)) as lab:
        outcome = await lab.run("permitted", text)
    assert outcome.result == ["mine", 801], outcome.error


async def test_renderings_at_once_share_few_processes(home: Path, renderers: Renderers) -> None:
    put(home, "a.txt", "{{ x }}")
    texts = await asyncio.gather(*(renderers.render("a.txt", {"x": n}) for n in range(20)))
    assert texts == [str(n) for n in range(20)]
    assert 1 <= renderers.idle <= 2


async def test_processes_without_work_are_ended(home: Path) -> None:
    put(home, "a.txt", "{{ x }}")
    renderers = Renderers(home / "templates", seconds=5.0, idle_seconds=0.0)
    assert await renderers.render("a.txt", {"x": 1}) == "1"
    for _ in range(3):
        await asyncio.sleep(0)
    assert renderers.idle == 0
    assert await renderers.render("a.txt", {"x": 2}) == "2"
    await renderers.close()


async def test_a_rendering_that_is_given_up_leaves_no_answer_for_the_next(
    home: Path, renderers: Renderers
) -> None:
    put(
        home, "slow.txt", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}slow"
    )
    put(home, "a.txt", "mine")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await renderers.render("slow.txt", {})
    assert await renderers.render("a.txt", {}) == "mine"


def environment_of(process: Process) -> bytes:
    return Path(f"/proc/{process.pid}/environ").read_bytes()


async def test_the_processes_see_nothing_of_the_engines_environment(
    home: Path, renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONTIDE_SECRET_X", "opensesame")
    put(home, "a.txt", "")
    await renderers.render("a.txt", {})
    assert b"opensesame" not in environment_of(renderers._idle[0])


async def test_a_process_that_was_killed_meanwhile_is_replaced(home: Path, renderers: Renderers) -> None:
    put(home, "a.txt", "well")
    await renderers.render("a.txt", {})
    renderers._idle[0].kill()
    await renderers._idle[0].wait()
    assert await renderers.render("a.txt", {}) == "well"


@pytest.mark.parametrize(
    ("table", "words"),
    [({"timeout": "2h"}, "up to 60s"), ({"folder": ""}, "must be a path"), ({"dir": "x"}, "`dir`")],
)
async def test_a_wrong_table_is_refused(table: dict[str, Any], words: str) -> None:
    modules = {"template": plugins_with().modules["template"]}
    with pytest.raises(SettingsError, match=words):
        module_settings(modules, {"template": table})


async def test_the_engine_loads_no_jinja() -> None:
    program = "import sys, plugins.template; print('jinja2' in sys.modules)"
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    told, _ = await done.communicate()
    assert told == b"False\n"
