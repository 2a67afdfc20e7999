"""core.pg: PostgreSQL databases."""

from __future__ import annotations

from moontide import CoreModule, hookimpl
from plugins.sql.dialects import POSTGRESQL
from plugins.sql.module import server_module

pg = server_module(
    "pg",
    summary='Reads and writes PostgreSQL databases: core.pg.select("stats", { tbl = "visits" }).',
    dialect=POSTGRESQL,
    port=5432,
)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `pg`."""
    return [pg]
