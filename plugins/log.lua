-- core.log(...) and core.log.debug/info/warn/error(...): any number of values of any type.
local native, sandbox = ...
local write, text = native.write, sandbox.text
local select, concat = select, table.concat

local function line(level, ...)
  local parts = {}
  for position = 1, select("#", ...) do
    parts[position] = text((select(position, ...)))
  end
  write(level, concat(parts, " "))
end

--- Write a line to the run's log: any number of values of any type. `core.log(...)` is `core.log.info(...)`.
---@class core.log
---@overload fun(...: any)
---@field debug fun(...: any) A line for whoever looks for an error.
---@field info fun(...: any) A line of its usual course.
---@field warn fun(...: any) A line about something that is not as it should be.
---@field error fun(...: any) A line about something that went wrong.
local log = {}
for _, level in ipairs({ "debug", "info", "warn", "error" }) do
  log[level] = function(...) line(level, ...) end
end

return setmetatable(log, {
  __call = function(_, ...) line("info", ...) end,
  __metatable = false,
})
