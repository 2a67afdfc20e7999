"""The settings as the dashboard lists them: what counts, where it is from, and no secrets."""

from __future__ import annotations

import pytest

from engine.settings import Settings, setting_fields, settings_from
from engine.settings.views import HIDDEN, setting_views
from engine.views import EngineSettingView

SECRET = "hunter2hunter2"


def views(settings: Settings) -> dict[str, EngineSettingView]:
    return {view.key: view for view in setting_views(settings)}


def test_every_setting_is_listed_with_its_default() -> None:
    listed = views(settings_from({}))
    assert list(listed) == [key for key, _ in setting_fields()]
    assert {view.origin for view in listed.values()} == {"default"}
    assert listed["pool.size"].value == listed["pool.size"].default == "10"


def test_durations_and_sizes_read_as_somebody_writes_them() -> None:
    listed = views(settings_from({"limits": {"timeout": "90m", "memory": "32MB"}}))
    assert (listed["limits.timeout"].value, listed["limits.memory"].value) == ("1h30m", "32 MB")
    assert listed["retention.age"].value == listed["retention.age"].default == "90d"


def test_a_variable_wins_over_the_file_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONTIDE_POOL__SIZE", "7")
    listed = views(settings_from({"pool": {"size": 3}, "timezone": "Europe/Berlin"}))
    size, zone = listed["pool.size"], listed["timezone"]
    assert (size.value, size.origin, size.variable) == ("7", "environment", "MOONTIDE_POOL__SIZE")
    assert (zone.value, zone.origin) == ("Europe/Berlin", "moontide.toml")


def test_secrets_are_said_to_be_set_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONTIDE_MYSQL__SHOP__URL", f"mysql://shop:{SECRET}@127.0.0.1/shop")
    content = {
        "api": {
            "tcp": "127.0.0.1:0",
            "token": SECRET,
            "tokens": {"anna": {"token": f"{SECRET}-anna", "role": "viewer"}},
        },
        "heartbeat": {"url": f"https://example.com/{SECRET}"},
        "database": f"postgresql+psycopg://moon:{SECRET}@127.0.0.1/moon",
        "email": {"password": SECRET, "port": 25, "headers": [SECRET]},
    }
    listed = views(settings_from(content))
    assert SECRET not in repr(listed)
    hidden = ("api.token", "api.tokens", "heartbeat.url", "database", "email.password", "mysql.shop.url")
    assert {listed[key].value for key in hidden} == {HIDDEN}
    assert listed["mysql.shop.url"].origin == "environment"
    assert (listed["email.port"].value, listed["email.port"].origin) == ("25", "moontide.toml")


def test_a_secret_that_is_not_set_is_empty() -> None:
    assert views(settings_from({}))["api.token"].value == ""
