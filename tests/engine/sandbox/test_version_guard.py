"""What the bundled Lua is known to survive. A failure means: the bundled Lua changed, judge it again."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from lupa import lua55

from engine.sandbox.program import EndKind

from .conftest import RememberingHost, Run

# An iterator called again after "pattern too complex" has no check of the C stack any more.
GMATCH = """
  local iterator = string.gmatch(('a'):rep(400000), ('a?'):rep(400000))
  for _ = 1, 3 do pcall(iterator) end
"""

# Weak tables that get another metatable while the collector works corrupt memory in Lua 5.2 to 5.4.
WEAK = """
  local modes = { { __mode = 'k' }, { __mode = 'v' }, { __mode = 'kv' }, {} }
  local kept = {}
  for round = 1, 60000 do
    local weak = setmetatable({}, modes[round % 4 + 1])
    for i = 1, 8 do weak[{ i }] = { round } weak[i] = { i } end
    kept[round % 64 + 1] = weak
    setmetatable(kept[round * 7 % 64 + 1] or weak, modes[(round + 1) % 4 + 1])
    for _, value in pairs(weak) do if type(value) ~= 'table' then error('confused') end end
  end
"""

_BARE = """
import sys
from lupa.lua55 import LuaRuntime
LuaRuntime(encoding=None).execute(sys.argv[1].encode())
"""


def bare(program: str) -> int:
    """Run a program in the bundled Lua without our environment; return the process's exit status."""
    done = subprocess.run([sys.executable, "-I", "-c", _BARE, program], capture_output=True, timeout=60)
    return done.returncode


def test_the_bundled_lua_is_the_one_that_was_judged() -> None:
    assert version("lupa") == "2.8"
    assert lua55.LUA_VERSION == (5, 5)


def test_weak_tables_are_sound_in_the_bare_interpreter() -> None:
    assert bare(WEAK) == 0


def test_the_bare_interpreter_still_needs_the_wrapped_gmatch() -> None:
    assert bare(GMATCH) < 0


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("program", [GMATCH, WEAK], ids=["gmatch", "weak tables"])
async def test_our_environment_survives_both(run: Run, host: RememberingHost, program: str) -> None:
    ending = await run(f"{program} return job.OK", cpu_seconds=20)
    assert ending.kind is EndKind.RETURNED
