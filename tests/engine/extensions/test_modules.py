"""Core modules get their own tables of moontide.toml, and their services are opened and closed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.calls.core import CoreModule, ServiceContext
from engine.errors import PluginError, SettingsError
from engine.extensions.modules import Unready, module_settings, open_services
from engine.extensions.plugins import load_plugins
from engine.settings import load_settings
from tests.engine.extensions.test_plugins import stranger

CONTEXT = ServiceContext(home=Path("/srv/moontide"))


class ShopSettings(msgspec.Struct, forbid_unknown_fields=True):
    url: str = "http://shop.example"
    retries: int = 3


def shop() -> dict[str, CoreModule]:
    return {"shop": CoreModule("shop", summary="For tests.", settings=ShopSettings)}


def test_a_module_gets_its_defaults_without_a_table() -> None:
    assert module_settings(shop(), {}) == {"shop": ShopSettings()}


def test_a_module_gets_its_table_and_its_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moontide.toml").write_text('[shop]\nurl = "http://other.example"\nretries = 1\n')
    monkeypatch.setenv("MOONTIDE_SHOP__RETRIES", "7")
    tables = load_settings(tmp_path).module_tables
    assert module_settings(shop(), tables) == {"shop": ShopSettings("http://other.example", 7)}


def test_a_variable_changes_one_key_of_a_table_inside_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moontide.toml").write_text(
        '[mysql.shop]\nurl = "mysql://old"\nmost_rows = 5\n[mysql.crm]\nurl = "mysql://crm"\n'
    )
    monkeypatch.setenv("MOONTIDE_MYSQL__SHOP__URL", "mysql://new")
    assert load_settings(tmp_path).module_tables["mysql"] == {
        "shop": {"url": "mysql://new", "most_rows": 5},
        "crm": {"url": "mysql://crm"},
    }


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"shopp": {}}, r"no core module takes a table \[shopp\]; did you mean \[shop\]\?"),
        ({"shop": {"retries": "many"}}, r"\[shop\] retries: Expected `int`"),
        ({"shop": {"colour": 1}}, r"\[shop\] Object contains unknown field `colour`"),
    ],
)
def test_a_wrong_table_is_refused_by_its_name(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        module_settings(shop(), tables)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"east": {"retries": "many"}}, r"\[shop\.east\] retries: Expected `int`"),
        ({"east": {}, "west": {"colour": 1}}, r"\[shop\.west\] Object contains unknown field `colour`"),
        ({"url": "http://other.example"}, r"\[shop\.url\] Expected `object`, got `str`"),
    ],
)
def test_a_wrong_table_among_several_is_refused_by_its_name(table: dict[str, Any], words: str) -> None:
    modules = {"shop": CoreModule("shop", summary="For tests.", settings=dict[str, ShopSettings])}
    with pytest.raises(SettingsError, match=words):
        module_settings(modules, {"shop": table})


async def test_services_are_opened_with_their_settings_and_closed_in_the_end() -> None:
    modules, story = shop(), []

    @modules["shop"].service
    @asynccontextmanager
    async def serve(settings: ShopSettings, context: ServiceContext) -> AsyncIterator[str]:
        story.append(f"open {settings.url} in {context.home}")
        yield "the client"
        story.append("close")

    async with AsyncExitStack() as parts:
        services = await open_services(modules, module_settings(modules, {}), CONTEXT, parts)
        assert services == {"shop": "the client"}
    assert story == ["open http://shop.example in /srv/moontide", "close"]


async def test_a_service_that_does_not_open_names_its_module() -> None:
    modules = shop()

    @modules["shop"].service
    @asynccontextmanager
    async def serve(settings: ShopSettings, context: ServiceContext) -> AsyncIterator[str]:
        raise OSError("no route")
        yield ""

    async with AsyncExitStack() as parts:
        with pytest.raises(PluginError, match=r"core\.shop could not be made ready: no route"):
            await open_services(modules, {}, CONTEXT, parts)


async def test_a_strangers_service_that_does_not_open_is_set_aside() -> None:
    plugins = load_plugins(candidates=[stranger("no_service")])
    async with AsyncExitStack() as parts:
        services = await open_services(plugins.modules, {}, CONTEXT, parts, set_aside=plugins.set_aside)
    assert services == {"gate": Unready("core.gate could not be made ready: the key does not fit")}
    assert plugins.problems() == [
        "plugin no_service: core.gate could not be made ready: the key does not fit"
    ]


async def test_a_service_that_fails_while_it_closes_leaves_the_others_to_close() -> None:
    modules, story = shop() | {"other": CoreModule("other", summary="For tests.")}, []

    @modules["shop"].service
    @asynccontextmanager
    async def first(settings: ShopSettings, context: ServiceContext) -> AsyncIterator[None]:
        yield
        story.append("closed")

    @modules["other"].service
    @asynccontextmanager
    async def second(settings: None, context: ServiceContext) -> AsyncIterator[None]:
        yield
        raise RuntimeError("it sticks")

    async with AsyncExitStack() as parts:
        await open_services(modules, {}, CONTEXT, parts)
    assert story == ["closed"]


def test_a_strangers_wrong_table_sets_only_its_module_aside() -> None:
    asked: list[str] = []

    def set_aside(module: str, reason: str) -> bool:
        asked.append(module)
        return True

    settings = module_settings(shop(), {"shop": {"retries": "many"}}, set_aside=set_aside)
    assert isinstance(settings["shop"], Unready)
    assert asked == ["shop"]


def test_a_table_of_an_absent_plugin_is_told_and_stops_nothing() -> None:
    told: list[str] = []
    assert module_settings({}, {"slack": {"token": "x"}}, unclaimed=told.append) == {}
    assert told == ["moontide.toml: no core module takes a table [slack]; there are none"]
