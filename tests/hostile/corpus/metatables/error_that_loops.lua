-- class: metatables
-- tries: to hold the engine's error handler in a metamethod
-- holds: ERROR "error value: a table"

local job = core.job()

function job.run(run)
  error(setmetatable({}, {
    __tostring = function() while true do end end,
    __index = function() while true do end end,
    __len = function() while true do end end,
    __pairs = function() while true do end end,
  }))
end

return job
