"""The page about the dashboard names every key, and no others."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tui.screens.help import keys_of

PAGE = Path(__file__).parents[2] / "docs" / "dashboard.md"

SECTIONS = re.findall(r"<!-- keys: (.+?) -->\n\n((?:\|.*\n)+)", PAGE.read_text())


def table_of(owners: str) -> str:
    """Return the keys of screens or widgets as the page lists them."""
    lines = ["| Key | Does |", "| --- | --- |"]
    for owner in owners.split():
        module, _, name = owner.partition(":")
        lines += [f"| `{key}` | {text} |" for key, text in keys_of(getattr(import_module(module), name))]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("owners", "table"), SECTIONS, ids=[owners for owners, _ in SECTIONS])
def test_the_page_lists_the_keys_as_they_are(owners: str, table: str) -> None:
    assert table == table_of(owners)


def test_every_place_for_keys_has_them() -> None:
    assert len(SECTIONS) == PAGE.read_text().count("<!-- keys:") == 20
