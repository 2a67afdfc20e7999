"""Labs whose jobs may reach 127.0.0.1."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from tests.lab import open_lab, open_pool, plugins_with
from tests.plugins.network.pages import Desk, OpenDesk


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


@pytest_asyncio.fixture(loop_scope="module")
async def open_desk(
    workers: tuple[WorkerPool, Plugins], tmp_path: Path, authority: trustme.CA
) -> AsyncIterator[OpenDesk]:
    """Open a lab with lines for moontide.toml."""
    closing: list[Any] = []

    async def open_with(network: str = 'allow = ["127.0.0.1"]', engine: str = "") -> Desk:
        (tmp_path / "jobs").mkdir()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        ca_file = f"ca_file = '{tmp_path / 'ca.pem'}'"
        (tmp_path / "moontide.toml").write_text(f"{engine}\n[network]\n{network}\n{ca_file}\n")
        opened = open_lab(
            *workers, tmp_path / "jobs", tmp_path, home=tmp_path, settings=load_settings(tmp_path)
        )
        closing.append(opened)
        return Desk(await opened.__aenter__(), authority)

    yield open_with
    for opened in closing:
        await opened.__aexit__(None, None, None)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(open_desk: OpenDesk) -> Desk:
    return await open_desk()
