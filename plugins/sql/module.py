"""A core module for a kind of database server: functions, settings, and its driver when it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import cast

from moontide import CoreModule, ServiceContext
from plugins.sql import functions, times
from plugins.sql.databases import Databases
from plugins.sql.dialects import Dialect
from plugins.sql.driver import Address, Connect, Connection
from plugins.sql.servers import ServerSettings, job_addresses, sources


def server_module(name: str, *, summary: str, dialect: Dialect, port: int) -> CoreModule:
    """Declare a module for databases on servers.

    Args:
        name: below `core`; its driver is `plugins.sql.<name>_connection`.
        port: where such servers usually listen.
    """
    module = CoreModule(name, summary=summary, settings=dict[str, ServerSettings])
    functions.declare(module, port)
    times.declare(module)

    async def connect(address: Address) -> Connection:
        # Loaded with the first connection: most engines never need its memory.
        driver = await asyncio.to_thread(import_module, f"plugins.sql.{name}_connection")
        return await cast(Connect, driver.connect)(address)

    @module.service
    @asynccontextmanager
    async def open_databases(
        settings: dict[str, ServerSettings], context: ServiceContext
    ) -> AsyncIterator[Databases]:
        databases = Databases(
            module=name,
            dialect=dialect,
            connect=connect,
            sources=await asyncio.to_thread(sources, name, settings, port, context.home),
            default_port=port,
            addresses=job_addresses(context),
        )
        try:
            yield databases
        finally:
            await databases.close()

    return module
