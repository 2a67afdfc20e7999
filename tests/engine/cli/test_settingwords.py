"""Values of settings in words."""

from __future__ import annotations

import pytest

from engine.cli.settingwords import setting_words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("every", 5400.0, "1h30m"),
        ("timeout", 0.5, "0.5s"),
        ("memory", 16 * 2**20, "16 MB"),
        ("retry_backoff", 2.0, "2"),
        ("retries", 3, "3"),
        ("active", True, "true"),
        ("description", 'Say "hello"', 'Say "hello"'),
        ("tags", {"team": "shop", "at night": ""}, '{ team = "shop", ["at night"] = "" }'),
        ("cron", ["0 9 * * *", "0 18 * * *"], '{ "0 9 * * *", "0 18 * * *" }'),
        ("groups", [], "-"),
        ("timeout", None, "-"),
    ],
)
def test_a_value_is_said_as_a_job_file_would(name: str, value: object, words: str) -> None:
    assert setting_words(name, value) == words
