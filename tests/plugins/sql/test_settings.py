"""The tables [mysql.NAME], [pg.NAME] and [sqlite.NAME]."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.calls.core import CoreModule
from engine.errors import SettingsError
from engine.extensions.modules import module_settings
from plugins.mysql import mysql
from plugins.pg import pg
from plugins.sql.driver import Address
from plugins.sql.servers import ServerSettings
from plugins.sqlite import sqlite

MODULES: dict[str, CoreModule] = {"mysql": mysql, "pg": pg, "sqlite": sqlite}
DOCS = Path(__file__).parents[3] / "docs" / "core"


def address(**settings: Any) -> Address:
    return msgspec.convert(settings, ServerSettings).source(3306, Path()).address


def test_a_url_holds_all() -> None:
    found = address(url="mysql://jobs:p%40ss%2Fword@db.example:3307/shop")
    assert (found.host, found.port, found.database) == ("db.example", 3307, "shop")
    assert (found.user, found.password) == ("jobs", "p@ss/word")


def test_single_keys_win_over_the_url() -> None:
    found = address(url="mysql://jobs:old@db.example/shop", password="new", port=3310)
    assert (found.host, found.port, found.user, found.password) == ("db.example", 3310, "jobs", "new")


def test_what_is_left_out_has_defaults() -> None:
    found = address(database="shop")
    assert (found.host, found.port, found.user, found.password) == ("127.0.0.1", 3306, None, None)


@pytest.mark.parametrize(
    "table",
    [
        {"url": "mysql://jobs:sesame@host:port/shop"},
        {"url": "http://jobs:sesame@host/shop"},
        {"url": "mysql://jobs:sesame@host"},
        {"url": "mysql://jobs:sesame@host/shop?ssl=1"},
        {"url": "mysql://jobs:ses?ame@host/shop"},
        {"url": "jobs:sesame@host/shop"},
        {"url": "mysql://jobs:sesame@host/shop", "connections": 0},
        {"url": "mysql://jobs:sesame@host/shop", "query_timeout": "soon"},
        {"url": "mysql://jobs:sesame@host/shop", "init_command": "SELECT 1"},
        {"user": "jobs", "password": "sesame"},
    ],
)
def test_wrong_settings_are_refused_without_the_password(table: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"\[mysql\.shop\]") as caught:
        module_settings({"mysql": mysql}, {"mysql": {"shop": table}})
    assert not re.search(r"ses\??ame", str(caught.value))


def test_nothing_that_holds_a_password_shows_it() -> None:
    settings = ServerSettings(url="mysql://jobs:sesame@host/shop")
    assert "sesame" not in f"{settings!r} {settings.source(3306, Path())!r}"


@pytest.mark.parametrize("module", MODULES)
def test_settings_shown_in_the_page_are_good(module: str) -> None:
    shown = re.findall(r"(?ms)^```toml\n(.*?)^```$", (DOCS / f"{module}.md").read_text("utf-8"))
    assert shown
    for text in shown:
        module_settings(MODULES, tomllib.loads(text))


@pytest.mark.parametrize(("module", "kind"), [("mysql", ServerSettings), ("sqlite", sqlite.settings)])
def test_every_key_is_in_the_page_with_its_default(module: str, kind: Any) -> None:
    if module == "sqlite":
        kind = kind.__args__[1]
    text = (DOCS / f"{module}.md").read_text("utf-8")
    for field in msgspec.structs.fields(kind):
        row = re.search(rf"(?m)^\| `{field.name}` \| (\S+)", text)
        assert row, f"{field.name} is not in {module}.md"
        if field.default not in (None, msgspec.NODEFAULT):
            assert row[1] == "`" + msgspec.json.encode(field.default).decode() + "`"
