"""Plugins are found, checked and listed; a bad one is put aside and stops nobody."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engine.extensions.plugins import Candidate, Plugins, find_plugins, load_plugins


def stranger(name: str) -> Candidate:
    entry = EntryPoint(name=name, value=f"tests.engine.strangers.{name}", group="moontide")
    return Candidate(name=name, version="1.0", origin="strangers", entry=entry)


def load(*names: str) -> Plugins:
    return load_plugins(candidates=[*find_plugins(), *map(stranger, names)])


def view(plugins: Plugins, name: str) -> tuple[str, str]:
    found = next(view for view in plugins.views if view.name == name)
    return found.status, found.reason


def test_the_engines_own_modules_come_through_the_same_door() -> None:
    plugins = load_plugins()
    assert {"log", "data", "sleep"} <= plugins.modules.keys()
    assert {view.origin for view in plugins.views if view.name in ("log", "data", "sleep")} == {"moontide"}


def test_a_strangers_module_is_added() -> None:
    plugins = load("slack")
    assert plugins.modules["slack"].functions.keys() == {"post"}
    assert view(plugins, "slack") == ("loaded", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("misspelt", "moontide_core_modlues"),
        ("wrong_arguments", "surprise"),
        ("raising", "no connection to the moon"),
        ("not_modules", "must return CoreModule objects, not int"),
        ("empty", "implements no hook"),
        ("exits", "SystemExit: no moon tonight"),
        ("not_subscribers", "must return EventSubscriber objects, not builtin_function_or_method"),
        ("nowhere", "No module named"),
    ],
)
def test_a_broken_plugin_is_put_aside_with_its_reason(name: str, reason: str) -> None:
    plugins = load(name, "slack")
    status, words = view(plugins, name)
    assert status == "failed"
    assert reason in words
    assert "slack" in plugins.modules
    assert any(name in problem for problem in plugins.problems())


def test_a_built_in_wins_a_name_clash_and_the_loser_is_told() -> None:
    plugins = load("takes_log")
    status, reason = view(plugins, "takes_log")
    assert (status, reason) == ("loaded", "core.log is taken already; this plugin's module is not used")
    assert plugins.modules["log"].summary != "Mine."
    assert "extra" in plugins.modules


def test_a_plugin_that_fails_halfway_adds_nothing() -> None:
    plugins = load("not_subscribers")
    assert "halfway" not in plugins.modules
    assert [plugin for plugin, _ in plugins.subscribers if plugin == "not_subscribers"] == []


def test_a_plugin_with_the_name_of_a_built_in_one_does_not_push_it_out() -> None:
    entry = EntryPoint(name="log", value="tests.engine.strangers.raising", group="moontide")
    plugins = load_plugins(candidates=[*find_plugins(), Candidate("log", "1.0", "strangers", entry)])
    assert [view.status for view in plugins.views if view.name == "log"] == ["loaded", "failed"]
    assert "log" in plugins.modules


def test_subscribers_are_kept_with_the_name_of_their_plugin() -> None:
    names = [plugin for plugin, _ in load("listening").subscribers]
    assert names == ["alert_email", "alert_webhook", *["listening"] * 3]


ONE_FILE = """
from moontide import CoreModule, hookimpl

__version__ = "0.7"

@hookimpl
def moontide_core_modules():
    return [CoreModule("tide", summary="Tells the tide.")]
"""


def test_one_file_plugins_are_found_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "tide.py").write_text(ONE_FILE, "utf-8")
    (tmp_path / "broken.py").write_text("this is no Python", "utf-8")
    (tmp_path / "_helper.py").write_text("raise RuntimeError", "utf-8")
    plugins = load_plugins(folder=tmp_path)
    tide = next(one for one in plugins.views if one.name == "tide")
    assert "tide" in plugins.modules
    assert (tide.version, tide.origin, tide.status) == ("0.7", str(tmp_path / "tide.py"), "loaded")
    assert view(plugins, "broken")[0] == "failed"
    assert "_helper" not in {one.name for one in plugins.views}


def test_a_folder_of_plugins_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert load_plugins(folder=tmp_path / "gone").problems() == [
        f"plugins_dir: there is no folder {tmp_path / 'gone'}"
    ]


def test_disabling_what_does_not_exist_is_a_problem() -> None:
    problems = load_plugins(["slepe"]).problems()
    assert problems == ["no plugin is called slepe, so it cannot be disabled; `moontide plugins` lists them"]


def test_a_disabled_plugin_is_listed_and_not_loaded() -> None:
    plugins = load_plugins(["sleep"])
    assert "sleep" not in plugins.modules
    assert view(plugins, "sleep")[0] == "disabled"
