"""Settings as people type them into a form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.jobs.jobedit import change_settings, read_table
from engine.jobs.jobfile import SETTINGS
from engine.jobs.typedvalues import typed_text, typed_value

BY_NAME = {one.name: one for one in SETTINGS}


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("every", "2m", "2m"),
        ("every", " 90 ", 90),
        ("every", '"2m"', "2m"),
        ("every", "", None),
        ("cron", "0 9 * * *", "0 9 * * *"),
        ("cron", '{ "0 9 * * *", "0 18 * * *" }', ["0 9 * * *", "0 18 * * *"]),
        (
            "at",
            '"2026-12-24T18:00:00", "2026-12-25T18:00:00"',
            ["2026-12-24T18:00:00", "2026-12-25T18:00:00"],
        ),
        ("retries", "3", 3),
        ("retries", "unlimited", "unlimited"),
        ("description", "5", "5"),
        ("description", "true", "true"),
        ("description", 'Say "hello", twice', 'Say "hello", twice'),
        ("description", '"  padded"', "  padded"),
        ("version", "1.20", "1.20"),
        ("run_once", "true", True),
        ("run_once", "yes", "yes"),
        ("tags", 'team = "shop", "night"', {"night": "", "team": "shop"}),
        ("tags", "{ team = 'shop' }", {"team": "shop"}),
        ("allow", "email = true", {"email": True}),
        ("priority", "1 } , x = { 2", "1 } , x = { 2"),
        ("priority", "1 -- one", "1 -- one"),
    ],
)
def test_a_typed_text_means(name: str, typed: str, value: Any) -> None:
    assert typed_value(BY_NAME[name], typed) == value


@given(st.sampled_from(SETTINGS), st.text(max_size=30))
def test_any_text_has_a_meaning_that_a_file_can_hold(setting: Any, text: str) -> None:
    changed = change_settings("core.job {}", {setting.name: typed_value(setting, text)})
    assert (read_table(changed).entry(setting.name) is None) is (not text.strip())


texts = st.text("""ab 01.m\"\'\\{}=,-[]\n""", max_size=10)
scalars = st.one_of(st.booleans(), st.integers(-100, 100), st.floats(-10, 10), texts)


@given(
    st.sampled_from(SETTINGS),
    st.one_of(
        scalars, st.lists(scalars, min_size=1, max_size=3), st.dictionaries(texts, scalars, min_size=1)
    ),
)
def test_what_a_form_shows_means_what_the_file_says(setting: Any, value: Any) -> None:
    assume(isinstance(value, str) or setting.type not in (str, str | None))
    entry = read_table(change_settings("core.job {}", {setting.name: value})).entry(setting.name)
    assert entry is not None
    shown = typed_text(setting, entry)
    assume("\n" not in shown)
    assert typed_value(setting, shown) == value
