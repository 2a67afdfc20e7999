"""Rows of what files declared, in both databases."""

from __future__ import annotations

from engine.store.database import Database
from engine.store.declared import DeclaredRow, forget_declared, keep_declared, stored_declared

FIRST = DeclaredRow("a", "seal", b"\x00\xffbody")
OTHER = DeclaredRow("shop/b", "seal of b", b"")


def keep(database: Database, *rows: DeclaredRow) -> None:
    with database.writer.begin() as connection:
        keep_declared(connection, rows)


def test_rows_come_back_as_they_were(either: Database) -> None:
    keep(either, FIRST, OTHER)
    assert stored_declared(either.reader) == {"a": FIRST, "shop/b": OTHER}


def test_a_row_takes_the_place_of_the_one_before(either: Database) -> None:
    keep(either, FIRST, OTHER)
    later = FIRST._replace(seal="another", body=b"more")
    keep(either, later)
    assert stored_declared(either.reader) == {"a": later, "shop/b": OTHER}


def test_only_the_rows_that_are_named_go(either: Database) -> None:
    keep(either, FIRST, OTHER)
    with either.writer.begin() as connection:
        forget_declared(connection, ["a", "never seen"])
    assert stored_declared(either.reader) == {"shop/b": OTHER}
