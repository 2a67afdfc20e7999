-- How Lua calls the engine: the functions of `core`, and `print`.
local modules = ...
local rpc, stack, codec, run = modules.rpc, modules.stack, modules.codec, modules.run
local encoder, raw, facade_env = modules.encoder, modules.raw, modules.facade_env
local facades, manifests, core = modules.facades, modules.manifests, modules.core
local type, next, rawget, rawlen, select, error = type, next, rawget, rawlen, select, raw.error
local byte, concat, unpack, load = string.byte, table.concat, table.unpack, raw.load

local ONLY_INSIDE = ": only inside job.run()"
local WRONG_TYPE = 801

-- The module whose functions are found at job objects, not below `core`.
local JOB = "job"

-- What corelib.lua returns; a module of such a name is not seen.
local LIBRARY = { json = true, json_safe = true, sf = true, trim = true, split = true, md5 = true, uuid = true }

local function need_running(label)
  if not run.on then stack.raise(label .. ONLY_INSIDE) end
end

-- Modules whose value in `core` is a function, as core.log: their messages say "core.log", not "core.log.write".
local is_function = {}

-- A reply is "+" and the encoded values, or "-" and the encoded message and code.
local function values_of(reply)
  local failed = byte(reply) == 45
  if failed then return nil, codec.decode_values(reply, 2) end
  return codec.decode_values(reply, 2)
end

local function labels(module, name)
  local method = module .. "." .. name
  local label = module == JOB and method or "core." .. method
  local function check()
    if not run.on then need_running(is_function[module] and "core." .. module or label) end
  end
  return label, method, check
end

local function native(module, name, large)
  local label, method, check = labels(module, name)
  return function(...)
    check()
    local bytes, problem = encoder.encode_arguments(large, ...)
    if not bytes then return nil, label .. ": " .. problem, WRONG_TYPE end
    return values_of(rpc("call", method, bytes))
  end
end

-- A little more than the limit goes out, so that the engine sees that the line was longer.
local function cut_strings(count, ...)
  local values = { ... }
  for i = 1, count do
    if type(values[i]) == "string" then values[i] = stack.cut(values[i], run.line_bytes + 4) end
  end
  return unpack(values, 1, count)
end

local function one_way(module, name)
  local label, method, check = labels(module, name)
  return function(...)
    check()
    local bytes, problem = encoder.encode_arguments(false, cut_strings(select("#", ...), ...))
    if not bytes then return nil, label .. ": " .. problem, WRONG_TYPE end
    rpc("notify", method, bytes)
  end
end

local send_line = one_way("log", "write")

local function print_line(...)
  need_running("print")
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = modules.text.tostring((select(i, ...)))
  end
  send_line("info", concat(parts, "\t"))
end

local function guarded(label, call)
  return function(...)
    need_running(label)
    return call(...)
  end
end

local function guarded_table(label, functions)
  local guards = {}
  for name, value in next, functions do
    if type(value) == "function" then
      guards[name] = guarded(label .. "." .. name, value)
    else
      guards[name] = guarded_table(label .. "." .. name, value)
    end
  end
  return guards
end

local function natives(module, compiled)
  local manifest = load(compiled, "=moontide", "b", facade_env)()
  local functions = {}
  for i = 1, rawlen(manifest.functions) do
    local name = manifest.functions[i]
    functions[name] = native(module, name, manifest.large[name])
  end
  for i = 1, rawlen(manifest.one_way) do
    local name = manifest.one_way[i]
    functions[name] = one_way(module, name)
  end
  return functions
end

local function readable(value)
  return modules.text.readable(value)
end

local function build_module(module)
  local compiled = manifests[module]
  manifests[module] = nil
  local functions = natives(module, compiled)
  if not facades[module] then return functions end
  local helpers = { text = readable, NULL = codec.NULL, ASC = 1, DESC = -1 }
  local value = load(facades[module], "=moontide", "b", facade_env)(functions, helpers)
  if value == nil then error("core." .. module .. ": its facade returned nothing", 0) end
  is_function[module] = type(value) == "function"
  return value
end

local library_is_built = false

local function build_library()
  if library_is_built then return end
  library_is_built = true
  for name, value in next, guarded_table("core", modules.corelib) do
    if rawget(core, name) == nil then core[name] = value end
  end
end

local calls = { print = print_line }

--- Build what `core` has under a name, if that is anything. What the job puts in its place stays.
function calls.build(name)
  if LIBRARY[name] then
    build_library()
  elseif manifests[name] and name ~= JOB then
    core[name] = build_module(name)
  end
  return rawget(core, name)
end

--- Build all of `core`.
function calls.build_all()
  build_library()
  for name in next, manifests do
    if rawget(core, name) == nil then calls.build(name) end
  end
end

--- The functions for job objects.
function calls.of_jobs()
  return manifests[JOB] and natives(JOB, manifests[JOB]) or {}
end

return calls
