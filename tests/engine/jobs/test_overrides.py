"""An operator's settings in the place of a file's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.overrides import FILE, OPERATOR, merged, origins, replaced

KINDS = ("every", "cron", "at")

names = st.sampled_from([*KINDS, "timeout", "tags", "retries"])
tables = st.dictionaries(names, st.integers() | st.sampled_from(["5m", "shop"]))
changes = st.dictionaries(names, st.none() | st.integers())


@given(tables, changes)
def test_what_counts_is_the_operators_or_else_the_files(
    file: dict[str, Any], operator: dict[str, Any]
) -> None:
    counts = merged(file, operator, KINDS)
    whence = origins(file, operator, KINDS)
    for name, value in counts.items():
        assert value == (operator if whence[name] == OPERATOR else file)[name]
    assert {name for name, origin in whence.items() if origin == OPERATOR} == set(operator)


@given(tables, changes)
def test_each_value_of_the_file_counts_or_is_shown_as_replaced(
    file: dict[str, Any], operator: dict[str, Any]
) -> None:
    aside = replaced(file, operator, KINDS)
    kept = {name for name, origin in origins(file, operator, KINDS).items() if origin == FILE}
    assert set(aside) | kept == set(file)
    assert not set(aside) & kept


@given(tables)
def test_without_an_operator_the_file_is_all(file: dict[str, Any]) -> None:
    assert merged(file, {}, KINDS) == file


@pytest.mark.parametrize(
    ("operator", "counts"),
    [
        ({"every": "5m"}, {"every": "5m", "timeout": 9}),
        ({"every": None}, {"timeout": 9}),
        ({"timeout": None}, {"cron": "@daily"}),
        ({"at": ["2030-01-01T00:00:00"]}, {"at": ["2030-01-01T00:00:00"], "timeout": 9}),
    ],
)
def test_what_makes_a_job_due_is_replaced_as_one(operator: dict[str, Any], counts: dict[str, Any]) -> None:
    assert merged({"cron": "@daily", "timeout": 9}, operator, KINDS) == counts


def test_what_is_no_table_stays_what_it_is() -> None:
    assert merged(["nonsense"], {"every": 5}, KINDS) == ["nonsense"]
    assert origins(None, {"every": 5}, KINDS) == {"every": OPERATOR}
