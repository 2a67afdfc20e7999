"""Screens of plugins: opened by key and by name, loaded from the plugin alone, harmless when they fail."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual.binding import Binding

from engine.api.server import ApiServer
from engine.errors import PluginError
from engine.extensions.plugins import Candidate, load_plugins
from engine.extensions.surfaces import SCREEN_KEYS
from engine.views import PluginView, ScreenView
from tests.engine.api.memory_engine import MemoryEngine
from tests.engine.conftest import until
from tests.test_docs import blocks
from tests.tui.conftest import Sit
from tui.app import Dashboard
from tui.model.added import AddedScreen
from tui.screens.loading import load_screen

BROKEN = """
from moontide.dashboard import ReportScreen

class Broken(ReportScreen):
    async def report(self):
        raise RuntimeError("no lines tonight")

class Shades(ReportScreen):
    async def report(self):
        return ["plain [b]text[/b]", [("odd \\x1b[31m", "purple"), ("good", "ok")]]

class NoScreen:
    pass
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the plugin of the documents whose screen is shown, and a broken one."""
    folder = tmp_path / "site"
    for name in ("moontide_tags", "moontide_ill"):
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
        (about / "entry_points.txt").write_text(f"[moontide]\n{name} = {name}\n", "utf-8")
    for block in blocks("python"):
        kind, _, file = block.words.partition("=")
        if kind in ("plugin", "module") and file.startswith("moontide_tags"):
            (folder / file).write_text(block.text, "utf-8")
    (folder / "moontide_ill_screen.py").write_text(BROKEN, "utf-8")
    (folder / "moontide_ill.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("moontide_tags", "moontide_tags_screen", "moontide_ill_screen"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def view(plugin: str, title: str, key: str, path: str) -> PluginView:
    return PluginView(plugin, "1.0", plugin, [], [], "loaded", "", screens=[ScreenView(title, key, path)])


TAGS = view("moontide_tags", "Tags", "f4", "moontide_tags_screen:TagsScreen")


async def test_a_key_opens_the_screen_of_a_plugin(engine: MemoryEngine, server: ApiServer, sit: Sit) -> None:
    engine.plugin_views = [TAGS]
    some = next(iter(engine.jobs()))
    engine.views[some.name] = replace(some, tags={"shop": "", "night": ""})
    async with sit() as seat:
        await until(lambda: bool(seat.app.context.added))
        await seat.press("f4")
        await seat.reads(" Tags", "JOBS  TAG", "1  shop", "1  night")
        await seat.press("escape")
        await seat.reads(some.name)


async def test_the_help_and_the_list_of_actions_have_it(
    engine: MemoryEngine, server: ApiServer, sit: Sit
) -> None:
    engine.plugin_views = [TAGS]
    async with sit(size=(80, 60)) as seat:
        await until(lambda: bool(seat.app.context.added))
        await seat.press("question_mark")
        await seat.reads("Added by plugins", "F4", "Tags (plugin moontide_tags)")
        await seat.press("escape", "ctrl+p")
        await seat.type("tags")
        await seat.reads("key F4, plugin moontide_tags")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("moontide_ill_screen:Broken", "this screen failed: RuntimeError: no lines tonight"),
        ("moontide_ill_screen:Shades", "plain [b]text[/b]"),
        ("moontide_ill_screen:NoScreen", "is no ReportScreen"),
        ("moontide_ill_screen:Absent", "AttributeError"),
        ("os:system", "not installed where this dashboard"),
    ],
)
async def test_whatever_a_screen_does_the_dashboard_goes_on(
    engine: MemoryEngine, server: ApiServer, sit: Sit, path: str, words: str
) -> None:
    engine.plugin_views = [view("moontide_ill", "Ill", "f9", path)]
    async with sit(size=(120, 40)) as seat:
        await until(lambda: bool(seat.app.context.added))
        await seat.press("f9")
        await seat.reads(words)
        await seat.press("escape", "h")
        await seat.reads("runs")


def test_an_engines_word_alone_imports_nothing() -> None:
    with pytest.raises(PluginError, match="is not installed where this dashboard runs"):
        load_screen(AddedScreen("moontide_tags", "Tags", "", "antigravity:geohash"))
    assert "antigravity" not in sys.modules


def test_the_dashboard_itself_uses_no_key_of_plugins_everywhere() -> None:
    own = {key for one in Dashboard.BINDINGS if isinstance(one, Binding) for key in one.key.split(",")}
    assert own.isdisjoint(SCREEN_KEYS)


def test_screens_that_no_dashboard_would_find_are_refused_with_the_reason(tmp_path: Path) -> None:
    text = next(block.text for block in blocks("python") if block.words == "plugin=moontide_tags.py")
    (tmp_path / "moontide_tags.py").write_text(text, "utf-8")
    [loaded] = [one for one in load_plugins(folder=tmp_path).views if one.origin.endswith("moontide_tags.py")]
    assert loaded.screens == []
    assert "must be in a module of the plugin's package" in loaded.reason


def test_of_two_screens_on_one_key_the_second_is_refused(installed: Path) -> None:
    from importlib.metadata import EntryPoint

    entry = EntryPoint("tags", "moontide_tags", "moontide")
    first = Candidate("tags", "1.0", "one", entry)
    plugins = load_plugins(candidates=[first, replace(first, origin="two")])
    assert [len(one.screens) for one in plugins.views] == [1, 0]


def test_the_engine_loads_no_screen_and_no_part_of_the_dashboard(installed: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from engine.extensions.plugins import load_plugins\n"
        "plugins = load_plugins()\n"
        "import engine.service\n"
        "assert [one for one in plugins.views if one.screens], plugins.views\n"
        "screens = [n for n in sys.modules if n.partition('.')[0] in ('tui', 'textual')]\n"
        "print(screens, 'moontide_tags_screen' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(installed)], capture_output=True, text=True)
    assert done.stdout == "[] False\n", done.stderr
