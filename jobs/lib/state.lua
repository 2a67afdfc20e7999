-- Values that live from one run to the next: one document for each name.
--
--   local state = require "lib.state"
--   local counter = state.load("counter", { count = 0 })
--   counter.count = counter.count + 1
--   state.save(counter)

local state = {}

--- Return the table saved under `name`, or `start` the first time.
function state.load(name, start)
  local saved, problem = core.data("state"):get({ name = name })
  if problem then error("the state of " .. name .. " could not be read: " .. problem) end
  if saved then return saved end
  start.name = name
  return start
end

--- Keep a table that `load` gave. Call it when all changes are made.
function state.save(value)
  local id, problem = core.data("state"):save(value)
  if not id then error("the state of " .. value.name .. " could not be saved: " .. problem) end
  value._id = id
end

return state
