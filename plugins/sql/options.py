"""The tables that jobs pass to the functions of a database module."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct


class ConnectionTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A database that the settings do not name.

    Attributes:
        timeout: how long connecting may take, in milliseconds.
    """

    database: str
    user: str | None = None
    password: str | None = None
    host: str | None = None
    port: int | None = None
    timeout: int = 2000

    @property
    def configured(self) -> bool:
        """Whether it only names a database of the settings."""
        return self.user is None and self.password is None and self.host is None and self.port is None


#: A database's name in the settings, an open connection's number, or a table.
Target = str | int | ConnectionTable


class Select(Struct, forbid_unknown_fields=True):
    """Which rows, and what of them. An absent `where` means every row, one that holds nothing is refused."""

    tbl: str
    columns: list[str] | None = None
    where: Any = UNSET
    orderby: dict[str, Any] | list[Any] | None = None
    limit: int | list[int] | None = None
    distinct: bool = False


class SelectOne(Struct, forbid_unknown_fields=True):
    """Which row, and what of it."""

    tbl: str
    where: Any
    columns: list[str] | None = None
    orderby: dict[str, Any] | list[Any] | None = None


class BatchSelect(Select, forbid_unknown_fields=True):
    """One SELECT of several."""

    key: str | None = None


class MergeSelect(BatchSelect, forbid_unknown_fields=True, kw_only=True):
    """One SELECT of several over several databases."""

    db: Target


class SelectCount(Struct, forbid_unknown_fields=True):
    """Which rows to count."""

    tbl: str
    where: Any = UNSET
    column: str = "id"


class Insert(Struct, forbid_unknown_fields=True):
    """One new row."""

    tbl: str
    values: dict[str, Any]


class InsertMany(Struct, forbid_unknown_fields=True):
    """New rows of one table."""

    tbl: str
    records: list[dict[str, Any]]


class Update(Struct, forbid_unknown_fields=True):
    """Which rows to change, and how."""

    tbl: str
    values: dict[str, Any]
    where: Any = UNSET


class Change(Struct, forbid_unknown_fields=True):
    """One change of several in the same table."""

    values: dict[str, Any]
    where: Any = UNSET


class UpdateMany(Struct, forbid_unknown_fields=True):
    """Changes in one table."""

    tbl: str
    update: list[Change]


class Delete(Struct, forbid_unknown_fields=True):
    """Which rows to delete; every row only with `force`."""

    tbl: str
    where: Any = UNSET
    force: bool = False


class Removal(Struct, forbid_unknown_fields=True):
    """One deletion of several in the same table."""

    where: Any = UNSET
    force: bool = False


class DeleteMany(Struct, forbid_unknown_fields=True):
    """Deletions in one table."""

    tbl: str
    delete: list[Removal]
