"""The zygote of an engine whose walls are off: its workers give jobs the whole interpreter and all of Python.

Started as `python -I open_zygote.py CONTROL_FD ENGINE_PID`, as the real one. What is left protects the
machine on which the tests run, and is no part of any promise: workers are nobody, and have half a gigabyte.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

from lupa.lua55 import LuaRuntime

from engine.sandbox import lua, worker, zygote
from engine.sandbox.harden import WALLS, die_with_parent

sys.path.insert(0, str(Path(__file__).parent))
import edits

_ADDRESS_SPACE_BYTES = 2**29
_NOBODY = 65534

_read = lua._read

_ENVIRONMENT = """
local environment = {}

function environment.copy(source)
  local target = {}
  for key, value in next, source do target[key] = value end
  return target
end

function environment.build(print_line, require_module)
  local env = environment.copy(_G)
  env.unpack, env.print, env._G = table.unpack, print_line, env
  env.require = function(name)
    name = tostring(name)
    local file = name:find("^/") and io.open(name .. ".lua")
    if file then return file:close() and dofile(name .. ".lua") end
    return require_module(name)
  end
  local facade_env = environment.copy(env)
  for name, value in next, env do
    if type(value) == "table" and name ~= "_G" then facade_env[name] = environment.copy(value) end
  end
  return env, facade_env
end

function environment.seal(env, rpc)
  rawset(env.core, "_rpc", rpc)
end

return environment
"""


def _open_text(name: str) -> str:
    return _ENVIRONMENT if name == "environment" else edits.opened(name, _read(name))


def _no_walls(*, parent_pid: int, **_: object) -> dict[str, str]:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    die_with_parent(parent_pid)
    return dict.fromkeys(WALLS, "on")


def open_walls() -> None:
    """Take away what keeps a worker in."""
    lua._read = _open_text
    lua._new_runtime = lambda: LuaRuntime(encoding=None, unpack_returned_tuples=False, max_memory=2**40)
    lua.LuaState.limit_memory = lambda *_: None  # type: ignore[method-assign]
    worker.harden = _no_walls  # type: ignore[assignment]
    worker._start_cpu_timer = lambda _: time.thread_time()
    worker.Worker._count_call = lambda _: None  # type: ignore[method-assign]
    zygote.close_all_but = lambda _: None


if __name__ == "__main__":
    open_walls()
    zygote.main()
