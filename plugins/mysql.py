"""core.mysql: MariaDB and MySQL databases."""

from __future__ import annotations

from moontide import CoreModule, hookimpl
from plugins.sql.dialects import MYSQL
from plugins.sql.module import server_module

mysql = server_module(
    "mysql",
    summary='Reads and writes MariaDB and MySQL databases: core.mysql.select("shop", { tbl = "toys" }).',
    dialect=MYSQL,
    port=3306,
)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `mysql`."""
    return [mysql]
