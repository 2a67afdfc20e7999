"""What the dashboard remembers from one time to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.api.server import ApiServer
from tests.tui.conftest import Sit
from tui.look.themes import DARK, GREY, LIGHT, TERMINAL, fitting_theme
from tui.model.kept import Kept, kept_path


def test_what_is_saved_is_kept_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "moontide" / "dashboard.json"
    kept = Kept(path)
    kept.put("theme", LIGHT.name)
    kept.save()
    again = Kept(path)
    assert again.get("theme") == LIGHT.name
    again.put("theme", "")
    again.save()
    assert json.loads(path.read_text()) == {}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["{", "[]", "null", '"x"', "\x00", "[" * 100_000])
def test_a_broken_file_is_told_of_and_replaced_by_the_next_change(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dashboard.json"
    path.write_text(text)
    kept = Kept(path)
    assert "cannot be read" in kept.trouble
    kept.put("jobs.sort", "name")
    kept.save()
    assert Kept(path).trouble == ""
    assert Kept(path).get("jobs.sort") == "name"


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.json"
    kept = Kept(path)
    kept.put("jobs.sort", "name")
    kept.save()
    path.unlink()
    kept.put("jobs.sort", "name")
    kept.save()
    assert not path.exists()


def test_values_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "dashboard.json"
    path.write_text('{"theme": 3, "jobs.sort": "name"}')
    assert (Kept(path).get("theme"), Kept(path).get("jobs.sort")) == ("", "name")


def test_a_folder_that_takes_no_file_ends_the_remembering_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Kept(tmp_path / "file" / "dashboard.json")
    kept.put("theme", "x")
    kept.save()
    assert "not remembered" in kept.trouble or "cannot be read" in kept.trouble
    assert kept.get("theme") == "x"


def test_the_file_is_where_such_files_belong() -> None:
    below = "moontide/dashboard.json"
    assert kept_path({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s") / below
    assert kept_path({"HOME": "/h"}) == Path("/h/.local/state") / below
    assert kept_path({"XDG_STATE_HOME": "relative"}) is None


def test_the_theme_of_the_last_time_is_taken_where_the_terminal_can_show_it() -> None:
    assert fitting_theme("256", {}, liked=LIGHT.name) == LIGHT.name
    assert fitting_theme("256", {}, liked="of another program") == DARK.name
    assert fitting_theme("standard", {}, liked=LIGHT.name) == TERMINAL.name
    assert fitting_theme("256", {"NO_COLOR": "1"}, liked=LIGHT.name) == GREY.name


async def test_filter_sort_and_theme_come_back(server: ApiServer, sit: Sit, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    async with sit(kept=Kept(path)) as seat:
        await seat.reads("report")
        await seat.press("s", "S", "t", "slash")
        await seat.type("job:rep")
        await seat.press("enter")
        theme = seat.app.theme
    async with sit(kept=Kept(path)) as seat:
        await seat.reads("job:rep", "report")
        assert "endless" not in seat.text
        await seat.press("escape")
        await seat.reads("endless")
    kept = Kept(path)
    assert kept.get("theme") == theme
    assert [kept.get(f"jobs.{name}") for name in ("filter", "sort", "reversed")] == ["", "name", "yes"]


async def test_a_broken_file_is_told_of_on_the_screen(server: ApiServer, sit: Sit, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("{")
    async with sit(size=(120, 40), kept=Kept(path)) as seat:
        await seat.reads("cannot be read")
