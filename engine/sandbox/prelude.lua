-- What a worker does with one job file: build `core` and the globals, load the file, run it.
local modules = ...
local stack, codec, run = modules.stack, modules.codec, modules.run
local environment, job, sources = modules.environment, modules.job, modules.sources
local type, next, rawget, xpcall, pcall = type, next, rawget, xpcall, pcall
local raw_setmetatable, load = setmetatable, load
local find, sub, byte = string.find, string.sub, string.byte

local function print_line(...)
  return modules.calls.print(...)
end

local function require_module(...)
  return modules.libraries(...)
end

local core = {}
local env

-- Without a line the compiler names no file: "C stack overflow".
local function placed(problem, file)
  if problem == stack.OUT_OF_MEMORY or find(problem, ":%d+:") then return problem end
  return file .. ": " .. problem
end

function modules.compile(source, chunk_name)
  if byte(source) == 27 then return nil, sub(chunk_name, 2) .. ": this is compiled Lua; job files are text" end
  if sub(source, 1, 3) == "\xef\xbb\xbf" then source = sub(source, 4) end
  if byte(source) == 35 then source = "--" .. source end
  stack.show(chunk_name)
  -- Within pcall, since an error of the compiler would otherwise go through the handler of whoever called.
  local _, chunk, problem = pcall(load, source, chunk_name, "t", env)
  return chunk, problem and placed(problem, sub(chunk_name, 2))
end
local compile = modules.compile

-- A job uses little of `core`: each part is built when it is first asked for.
local function build_core()
  modules.core = core
  raw_setmetatable(core, {
    __index = function(_, name) return modules.calls.build(name) end,
    __pairs = function(self)
      modules.calls.build_all()
      return next, self, nil
    end,
    __metatable = false,
  })
  core.job, core.NULL, core.ASC, core.DESC = job.new, codec.NULL, 1, -1
end

env, modules.facade_env = environment.build(print_line, require_module)
env.core = core
build_core()
environment.seal(env, modules.rpc)

-- Loading and running a file

local function on_error(value)
  return { message = modules.text.of_error(value), trace = stack.traceback(2) }
end

-- The handler makes tables; a plain string is the interpreter's own: out of memory, or the handler had no room.
local function failure(problem)
  if type(problem) == "table" then return "error", stack.cut(problem.message .. problem.trace) end
  if problem == stack.OUT_OF_MEMORY then return "memory", problem end
  return "error", modules.text.of_error(problem)
end

local function check_job(value)
  if not job.settings(value) then
    if value == nil then return "the file must end with `return job`" end
    return "the file must end with `return job`; it returned " .. modules.text.describe(value)
  end
  local body = rawget(value, "run")
  if body == nil then return "job.run is missing: define function job.run() ... end" end
  if type(body) ~= "function" then return "job.run must be a function, got " .. modules.text.describe(body) end
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
    local what = code == nil and "nothing" or modules.text.describe(code)
    return "bad_return", "run() returned " .. what .. "; " .. BAD_RETURN
  end
  local value = ...
  if value == nil then return "returned", name end
  local bytes, problem = modules.encoder.encode(value)
  if bytes then return "returned", name, bytes end
  return "returned", name, nil, "the result was not kept: " .. problem
end

local function ended(ok, ...)
  run.on = false
  if ok then return returned(...) end
  return failure((...))
end

local driver = {}

--- Run a job file. Returns "returned", code, result bytes or nil, note or nil; or a kind and a message.
-- `seed` is what `sources.begin` wants.
function driver.run(seed, name, source, context, zone, log_line_bytes)
  sources.begin(seed)
  run.line_bytes, run.zone = log_line_bytes, zone
  local object, kind, problem = load_job(name, source)
  if not object then return kind, problem end
  stack.name(rawget(object, "run"), "job.run")
  run.on = true
  return ended(xpcall(rawget(object, "run"), on_error, codec.decode(context)))
end

--- Load a job file without running it. Returns "declared", settings bytes, whether the file may declare something
-- else the next time; or a kind and a message.
function driver.declare(seed, name, source, zone)
  sources.begin(seed)
  run.zone = zone
  local object, kind, problem = load_job(name, source)
  if not object then return kind, problem end
  return "declared", job.settings(object), sources.varied()
end

return driver.run, driver.declare
