"""The order of all tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that take minutes: at the end one process would be left alone with them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
