"""The programs in the modules' pages work on real databases, and none of their calls fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.states import RunStatus
from tests.plugins.sql.conftest import MODULES, Place

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("place", MODULES, indirect=True),
]

DOCS = Path(__file__).parents[3] / "docs" / "core"


#: A `core` in which a call that fails stands in the log; 800 is what selectOne tells without a row.
WATCHED = """
local function watched(module)
  return setmetatable({}, { __index = function(_, name)
    return function(...)
      local values = table.pack(module[name](...))
      if values[1] == nil and values[3] ~= 800 then core.log.error(name, values[2]) end
      return table.unpack(values, 1, values.n)
    end
  end })
end
local core = setmetatable({}, { __index = function(_, name)
  if name == "MODULE" then return watched(core.MODULE) end
  return core[name]
end })
"""

TABLES = {
    "mysql": """
        DROP TABLE IF EXISTS toys; DROP TABLE IF EXISTS orders;
        CREATE TABLE toys (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), stock INT, sold_out BOOLEAN,
                           price DECIMAL(10,2), owner VARCHAR(50));
        CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, toy INT, paid BOOLEAN, note TEXT,
                             at DATETIME);
        INSERT INTO toys VALUES (4, 'ball', 0, false, 9.5, 'Ada')""",
    "pg": """
        DROP TABLE IF EXISTS visits; DROP TABLE IF EXISTS daily;
        CREATE TABLE visits (day DATE);
        CREATE TABLE daily (id SERIAL PRIMARY KEY, visits INT, complete BOOLEAN)""",
    "sqlite": "DROP TABLE IF EXISTS lines",
}


def programs(module: str) -> list[str]:
    text = (DOCS / f"{module}.md").read_text("utf-8")
    jobs = re.findall(r"(?ms)^```lua\n(.*?)^```$", text)
    fragments = re.findall(r"(?ms)^```lua fragment\n(.*?)^```$", text)
    head = "local job = core.job()\nfunction job.run(run)\n"
    return jobs + [f"{head}{fragment}return job.OK\nend\nreturn job\n" for fragment in fragments]


async def test_every_program_of_the_page_works(place: Place) -> None:
    for sql in TABLES[place.module].split(";"):
        await place.one(f"db.query('shop', [[{sql}]])")
    found = programs(place.module)
    assert found
    for program in found:
        text = re.sub(r'"(shop|stats|notes)"', '"shop"', program)
        outcome = await place.lab.run("page", WATCHED.replace("MODULE", place.module) + text)
        assert outcome.status is RunStatus.COMPLETE, outcome.error
    assert [line for line in place.lab.log if not line.startswith("info: ")] == []
