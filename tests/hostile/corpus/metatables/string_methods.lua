-- class: metatables
-- tries: to change what all strings can do, in the engine's own Lua too
-- holds: ERROR "attempt to index a boolean value"

local job = core.job()

function job.run(run)
  getmetatable("").__index = function() return function() return "forged" end end
  return job.OK, "reached"
end

return job
