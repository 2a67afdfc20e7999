"""SQL from tables, without a database: nothing that a job passes becomes part of the text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from plugins.sql import build
from plugins.sql.build import BuildError, Statement
from plugins.sql.dialects import MYSQL, POSTGRESQL, SQLITE, Dialect
from plugins.sql.functions import first_word
from plugins.sql.options import Delete, Insert, Select, SelectCount, Update

dialects = st.sampled_from([MYSQL, POSTGRESQL, SQLITE])
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()
columns = st.text("abcXYZ_0 $-éß", min_size=1, max_size=12)
entries = st.dictionaries(
    columns, scalars | st.lists(scalars, min_size=1, max_size=3), min_size=1, max_size=4
)
wheres = entries | st.lists(entries, min_size=1, max_size=3)


def text_of(statement: Statement) -> str:
    return statement.render(lambda _: "?")


def where_of(where: Any) -> str:
    return text_of(build.select(MYSQL, Select("t", where=where))).partition(" WHERE ")[2]


def values_in(where: Any) -> list[Any]:
    found = []
    for entry in where if isinstance(where, list) else [where]:
        plain = [value for value in entry.values() if not isinstance(value, list)]
        wrapped = [one for value in entry.values() if isinstance(value, list) for one in value]
        found += plain + wrapped
    return [value for value in found if value is not None]


def without_names(text: str, dialect: Dialect) -> str:
    return re.sub(f"{dialect.quote}[^{dialect.quote}]*{dialect.quote}", "name", text)


@given(dialects, wheres)
def test_values_of_where_are_bound_in_order_and_never_in_the_text(dialect: Dialect, where: Any) -> None:
    statement = build.delete(dialect, Delete("t", where=where))
    assert list(statement.values) == values_in(where)
    rest = without_names(text_of(statement), dialect)
    assert re.fullmatch(r"DELETE FROM name WHERE (name=\?|name IS NULL| AND | OR |[()])+", rest)


@given(dialects, wheres)
def test_parentheses_of_where_stand_in_pairs_round_alternatives_only(dialect: Dialect, where: Any) -> None:
    rest = without_names(text_of(build.select(dialect, Select("t", where=where))), dialect)
    outside = re.sub(r"\([^()]*\)", "", rest.partition(" WHERE ")[2])
    assert " OR " not in outside
    assert "(" not in outside
    assert all(" AND " not in group for group in re.findall(r"\([^()]*\)", rest))


@given(dialects, st.dictionaries(columns, scalars, min_size=1, max_size=5))
def test_values_of_insert_and_update_are_bound(dialect: Dialect, values: dict[str, Any]) -> None:
    assert build.insert(dialect, Insert("t", values)).values == tuple(values.values())
    changed = build.update(dialect, Update("t", values, {"id": 1}))
    assert changed.values == (*values.values(), 1)


@given(dialects, st.text(min_size=1, max_size=300))
def test_a_name_is_quoted_whole_or_refused(dialect: Dialect, name: str) -> None:
    try:
        quoted = build.quoted(dialect, name, "tbl")
    except BuildError:
        return
    quote = dialect.quote
    assert quoted == ".".join(quote + part + quote for part in name.split("."))
    assert quote not in name
    assert all(0 < len(part.encode()) <= dialect.longest_name for part in name.split("."))


@given(st.text())
def test_a_standard_literal_ends_where_it_should(text: str) -> None:
    literal = POSTGRESQL.escape(text)
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "").count("'") == 0
    assert literal[1:-1].replace("''", "'") == text


@given(st.text())
def test_a_mysql_literal_ends_where_it_should(text: str) -> None:
    inside = MYSQL.escape(text)[1:-1]
    assert re.fullmatch(r"(?s)(?:[^'\\]|\\.)*", inside)
    marks = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
    assert re.sub(r"(?s)\\(.)", lambda found: marks.get(found[1], found[1]), inside) == text


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"a": 1, "b": "x"}, "`a`=? AND `b`=?"),
        ({"a": ["x", "y"]}, "(`a`=? OR `a`=?)"),
        ({"a": ["x"]}, "`a`=?"),
        ([{"a": 1, "b": 2}, {"c": ["x", "y"]}], "`a`=? AND `b`=? AND (`c`=? OR `c`=?)"),
        ([{"a": ["x"], "b": ["y"], "c": ["p", "q"]}], "(`a`=? OR `b`=? OR `c`=? OR `c`=?)"),
        ({"a": ["x"], "b": ["y"], "c": 3}, "`c`=? AND (`a`=? OR `b`=?)"),
        ({"a": None, "b": [None, 1]}, "`a` IS NULL AND (`b` IS NULL OR `b`=?)"),
        ("price > 5", "price > 5"),
    ],
)
def test_where_becomes(where: Any, expected: str) -> None:
    assert where_of(where) == expected


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({}, 804), ([], 804), ("", 804), (" \n", 804), (None, 804), ([{}], 804), ([None], 804),
        ({"a": []}, 804), ({"a": {}}, 804), ({"a": {"b": 1}}, 801), ({"a": [[1]]}, 801),
        (5, 801), (["a=1"], 801), ({1: 2}, 801), ({"a`": 1}, 801), ("a\0", 801),
    ],
)  # fmt: skip
def test_a_where_that_says_nothing_clear_is_refused(where: Any, code: int) -> None:
    with pytest.raises(BuildError) as caught:
        where_of(where)
    assert caught.value.code == code


def test_an_absent_where_means_every_row() -> None:
    assert text_of(build.select(MYSQL, Select("t", where=UNSET))) == "SELECT * FROM `t`"
    assert text_of(build.count(MYSQL, SelectCount("t"))) == "SELECT COUNT(`id`) AS n FROM `t`"


def test_a_delete_without_where_needs_force() -> None:
    with pytest.raises(BuildError):
        build.delete(MYSQL, Delete("t"))
    assert text_of(build.delete(MYSQL, Delete("t", force=True))) == "DELETE FROM `t`"
    with pytest.raises(BuildError):
        build.delete(MYSQL, Delete("t", where={}, force=True))


def test_all_options_of_select_find_their_places() -> None:
    options = Select("shop.toys", ["id", "toys.name"], {"a": 1}, {"id": "desc", "b": 1}, [5, 10], True)
    assert text_of(build.select(MYSQL, options)) == (
        "SELECT DISTINCT `id`,`toys`.`name` FROM `shop`.`toys` WHERE `a`=? ORDER BY `id` DESC,`b` ASC"
        " LIMIT 10 OFFSET 5"
    )


def test_a_described_statement_shows_its_values() -> None:
    values = {"a": "it's", "b": None, "c": True, "d": b"\x01", "e": 5}
    shown = build.update(SQLITE, Update("t", values, {"id": 2})).describe(SQLITE)
    assert shown == "UPDATE `t` SET `a`='it''s',`b`=NULL,`c`=TRUE,`d`=X'01',`e`=5 WHERE `id`=2;"


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT 1", "select"), ("  (select 1)", "select"), ("/* a */ -- b\n# c\nUpdate t", "update"),
        ("DELETE\nFROM t", "delete"), ("-- only", ""), ("", ""), ("insert/**/into t", "insert"),
    ],
)  # fmt: skip
def test_the_first_word_of_a_statement_is_found(sql: str, word: str) -> None:
    assert first_word(sql) == word


@given(dialects, st.dictionaries(columns, scalars, min_size=1, max_size=20), st.integers(1, 200))
def test_a_select_is_the_same_with_its_where_alone_and_in_a_list(
    dialect: Dialect, where: dict[str, Any], limit: int
) -> None:
    alone, listed = (build.select(dialect, Select("t", where=one, limit=limit)) for one in (where, [where]))
    assert (alone.texts, alone.values) == (listed.texts, listed.values)


@pytest.mark.parametrize(
    ("options", "few"),
    [
        (Select("t", where={"a": 1}, limit=100), True),
        (Select("t", where={"a": 1}, limit=101), False),
        (Select("t", where={"a": 1}), False),
        (Select("t", where="a = 1", limit=1), False),
    ],
)
def test_only_a_select_of_few_rows_without_hand_written_sql_may_be_read_at_once(
    options: Select, few: bool
) -> None:
    assert build.select(MYSQL, options).few is few
