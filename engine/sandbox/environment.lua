-- The globals of a job, by allow list. What Lua 5.1 programs expect is added, what is dangerous says why it is missing.
local modules = ...
local stack, sources = modules.stack, modules.sources
local type, next, rawget, select, raw_setmetatable = type, next, rawget, select, setmetatable
local raw_error, raw_assert, rawequal = error, assert, rawequal
local raw_format, raw_tostring = string.format, tostring
local raw_gmatch, math_log, rawlen = string.gmatch, math.log, rawlen
local get_metatable, create_table = debug.getmetatable, table.create

local ALLOWED = {
  "_VERSION", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget",
  "rawlen", "rawset", "select", "tonumber", "type", "xpcall",
}

local CODE = "a job's code comes from its file and from jobs/lib only"
local FILES = "a job reaches no files of the machine; use core.files"
local MACHINE = "a job cannot reach the machine it runs on"
local MEMORY = "the engine manages a job's memory"

local MISSING = {
  load = CODE, loadstring = CODE, loadfile = CODE, dofile = CODE, package = CODE .. '; use require "lib.name"',
  module = CODE, io = FILES, collectgarbage = MEMORY, newproxy = MEMORY,
  setfenv = "functions have no changeable environment in Lua 5.5",
  getfenv = "functions have no changeable environment in Lua 5.5",
}

local MISSING_OS = {
  execute = MACHINE, exit = "return job.EXIT to end a job", getenv = "a job has no environment variables",
  remove = FILES, rename = FILES, tmpname = FILES, setlocale = MACHINE,
}

local LIBRARIES = { string = true, table = true, math = true, os = true, utf8 = true, coroutine = true }

local MOST_MISSING = 32
local names, reasons = create_table(0, MOST_MISSING), create_table(0, MOST_MISSING)

local function refuse(object)
  stack.raise(names[object] .. " is not available in jobs: " .. reasons[object])
end

local UNAVAILABLE = {
  __index = refuse,
  __newindex = refuse,
  __call = refuse,
  __metatable = false,
  __tostring = function(object) return names[object] .. " (not available in jobs)" end,
}

local function unavailable(name, reason)
  local object = {}
  names[object], reasons[object] = name, reason
  return raw_setmetatable(object, UNAVAILABLE)
end

local function add_unavailable(target, prefix, missing)
  for name, reason in next, missing do
    target[name] = unavailable(prefix .. name, reason)
  end
end

local function copy(source)
  local size = 0
  for _ in next, source do
    size = size + 1
  end
  local target = create_table(0, size)
  for key, value in next, source do
    target[key] = value
  end
  return target
end

-- Called again after an error ("pattern too complex") the library's iterator crashes the process.
local function gmatch(...)
  local iterator, usable = stack.call(raw_gmatch, ...), true
  local function keep(...)
    usable = true
    return ...
  end
  return function()
    if not usable then stack.raise("string.gmatch: this iterator ended with an error") end
    usable = false
    return keep(stack.call(iterator))
  end
end

-- A finaliser would run outside of all limits, even while the state closes.
local function safe_setmetatable(...)
  local target, meta = ...
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    stack.raise("setmetatable: __gc is not available in jobs: " .. MEMORY)
  end
  return stack.call(raw_setmetatable, ...)
end

local RAISED_BY_JOB = stack.OUT_OF_MEMORY .. " (raised by the job)"

-- Lua takes an error with exactly this text for its own; raised by a job it is an error like any other.
local function own_error(message)
  if rawequal(message, stack.OUT_OF_MEMORY) then return RAISED_BY_JOB end
  return message
end

-- One level more, for this wrapper.
local function safe_error(message, level)
  if level == nil then level = 1 end
  if type(level) == "number" and level > 0 then level = level + 1 end
  raw_error(own_error(message), level)
end

local function safe_assert(...)
  local condition, message = ...
  if condition then return ... end
  if select("#", ...) < 2 then return stack.call(raw_assert, ...) end
  raw_error(own_error(message), 0)
end

-- The interpreter's own tables are put right and become those of the facades; a job gets copies.

local function strings()
  string.format = function(...) return modules.text.format(...) end
  string.gmatch = gmatch
  string.dump = unavailable("string.dump", CODE)
  return string
end

local function tables()
  table.getn = function(list) return #list end
  table.maxn = function(list)
    local highest = 0
    for key in next, list do
      if type(key) == "number" and key > highest then highest = key end
    end
    return highest
  end
  return table
end

local function maths()
  math.pow = math.pow or function(base, exponent) return base ^ exponent end
  math.log10 = math.log10 or function(value) return math_log(value, 10) end
  math.mod = math.fmod
  return math
end

local function clocks()
  local library = {
    time = sources.time, date = sources.date, clock = sources.clock, difftime = sources.difftime,
  }
  add_unavailable(library, "os.", MISSING_OS)
  return library
end

-- Only what `xpcall(f, debug.traceback)` needs.
local function debugging()
  local function traceback(...)
    local message = ...
    if type(message) == "thread" then message = select(2, ...) end
    if message ~= nil and type(message) ~= "string" then return message end
    return (message and message .. "\n" or "") .. "stack traceback:" .. stack.traceback(2)
  end
  local function missing(_, name)
    stack.raise("debug." .. modules.text.tostring(name) .. " is not available in jobs: " .. CODE)
  end
  return raw_setmetatable({ traceback = traceback }, { __index = missing, __metatable = false })
end

local environment = { copy = copy }

--- Build the globals of a job and of the facades; `print` and `require` are given.
-- The facades keep theirs, whatever the job makes of its own.
function environment.build(print_line, require_module)
  local env = {}
  for i = 1, rawlen(ALLOWED) do
    env[ALLOWED[i]] = _G[ALLOWED[i]]
  end
  env.string, env.table, env.math, env.os = strings(), tables(), maths(), clocks()
  env.utf8, env.coroutine, env.debug = utf8, coroutine, debugging()
  env.assert, env.error = safe_assert, safe_error
  env.setmetatable, env.unpack = safe_setmetatable, table.unpack
  env.tostring = function(...) return modules.text.tostring(...) end
  env.print, env.require = print_line, require_module
  add_unavailable(env, "", MISSING)
  local facade_env = copy(env)
  for name in next, LIBRARIES do
    env[name] = copy(env[name])
  end
  env._G, facade_env._G = env, facade_env
  return env, facade_env
end

local function clear(target)
  for key in next, target do
    target[key] = nil
  end
end

-- Lua looks here for the names in "bad argument #1 to 'string.format'".
local function name_wrapped(loaded)
  loaded.string = { format = raw_format, gmatch = raw_gmatch }
  loaded._G = { setmetatable = raw_setmetatable, tostring = raw_tostring, assert = raw_assert }
end

--- Take the library tables of the interpreter away, so that no reference to a dangerous function is left.
function environment.seal(env, function_object)
  local strings_meta = get_metatable("")
  strings_meta.__index, strings_meta.__metatable = env.string, false
  local python_meta = get_metatable(function_object)
  python_meta.__index, python_meta.__newindex, python_meta.__tostring = nil, nil, nil
  python_meta.__metatable = false
  local registry = debug.getregistry()
  local file_meta = registry["FILE*"]
  if file_meta then clear(file_meta) end
  local globals, loaded = _G, registry._LOADED
  clear(registry._PRELOAD)
  if registry._CLIBS then clear(registry._CLIBS) end
  clear(loaded)
  clear(io)
  clear(package)
  clear(debug)
  clear(globals)
  name_wrapped(loaded)
end

return environment
