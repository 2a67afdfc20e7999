"""What all tests share: their order, and the choice of the database that homes keep their runs in."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from engine.collector import spare_what_is_loaded
from tests.homebases import KINDS, SQLITE, USUAL, drop_all, drop_homes
from tests.services import stop_servers

# How long something takes decides no test: a busy machine would make it fail.
settings.register_profile(
    "patient", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_configure() -> None:
    """Let SIGTERM end the tests as Ctrl-C does: they leave no engine, no database and no folder behind.

    Ctrl-C itself is ignored by what a script starts in the background, and then by all that tests start.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that take minutes: at the end one process would be left alone with them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that is marked `both_databases` run on each; with TEST_DATABASE on that one alone."""
    if "database_kind" not in metafunc.fixturenames:
        return
    if metafunc.definition.get_closest_marker("both_databases") and USUAL == SQLITE:
        metafunc.parametrize("database_kind", KINDS, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the home of this test uses."""
    if request.node.get_closest_marker("sqlite_only"):
        return SQLITE
    return str(getattr(request, "param", USUAL))


@pytest.fixture(scope="module", autouse=True)
def _no_homes_left() -> Iterator[None]:
    """Drop the databases of a file's homes after it: each takes 8 MB, and the server looks after all."""
    yield
    drop_homes()


def pytest_collection_finish() -> None:
    """Let the collector of reference cycles pass over all tests and what they import."""
    spare_what_is_loaded()


def pytest_sessionfinish() -> None:
    drop_all()
    stop_servers()
