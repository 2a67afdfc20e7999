-- What job objects have besides the codes: the time helpers, and the core functions of their own.
local modules = ...
local sources, is_job = modules.sources, modules.job.settings
local next, rawlen, select, tonumber = next, rawlen, select, tonumber

-- A list of {from, offset} in seconds, in order, the first from before the run.
local zone = modules.codec.decode(modules.run.zone)

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

local function add_times(methods)
  for name, read in next, read_time do
    methods[name] = function(first, second)
      local wants_local = first
      if is_job(first) then wants_local = second end
      local now = sources.time()
      if wants_local then now = now + offset_at(now) end
      return read(sources.date("!*t", now), now)
    end
  end
end

local function formatted(call)
  return function(code, template, ...)
    -- Alone the text is no template: it may be an error message with any signs in it.
    if select("#", ...) == 0 then return call(code, template) end
    return call(code, modules.text.format(template, ...))
  end
end

local FORMATTED = { warn = true, err = true }

local function add_functions(methods, functions)
  for name, plain in next, functions do
    local call = FORMATTED[name] and formatted(plain) or plain
    methods[name] = function(first, ...)
      if is_job(first) then return call(...) end
      return call(first, ...)
    end
  end
end

--- Add all of them to the methods of job objects; each can be called with a dot or a colon.
return function(methods)
  add_times(methods)
  add_functions(methods, modules.calls.of_jobs())
end
