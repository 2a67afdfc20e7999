-- What a worker does with one job file: build `core` and the globals, load the file, run it.
local modules, facades, manifests = ...
local rpc, stack, text, codec = modules.rpc, modules.stack, modules.text, modules.codec
local environment, job, sources = modules.environment, modules.job, modules.sources
local type, next, rawget, rawlen, error, xpcall, pcall, select = type, next, rawget, rawlen, error, xpcall, pcall, select
local raw_setmetatable, load = setmetatable, load
local find, gsub, sub, byte, concat, unpack =
  string.find, string.gsub, string.sub, string.byte, table.concat, table.unpack

local ONLY_INSIDE = ": only inside job.run()"
local WRONG_TYPE = 801

-- The module whose functions are found at job objects, not below `core`.
local JOB = "job"

-- What corelib.lua returns; a module of such a name is not seen.
local LIBRARY = { json = true, json_safe = true, sf = true, trim = true, split = true, md5 = true, uuid = true }

local running = false
local line_bytes = 4096
local core, env, facade_env = {}, nil, nil

local function need_running(label)
  if not running then stack.raise(label .. ONLY_INSIDE) end
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
    if not running then need_running(is_function[module] and "core." .. module or label) end
  end
  return label, method, check
end

local function native(module, name, large)
  local label, method, check = labels(module, name)
  return function(...)
    check()
    local bytes, problem = codec.encode_arguments(large, ...)
    if not bytes then return nil, label .. ": " .. problem, WRONG_TYPE end
    return values_of(rpc("call", method, bytes))
  end
end

-- A little more than the limit goes out, so that the engine sees that the line was longer.
local function cut_strings(count, ...)
  local values = { ... }
  for i = 1, count do
    if type(values[i]) == "string" then values[i] = stack.cut(values[i], line_bytes + 4) end
  end
  return unpack(values, 1, count)
end

local function one_way(module, name)
  local label, method, check = labels(module, name)
  return function(...)
    check()
    local bytes, problem = codec.encode_arguments(false, cut_strings(select("#", ...), ...))
    if not bytes then return nil, label .. ": " .. problem, WRONG_TYPE end
    rpc("notify", method, bytes)
  end
end

local send_line = one_way("log", "write")

local function print_line(...)
  need_running("print")
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = text.tostring((select(i, ...)))
  end
  send_line("info", concat(parts, "\t"))
end

-- require

local loaded, loading = {}, {}
local REQUIRE_RULE = 'require: only modules below jobs/lib can be loaded, such as require "lib.money"'

-- Without a line the compiler names no file: "C stack overflow".
local function placed(problem, file)
  if problem == stack.OUT_OF_MEMORY or find(problem, ":%d+:") then return problem end
  return file .. ": " .. problem
end

local function compile(source, chunk_name)
  if byte(source) == 27 then return nil, sub(chunk_name, 2) .. ": this is compiled Lua; job files are text" end
  if sub(source, 1, 3) == "\xef\xbb\xbf" then source = sub(source, 4) end
  if byte(source) == 35 then source = "--" .. source end
  stack.show(chunk_name)
  -- Within pcall, since an error of the compiler would otherwise go through the handler of whoever called.
  local _, chunk, problem = pcall(load, source, chunk_name, "t", env)
  return chunk, problem and placed(problem, sub(chunk_name, 2))
end

local function check_module_name(name)
  local good = type(name) == "string"
    and find(name, "^lib%.[%w_][%w_%.]*$")
    and not find(name, "..", 1, true)
    and sub(name, -1) ~= "."
  if not good then stack.raise(REQUIRE_RULE) end
end

local function while_loading(name)
  loading[name] = true
  return raw_setmetatable({}, { __close = function() loading[name] = nil end })
end

local function fetch_module(name)
  local reply = rpc("require", name)
  if byte(reply) == 45 then stack.raise("require: " .. sub(reply, 2)) end
  local chunk, problem = compile(sub(reply, 2), "@" .. gsub(name, "%.", "/") .. ".lua")
  if not chunk then error(problem, 0) end
  return chunk
end

local function require_module(name)
  check_module_name(name)
  if loaded[name] ~= nil then return loaded[name] end
  if loading[name] then stack.raise("require: " .. name .. " needs itself, directly or by another module") end
  local _ <close> = while_loading(name)
  local value = fetch_module(name)(name)
  if value == nil then value = true end
  loaded[name] = value
  return value
end

-- core

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

local function build_module(module)
  local compiled = manifests[module]
  manifests[module] = nil
  local functions = natives(module, compiled)
  if not facades[module] then return functions end
  local helpers = { text = text.readable, NULL = codec.NULL, ASC = 1, DESC = -1 }
  local value = load(facades[module], "=moontide", "b", facade_env)(functions, helpers)
  if value == nil then error("core." .. module .. ": its facade returned nothing", 0) end
  is_function[module] = type(value) == "function"
  return value
end

-- A job uses little of `core`, and a state serves one run: each part is built when it is first asked for, once.
-- What the job puts in its place stays.

local function build_library()
  local compiled = modules.corelib
  modules.corelib = nil
  if not compiled then return end
  for name, value in next, guarded_table("core", load(compiled, "=moontide", "b", facade_env)(modules)) do
    if rawget(core, name) == nil then core[name] = value end
  end
end

local function build(_, name)
  if LIBRARY[name] then
    build_library()
  elseif manifests[name] then
    core[name] = build_module(name)
  end
  return rawget(core, name)
end

local function build_all(self)
  build_library()
  for name in next, manifests do
    if rawget(core, name) == nil then build(self, name) end
  end
  return next, self, nil
end

local function build_core()
  local own = manifests[JOB]
  job.attach(function() return own and natives(JOB, own) or {} end)
  manifests[JOB] = nil
  raw_setmetatable(core, { __index = build, __pairs = build_all, __metatable = false })
  core.job, core.NULL, core.ASC, core.DESC = job.new, codec.NULL, 1, -1
end

env, facade_env = environment.build(print_line, require_module)
env.core = core
build_core()
environment.seal(env, rpc)

-- Loading and running a file

local function on_error(value)
  return { message = text.of_error(value), trace = stack.traceback(2) }
end

-- The handler makes tables; a plain string is the interpreter's own: out of memory, or the handler had no room.
local function failure(problem)
  if type(problem) == "table" then return "error", stack.cut(problem.message .. problem.trace) end
  if problem == stack.OUT_OF_MEMORY then return "memory", problem end
  return "error", text.of_error(problem)
end

local function check_job(value)
  if not job.settings(value) then
    if value == nil then return "the file must end with `return job`" end
    return "the file must end with `return job`; it returned " .. text.describe(value)
  end
  local run = rawget(value, "run")
  if run == nil then return "job.run is missing: define function job.run() ... end" end
  if type(run) ~= "function" then return "job.run must be a function, got " .. text.describe(run) end
  return nil
end

-- Returns the job object, or nil, kind, message.
local function load_job(name, source)
  local chunk, problem = compile(source, "@" .. name)
  if not chunk then return nil, "error", problem end
  local ok, value = xpcall(chunk, on_error)
  if not ok then return nil, failure(value) end
  local wrong = check_job(value)
  if wrong then return nil, "error", name .. ": " .. wrong end
  return value
end

local BAD_RETURN = "it must return job.OK, job.SLEEP, job.STOP, job.EXIT or job.RETRY"

local function returned(code, ...)
  local name = job.code_name(code)
  if not name then
    local what = code == nil and "nothing" or text.describe(code)
    return "bad_return", "run() returned " .. what .. "; " .. BAD_RETURN
  end
  local value = ...
  if value == nil then return "returned", name end
  local bytes, problem = codec.encode(value)
  if bytes then return "returned", name, bytes end
  return "returned", name, nil, "the result was not kept: " .. problem
end

local function ended(ok, ...)
  running = false
  if ok then return returned(...) end
  return failure((...))
end

local driver = {}

--- Run a job file. Returns "returned", code, result bytes or nil, note or nil; or a kind and a message.
-- `seed` is what `sources.begin` wants.
function driver.run(seed, name, source, context, zone, log_line_bytes)
  sources.begin(seed)
  line_bytes = log_line_bytes
  job.set_zone(codec.decode(zone))
  local object, kind, problem = load_job(name, source)
  if not object then return kind, problem end
  stack.name(rawget(object, "run"), "job.run")
  running = true
  return ended(xpcall(rawget(object, "run"), on_error, codec.decode(context)))
end

--- Load a job file without running it. Returns "declared", settings bytes, whether the file may declare something
-- else the next time; or a kind and a message.
function driver.declare(seed, name, source, zone)
  sources.begin(seed)
  job.set_zone(codec.decode(zone))
  local object, kind, problem = load_job(name, source)
  if not object then return kind, problem end
  return "declared", job.settings(object), sources.varied()
end

return driver.run, driver.declare
