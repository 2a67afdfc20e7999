-- class: environment
-- tries: to change what core is for the engine's own code
-- holds: ERROR "cannot change a protected metatable"

local job = core.job()

function job.run(run)
  setmetatable(core, { __index = function() return function() return "forged" end end })
  return job.OK, "reached"
end

return job
