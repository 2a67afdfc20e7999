-- Job objects: what core.job() makes, the codes, the time helpers.
local modules = ...
local stack, text, codec, sources = modules.stack, modules.text, modules.codec, modules.sources
local type, rawget, rawequal, rawlen, raw_setmetatable = type, rawget, rawequal, rawlen, setmetatable
local tonumber, select, next = tonumber, select, next

local job = {}
local settings_of = raw_setmetatable({}, { __mode = "k" })
local zone = {}

local function constant(name)
  return raw_setmetatable({}, {
    __metatable = false,
    __tostring = function() return "job." .. name end,
    __newindex = function() stack.raise("job." .. name .. " cannot be changed") end,
  })
end

local CODES = { "OK", "SLEEP", "STOP", "EXIT", "RETRY" }
local methods = {}
for i = 1, rawlen(CODES) do
  methods[CODES[i]] = constant(CODES[i])
end
local OK, SLEEP, STOP, EXIT, RETRY = methods.OK, methods.SLEEP, methods.STOP, methods.EXIT, methods.RETRY

-- `zone` is a list of {from, offset} in seconds, in order, the first from before the run.
local function offset_at(now)
  local offset = 0
  for i = 1, rawlen(zone) do
    if zone[i][1] > now then break end
    offset = zone[i][2]
  end
  return offset
end

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local read_time = {
  minute = function(now) return now.min end,
  hour = function(now) return now.hour end,
  day = function(now) return DAYS[now.wday] end,
  dayNum = function(now) return (now.wday + 5) % 7 + 1 end,
  dayMonth = function(now) return now.day end,
  weekNum = function(_, seconds) return tonumber(sources.date("!%W", seconds)) end,
  month = function(now) return MONTHS[now.month] end,
  monthNum = function(now) return now.month end,
}

local function add_times()
  for name, read in next, read_time do
    methods[name] = function(first, second)
      local wants_local = first
      if first ~= nil and settings_of[first] then wants_local = second end
      local now = sources.time()
      if wants_local then now = now + offset_at(now) end
      return read(sources.date("!*t", now), now)
    end
  end
end

local JOB = { __index = methods, __metatable = false, __name = "job" }

--- `core.job(settings)`: a new job object that remembers its settings, encoded.
function job.new(settings)
  if settings == nil then settings = {} end
  if type(settings) ~= "table" then
    stack.raise("core.job: settings must be a table, got " .. text.describe(settings))
  end
  local bytes, problem = codec.encode(settings)
  if not bytes then stack.raise("core.job: the settings cannot be used: " .. problem) end
  local object = raw_setmetatable({}, JOB)
  settings_of[object] = bytes
  return object
end

local function formatted(call)
  return function(code, template, ...)
    -- Alone the text is no template: it may be an error message with any signs in it.
    if select("#", ...) == 0 then return call(code, template) end
    return call(code, text.format(template, ...))
  end
end

local FORMATTED = { warn = true, err = true }

local function add_functions(functions)
  for name, plain in next, functions do
    local call = FORMATTED[name] and formatted(plain) or plain
    methods[name] = function(first, ...)
      if first ~= nil and settings_of[first] then return call(...) end
      return call(first, ...)
    end
  end
end

--- Let job objects have the functions that `build` returns, called with a dot or a colon.
-- They and the time helpers are made when the first of them is asked for: most jobs need none.
function job.attach(build)
  raw_setmetatable(methods, {
    __index = function(_, name)
      raw_setmetatable(methods, nil)
      add_times()
      add_functions(build())
      return methods[name]
    end,
  })
end

--- The encoded settings of a job object; nil for any other value.
function job.settings(value)
  return type(value) == "table" and settings_of[value] or nil
end

--- The name of one of the codes; nil for any other value.
function job.code_name(value)
  if rawequal(value, OK) then return "OK" end
  if rawequal(value, SLEEP) then return "SLEEP" end
  if rawequal(value, STOP) then return "STOP" end
  if rawequal(value, EXIT) then return "EXIT" end
  if rawequal(value, RETRY) then return "RETRY" end
  return nil
end

--- Set the job's time zone for `job.hour(true)` and its like.
function job.set_zone(transitions)
  zone = transitions
end

return job
