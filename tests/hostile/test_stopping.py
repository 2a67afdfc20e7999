"""The engine ends when it is told to, whatever jobs have left it with."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Home, job

# One call of trim compares each of 400,000 signs with each of 80,000: minutes inside of one step of SQLite.
_ENDLESS_STEP = """
local text = "replace(hex(zeroblob(200000)), '0', 'a')"
local signs = "replace(hex(zeroblob(40000)), '0', 'b') || 'a'"
local rows, problem = core.sqlite.query("notes", "SELECT trim(" .. text .. ", " .. signs .. ") AS t")
return job.OK, problem
"""


def test_the_engine_ends_while_a_step_of_sql_goes_on(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.settings('[sqlite.notes]\nfile = "notes.db"\nquery_timeout = "200ms"\n')
    home.write("endless", job(_ENDLESS_STEP))
    with home.serving() as engine:
        run = engine.run("endless", seconds=60)
        assert (run.status, run.result) == (
            "COMPLETE",
            "core.sqlite.query: the statement took longer than 0.2 s and was stopped",
        )
        engine.stop()
